"""The generated parts of the READMEs of vendors' rooms: from the code and the catalogues, so that they agree.

    python tests/room_tables.py

writes them anew between `<!-- generated: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import ast
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from ftbridge.catalogue import Row
from ftbridge.plugins import load_provider, provider_names
from ftbridge.provider import Provider
from ftbridge.provider.capabilities import Handling
from ftbridge.target import Target

ROOT = Path(__file__).parents[1]
PROVIDERS = ROOT / "providers" / "ftbridge_providers"
_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_SOURCES = re.compile(r"^Sources?: (.*?)(?:\n\n|\Z)", re.DOTALL | re.MULTILINE)
_NO_FACT = {"provider", "models", "source", "as_of", "confidence", "doubt", "methods", "free", "closing"}


def rooms() -> list[str]:
    """The vendors that have a room."""
    return [name for name in provider_names() if (PROVIDERS / name).is_dir()]


def readmes() -> list[Path]:
    """Every README that has generated parts."""
    return [ROOT / "providers" / "README.md", *(PROVIDERS / name / "README.md" for name in rooms())]


def current(file: Path) -> str:
    """The README as it should be."""
    provider = None if file.parent.name == "providers" else opened(file.parent.name)

    def part(match: re.Match[str]) -> str:
        text = vendors() if provider is None else _PARTS[match[2]](provider)
        return f"{match[1]}{text}\n{match[3]}"

    return _PART.sub(part, file.read_text("utf-8"))


def opened(name: str) -> Provider:
    """The provider with its own defaults, whatever the environment says; it connects to nothing."""
    return load_provider(Target(name, ""), Path(tempfile.gettempdir()))


def vendors() -> str:
    """One row a vendor: target, keys, methods, whether the weights are given, the first closing date."""
    rows = []
    for name in rooms():
        one = opened(name)
        keys = ", ".join(f"`{key}`" for key in one.settings_class.secrets.values())
        ends = [row.training_closes_on for row in one.catalogue() if row.training_closes_on]
        weights = "downloaded" if one.capabilities.gives_weights else "stay there"
        closes = f"{min(ends)}" if ends else ""
        rows.append([f"[{name}](ftbridge_providers/{name}/README.md)", keys, methods(one), weights, closes])
    return table(["vendor", "keys", "methods", "weights", "new jobs until, at the earliest"], rows)


def methods(provider: Provider) -> str:
    """The methods that it offers."""
    return ", ".join(sorted(provider.capabilities.methods))


def settings(provider: Provider) -> str:
    """Keys and settings, with the variables that hold them."""
    kind = provider.settings_class
    rows = [[f"`{variable}`", "key, in the environment only", ""] for variable in kind.secrets.values()]
    for name, field in kind.model_fields.items():
        default = f"`{field.default}`" if field.default else ""
        rows.append([f"`{kind.variable(name)}`, `{name}`", field.description or "", default])
    return table(["variable, setting", "what", "default"], rows)


def able(provider: Provider) -> str:
    """Methods, commands, and what `delete` leaves at the vendor."""
    capable = provider.capabilities
    lines = [
        f"- Target: `{provider.name}:MODEL`, with `pip install 'ftbridge[{provider.name}]'`.",
        f"- Methods: {methods(provider)}.",
        f"- Commands beyond those of every provider: {', '.join(f'`{name}`' for name in capable.commands)}.",
        f"- Weights: {'`fetch` downloads them' if capable.gives_weights else 'they stay at the vendor'}.",
        *(f"- Not deleted ({kind}): {why}." for kind, why in capable.keeps.items()),
    ]
    return "\n".join(lines)


def hyperparameters(provider: Provider) -> str:
    """What becomes of each, with the vendor's limits."""
    known = provider.capabilities.hyperparameters
    return table(
        ["hyperparameter", "there", "limits", "note"],
        [[f"`{name}`", _there(handling), _limits(handling), handling.note] for name, handling in known.items()],
    )


def _there(handling: Handling) -> str:
    return f"`{handling.to}`" if handling.to else {"applied": "the same"}.get(handling.how, handling.how)


def _limits(handling: Handling) -> str:
    limits = [
        f"more than {handling.greater_than:g}" if handling.greater_than is not None else "",
        f"at least {handling.minimum:g}" if handling.minimum is not None else "",
        f"at most {handling.maximum:g}" if handling.maximum is not None else "",
        f"only {', '.join(sorted(handling.methods))}" if handling.methods else "",
        f"one of {', '.join(handling.choices)}" if handling.choices else "",
    ]
    return "; ".join(filter(None, limits))


def models(provider: Provider) -> str:
    """Each row of the catalogue: limits, prices, dates, each with its source and day."""
    return "\n".join(_model_lines(provider.catalogue()))


def _model_lines(rows: tuple[Row, ...]) -> Iterator[str]:
    for row in rows:
        known = row.model_dump(mode="json", exclude_none=True, exclude=_NO_FACT)
        facts = [f"{name.replace('_', ' ')} {value}" for name, value in known.items()]
        facts += [f"{name.replace('_', ' ')} 0" for name in row.free]
        facts += [f"methods {', '.join(row.methods)}"] if row.methods else []
        facts += [f"({row.closing})"] if row.closing else []
        doubt = f" In doubt: {row.doubt}." if row.doubt else ""
        yield f"- {', '.join(f'`{model}`' for model in row.models)}: {', '.join(facts) or 'known'}.{doubt}"
        yield f"  Source: <{row.source}>, {row.as_of}, {row.confidence}."


def closing(provider: Provider) -> str:
    """The dates on which training or serving ends."""
    rows = [
        [", ".join(f"`{model}`" for model in row.models), _day(row.training_closes_on), _day(row.inference_closes_on)]
        for row in provider.catalogue()
        if row.training_closes_on or row.inference_closes_on
    ]
    return table(["models", "last day of new jobs", "last day of answers"], rows) if rows else "None is known."


def _day(date: object) -> str:
    return str(date or "")


def sources(provider: Provider) -> str:
    """What the files of the room say of their sources."""
    folder = PROVIDERS / provider.name
    lines = []
    for file in sorted(folder.rglob("*.py")):
        text = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
        if match := _SOURCES.search(text):
            lines.append(f"- `{file.relative_to(folder)}`: {' '.join(match[1].split())}")
    return "\n".join(lines) or "Its sources are those of the protocol, and of the catalogue above."


def table(headers: list[str], rows: list[list[str]]) -> str:
    """A table of Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in [headers, ["---"] * len(headers), *rows])


_PARTS: dict[str, Callable[[Provider], str]] = {
    "settings": settings,
    "able": able,
    "hyperparameters": hyperparameters,
    "models": models,
    "closing": closing,
    "sources": sources,
}

if __name__ == "__main__":
    for readme in readmes():
        readme.write_text(current(readme), "utf-8")
