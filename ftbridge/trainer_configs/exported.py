"""What a config was written with, and what became of the rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import Struct

from ftbridge.dataset.writing.convert import Conversion


class ExportedConfig(Struct, frozen=True):
    """What was written into the folder `out`; nothing, where a conversion of the rows is impossible.

    `checked_with` is the version whose own code has read such configs, `command` what to run in the folder. `settings`
    are hyperparameters by ftbridge's names, `chosen` those of them that nobody gave. `rows` are those of the training
    file, of which an example may have several. `notes` are sentences on what is different there.
    """

    out: Path
    trainer: str
    checked_with: str
    command: str
    model: str
    settings: dict[str, Any]
    chosen: tuple[str, ...]
    notes: tuple[str, ...]
    training: Conversion
    validation: Conversion | None = None
    rows: int = 0

    @property
    def conversions(self) -> tuple[Conversion, ...]:
        """Those of the training and of the validation file."""
        return (self.training, self.validation) if self.validation else (self.training,)

    @property
    def written(self) -> bool:
        """Whether all rows could be converted."""
        return not any(made.impossible for made in self.conversions)

    def __repr__(self) -> str:
        return f"<ExportedConfig for {self.trainer}: {self.out if self.written else 'not written'}>"
