"""ftbridge.toml: names for targets, prices and budgets, read from the working folder or the nearest one above it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from ftbridge.errors import ConfigError
from ftbridge.model import Frozen

FILE_NAME = "ftbridge.toml"


class OwnCatalogue(Frozen):
    """What the user knows better: catalogues at paths (from where ftbridge.toml is) or https addresses, and rows."""

    files: tuple[str, ...] = ()
    row: tuple[Mapping[str, Any], ...] = ()


class Config(Frozen):
    """What ftbridge.toml may hold. `budgets` are US dollars a calendar month, by provider."""

    targets: Mapping[str, str] = Field(default_factory=dict)
    catalogue: OwnCatalogue = OwnCatalogue()
    budgets: Mapping[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    file: Path | None = None


def load_config(folder: Path | None = None) -> Config:
    """The config that applies in `folder` (the working folder); an empty one where there is no file."""
    start = (folder or Path.cwd()).absolute()
    for place in (start, *start.parents):
        if (place / FILE_NAME).is_file():
            return _read(place / FILE_NAME)
    return Config()


def _read(file: Path) -> Config:
    try:
        return Config.model_validate(tomllib.loads(file.read_text("utf-8")) | {"file": file})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as problem:
        raise ConfigError(f"{file} cannot be read: {problem}", hint="Mend the file, or move it away.") from problem
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise ConfigError(
            f"{file}: {place}: {first['msg'].lower()}",
            hint='It may hold [targets], with lines such as support = "local:tiny", [catalogue] and [budgets].',
        ) from problem
