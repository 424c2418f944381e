"""What every command that reads a dataset takes: the dataset, its format, and names for its columns."""

from __future__ import annotations

from typing import Annotated

import typer

FORMAT = "The format of the dataset, instead of detecting it."
MAP = "FROM=TO: read the column or key FROM as TO, such as question=prompt; TO may be unused. Can be repeated."
Data = Annotated[str, typer.Argument(help="The dataset; - is standard input.", show_default=False)]
Format = Annotated[str | None, typer.Option(help=FORMAT)]
Columns = Annotated[list[str] | None, typer.Option("--map", metavar="FROM=TO", help=MAP)]
