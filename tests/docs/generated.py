"""The parts of the topics that are made from the program: run this file to write them anew.

A part stands between `<!-- generated: NAME ARGUMENTS -->` and `<!-- end -->`. Tests compare it with what is made here.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, get_args

import typer

from ftbridge import errors
from ftbridge.catalogue import read_room
from ftbridge.cli.commands import app_with
from ftbridge.config.tables import Config, Hook, OwnCatalogue
from ftbridge.dataset.formats import FORMATS
from ftbridge.docs import explanations
from ftbridge.home import find_home
from ftbridge.model import Hyperparameters
from ftbridge.plugins import load_provider, provider_names
from ftbridge.provider import Provider
from ftbridge.provider.hosted import HostedProvider
from ftbridge.target import Target
from ftbridge.verification.findings import Code
from ftbridge.wording import counted

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "ftbridge" / "docs"
_PART = re.compile(r"(<!-- generated: ([^>]*?) -->\n).*?(<!-- end -->)", re.DOTALL)
_COMMANDS: dict[str, Any] = typer.main.get_command(app_with()).commands  # type: ignore[attr-defined]  # it is a group

EXTRAS = {
    "openai": "OpenAI",
    "azure": "Azure OpenAI",
    "nebius": "Nebius",
    "together": "Together",
    "mistral": "services with Mistral's API",
    "local": "training on this machine, with torch and peft",
    "gguf": "export as GGUF",
    "mock": "mocked vendors, and `watch --listen`",
    "postgres": "a ledger on a PostgreSQL server",
    "tensorboard": "reports to TensorBoard",
    "mlflow": "reports to MLflow",
    "wandb": "reports to Weights & Biases",
    "near": "near duplicates",
    "parquet": "Parquet files",
    "plot": "curves and costs as pictures",
    "tokens": "exact token counts for OpenAI and Mistral",
    "xlsx": "Excel workbooks",
    "zst": "zstd compression",
    "evaluate": "the metric text: chrF, BLEU and ROUGE; and graders by text similarity",
    "all": "all of these but the trackers",
    "dev": "what the tests of ftbridge need",
}
ENVIRONMENT = {
    "FTBRIDGE_HOME": "the folder for the ledger and the local jobs",
    "FTBRIDGE_LEDGER": "the address of a PostgreSQL server for the ledger",
    "FTBRIDGE_OWNER": "who submits, by default the user of the machine",
    "FTBRIDGE_HOOK_SECRET": "what hooks' requests are signed with",
    "FTBRIDGE_INSECURE_BASE_URL": "1 allows base URLs that are not https, as `--insecure-base-url` does",
    "FTBRIDGE_TODAY": "the day that closing dates and the age of prices are counted from, such as 2027-01-07",
    "FTBRIDGE_MOCK_SPEED": "how many times faster than the vendors the mocks are, by default 60",
    "FTBRIDGE_MOCK_FAULTS": "the faults of mocks, separated by blanks",
    "FTBRIDGE_LIVE": "1 runs the tests against real vendors",
    "OPENAI_WEBHOOK_SECRET": "what OpenAI signs its webhooks with",
    "FTBRIDGE_VERIFY_API_KEY": "the key of the server that `verify --at` asks",
    "OLLAMA_HOST": "where `verify --ollama` finds Ollama",
    "HF_TOKEN": "downloads gated models from the hub",
    "LLAMA_CPP": "the folder of llama.cpp, for `export --format gguf`",
    "SSL_CERT_FILE": "the certificates to trust, as for other programs",
    "NO_COLOR": "anything turns colours off, as for other programs",
}


def extras() -> list[str]:
    """What each extra of the package is for."""
    names = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    return [f"- `{name}`: {EXTRAS[name]}" for name in names]


def options(*commands: str) -> list[str]:
    """The arguments and options of commands; one that several of them have alike stands once."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    hyperparameters = {name.replace("_", "-") for name in Hyperparameters.model_fields}
    for command in commands:
        for one in _COMMANDS[command].params:
            names = [*one.opts, *one.secondary_opts]
            if one.param_type_name == "argument" or names[0].removeprefix("--") in {*hyperparameters, "json"}:
                continue
            found[", ".join(f"`{name}`" for name in names), _sentence(one.help)].append(command)
    lines = [f"- {names} ({', '.join(on)}): {text}" for (names, text), on in found.items()]
    plain = [f"`{command}`" for command in commands if not any(command in on for on in found.values())]
    return [*lines, *([f"- No options of their own: {', '.join(plain)}."] if plain else [])]


def hyperparameters() -> list[str]:
    """Each hyperparameter, with the providers that take it."""
    providers = {name: kind.capabilities.hyperparameters for name, kind in _providers().items()}
    lines = []
    for name, field in Hyperparameters.model_fields.items():
        taking = [vendor for vendor, taken in providers.items() if name in taken and taken[name].how != "refused"]
        option = f"`--{name.replace('_', '-')}`" + (" / `--no-train-reasoning`" if name == "train_reasoning" else "")
        lines.append(f"- {option}: {_sentence(field.description or '')} ({', '.join(taking)})")
    return lines


def methods() -> list[str]:
    """Which providers train by which method, on which rows."""
    rows = {"sft": "chats; also texts, where the vendor takes them", "dpo": "preferences", "rft": "tasks"}
    able = {method: [n for n, kind in _providers().items() if method in kind.capabilities.methods] for method in rows}
    lines = [f"| `{method}` | {rows[method]} | {', '.join(able[method])} |" for method in rows]
    return _table(["`--method`", "rows", "where"], lines)


