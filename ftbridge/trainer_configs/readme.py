"""The README of an exported config: what to run, with which version, and what is different."""

from __future__ import annotations

from ftbridge.trainer_configs.exported import ExportedConfig
from ftbridge.trainer_configs.trainer import Plan, Trainer
from ftbridge.wording import counted


def readme(made: ExportedConfig, trainer: Trainer, plan: Plan) -> str:
    """The text, in Markdown."""
    return "\n".join(
        [
            f"# {plan.method} of {made.model} with {trainer.name}",
            "",
            f"Checked with {made.checked_with}. Run in this folder:",
            "",
            f"    {trainer.install}",
            f"    {made.command}",
            "",
            f"The training file has {counted(made.rows, 'row')}, so there are {counted(plan.steps, 'step')}.",
            *_changes(made),
            *_list("Different from ftbridge's own trainer:", made.notes),
            *_list("Chosen, because not given:", [f"{name}: {made.settings[name]}" for name in made.chosen]),
            "",
        ]
    )


def _changes(made: ExportedConfig) -> list[str]:
    changed = [
        f"{code}: {counted(count, 'row')} of {file.out.name}, the first on line {line}"
        for file in made.conversions
        for code, (count, line) in file.changed.items()
    ]
    return _list("Changed in the rows (`ftbridge help CODE` explains each):", changed)


def _list(title: str, lines: list[str] | tuple[str, ...]) -> list[str]:
    return ["", title, "", *(f"- {line}" for line in lines)] if lines else []
