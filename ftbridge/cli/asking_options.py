"""What every command that asks models takes: a limit of costs, and whether stored answers count."""

from __future__ import annotations

from typing import Annotated

import typer

MaxCost = Annotated[float | None, typer.Option(min=0, help="Ask nothing that may cost more US dollars than this.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Ask again what the ledger has the answers to.")]