def formats() -> list[str]:
    """The names of the formats of rows."""
    shapes: dict[str, list[str]] = defaultdict(list)
    for one in FORMATS.values():
        shapes[one.shape].append(f"`{one.name}`")
    lines = [f"| {', '.join(names)} | {shape}s |" for shape, names in shapes.items()]
    return _table(["name for `--format`", "rows"], lines)


def vendors() -> list[str]:
    """The hosted vendors: the target, the extra, the variables of the keys, and the methods and commands."""
    lines = [
        f"| `{name}:MODEL` | `ftbridge[{name}]` | {', '.join(f'`{v}`' for v in kind.settings_class.secrets.values())} "
        f"| {', '.join(sorted(kind.capabilities.methods))}; {', '.join(kind.capabilities.commands)} |"
        for name, kind in _providers().items()
        if issubclass(kind, HostedProvider)
    ]
    return _table(["target", "extra", "keys", "offers"], lines)


def settings() -> list[str]:
    """The settings of each provider, with their environment variables."""
    return [
        f"- `[providers.{name}]` `{key}`, or `{kind.settings_class.variable(key)}`: {field.description}"
        for name, kind in _providers().items()
        for key, field in kind.settings_class.model_fields.items()
        if kind.settings_class.variable(key)
    ]


def runners() -> list[str]:
    """The keys of the tables of runners."""
    kinds = {name: kind.runner_class for name, kind in _providers().items() if kind.runner_class}
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, table in kinds.items():
        for key, field in table.model_fields.items():
            if key != "kind":
                found[key, _sentence(field.description or "")].append(name)
    return [f"- `{key}` ({', '.join(on)}): {text}" for (key, text), on in found.items()]


def closing() -> list[str]:
    """When which models close, by the catalogues."""
    ends: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for name, kind in _providers().items():
        for row in read_room(kind.__module__.rpartition(".")[0], name):
            if row.training_closes_on or row.inference_closes_on:
                dates = str(row.training_closes_on or "–"), str(row.inference_closes_on or "–")
                ends[name, *dates] += row.models
    lines = [
        f"| {name} | {', '.join(dict.fromkeys(models))} | {training} | {inference} |"
        for (name, training, inference), models in ends.items()
    ]
    return _table(["vendor", "models", "training until", "tuned models until"], lines)


def config() -> list[str]:
    """The tables and keys of ftbridge.toml."""
    said = {
        "targets": "names for targets; paths are relative to the file",
        "catalogue": f"prices of your own: {_keys(OwnCatalogue)}",
        "budgets": "US dollars per calendar month, by provider",
        "limits": "how many jobs may run at once, by provider",
        "hooks": f"`[hooks.NAME]`: {_keys(Hook)}",
        "providers": "`[providers.NAME]`: the settings of a provider; `ftbridge help hosted` lists them",
        "runners": "`[runners.NAME]`: other machines; `ftbridge help gpus` lists their keys",
    }
    return [f"- `[{table}]`: {said[table]}" for table in Config.model_fields if table not in ("file", "origins")]


def causes() -> list[str]:
    """The codes of what may differ in a served model."""
    return _wrapped([f"`{code}`" for code in get_args(Code)])


def environment() -> list[str]:
    """The variables that are no provider's."""
    lines = [f"- `{name}`: {text}" for name, text in ENVIRONMENT.items()]
    return [*lines, "- A provider's keys and addresses: `ftbridge help hosted`."]


def codes(kind: str) -> list[str]:
    """The codes of one kind, in lines of 118 columns."""
    return _wrapped([f"`{code}`" for code, one in explanations().items() if one.kind == kind])


def error_list() -> list[str]:
    """The errors by their exit code."""
    by_exit: dict[int, list[str]] = defaultdict(list)
    for code, one in explanations().items():
        if one.kind == "errors":
            by_exit[getattr(errors, code).exit_code].append(f"`{code}`")
    return [
        line for number, names in sorted(by_exit.items()) for line in _wrapped([f"Exit code {number}:", *names], ", ")
    ]


MAKERS: dict[str, Callable[..., list[str]]] = {
    "extras": extras,
    "options": options,
    "hyperparameters": hyperparameters,
    "methods": methods,
    "formats": formats,
    "vendors": vendors,
    "settings": settings,
    "runners": runners,
    "closing": closing,
    "config": config,
    "causes": causes,
    "environment": environment,
    "codes": codes,
    "errors": error_list,
}


def renewed(page: str) -> str:
    """A page with its generated parts made anew."""

    def part(match: re.Match[str]) -> str:
        name, *arguments = match[2].split()
        return "\n".join([match[1].rstrip(), *MAKERS[name](*arguments), match[3]])

    return _PART.sub(part, page)


@cache
def _providers() -> dict[str, type[Provider]]:
    return {name: type(load_provider(Target(name, ""), find_home())) for name in provider_names()}


def _table(headers: list[str], lines: list[str]) -> list[str]:
    return [f"| {' | '.join(headers)} |", "|---" * len(headers) + "|", *lines]


def _sentence(text: str) -> str:
    return text.rstrip(".").replace("|", "or") + "."


def _keys(kind: type[Any]) -> str:
    return ", ".join(f"`{name}`" for name in kind.model_fields)


def _wrapped(words: list[str], between: str = " ") -> list[str]:
    lines, line = [], ""
    for word in words:
        joined = line + (" " if not line or line.endswith(":") else between) + word if line else word
        if len(joined) > 118:
            lines.append(line + between.rstrip())
            joined = word
        line = joined
    return [*lines, line, ""]


if __name__ == "__main__":
    for file in sorted(DOCS.glob("*.md")):
        made = renewed(file.read_text("utf-8"))
        print(f"{file.name}: {counted(made.count(chr(10)), 'line')}")  # noqa: T201 - it is a script
        file.write_text(made, "utf-8")
