"""`--map`, an option of every command that reads a dataset."""

from __future__ import annotations

from typing import Annotated

import typer

HELP = "FROM=TO: read the column or key FROM as TO, such as question=prompt; can be repeated."
Columns = Annotated[list[str] | None, typer.Option("--map", metavar="FROM=TO", help=HELP)]
