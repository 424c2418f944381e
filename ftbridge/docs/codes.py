"""What each code of a finding, of a change and of an error means, with an example and what to do.

The tables are in `codes/*.toml`. An example is a file that gives the code when it is checked (or, for an error, a
command that ends with it), and `fixed` is the same file without it; tests run them all. Where an example would be too
large to print, or needs a model of its own, there is none.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files

from pydantic import Field

from ftbridge import errors
from ftbridge.model import Frozen

_TITLES = {
    "files": "a finding about a file",
    "rows": "a finding about a row",
    "advice": "a warning",
    "targets": "a finding by the rules of a target",
    "changes": "a change that a target makes necessary",
    "errors": "an error",
}
_TOPICS = {"files": "dataset", "rows": "dataset", "advice": "dataset", "targets": "hosted", "changes": "dataset"}


class Explanation(Frozen):
    """One code. `file` is the name of the example's file, and the other words are options of `check` or `convert`."""

    code: str
    kind: str
    what: str
    fix: str
    example: str | None = None
    fixed: str | None = None
    file: str = "rows.jsonl"
    to: str | None = None
    trainer: str | None = None
    method: str | None = None
    format: str | None = None
    map: str | None = None
    validation: str | None = None
    prepare: bool = False
    environment: dict[str, str] = Field(default_factory=dict)

    @property
    def command(self) -> str:
        """The command that shows the code on its example."""
        if self.kind == "errors":
            return " ".join([*(f"{name}={value}" for name, value in self.environment.items()), self.example or ""])
        if self.prepare:
            return f"ftbridge prepare {self.file} --out data"
        if self.trainer:
            return f"ftbridge export-config {self.file} --to {self.trainer} --model Qwen/Qwen3-8B --out exported"
        options = {
            "to": self.to,
            "method": self.method,
            "format": self.format,
            "map": self.map,
            "validation": self.validation and "held.jsonl",
            "out": "converted.jsonl" if self.kind == "changes" else None,
        }
        words = [f"--{name} {value}" for name, value in options.items() if value]
        return " ".join(["ftbridge", "convert" if self.kind == "changes" else "check", self.file, *words])

    def markdown(self) -> str:
        """The explanation as a page."""
        kind = _TITLES[self.kind]
        if self.kind == "errors":
            kind += f"; exit code {getattr(errors, self.code).exit_code}"
        parts = [f"# {self.code}", f"({kind})", self.what]
        if self.example is not None:
            parts += self._example()
        parts += ["## What to do", self.fix]
        if self.fixed is not None:
            parts.append(_block(self.fixed))
        return "\n\n".join([*parts, f"More: `ftbridge help {_TOPICS.get(self.kind, 'errors')}`"]) + "\n"

    def _example(self) -> list[str]:
        if self.kind == "errors":
            return ["## Example", f"```console\n$ {self.command}\n```"]
        held = ["held.jsonl:", _block(self.validation)] if self.validation else []
        return ["## Example", _block(self.example or ""), *held, f"```console\n$ {self.command}\n```"]


def explanations() -> dict[str, Explanation]:
    """All explanations by their code."""
    found: dict[str, Explanation] = {}
    for kind in _TITLES:
        tables = tomllib.loads((files("ftbridge.docs") / "codes" / f"{kind}.toml").read_text("utf-8"))
        found |= {code: Explanation(code=code, kind=kind, **table) for code, table in tables.items()}
    return found


def _block(text: str) -> str:
    return f"```\n{text.strip()}\n```"
