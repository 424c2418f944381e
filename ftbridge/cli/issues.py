"""What `improve` has found, for people: by kind, with the lines of both files, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ftbridge.cli.output import print_line, print_message, print_note, print_sentence
from ftbridge.cli.scores import answered
from ftbridge.wording import counted, escaped, printable

if TYPE_CHECKING:
    from ftbridge.improvement.results import Draft, Improvement, Issue, Kind

_SHOWN = 5  # issues of a kind
_LINES = 6  # that are named at once
_TEXT = 60  # characters of an input or an answer

_TITLES: Mapping[Kind, tuple[str, str]] = {
    "contradiction": (
        "Contradictions: the same input has different answers in {training}.",
        "Decide which is right, and remove the others.",
    ),
    "near_contradiction": (
        "Near contradictions: nearly the same input has different answers in {training}.",
        "Decide whether the difference is meant.",
    ),
    "suspect_label": (
        "Suspected label errors: the rows of {training} that are most alike agree on another label.",
        "Read them; correct those that are wrong.",
    ),
    "absent_label": (
        "Absent labels: {held_out} asks for them, and {training} has no row with them.",
        "Write rows with them.",
    ),
    "rare_label": (
        "Rare labels: {held_out} asks for them, and {training} has fewer than five rows with each.",
        "Write more rows with them.",
    ),
    "uncovered": (
        "Not covered: failures of {held_out} that no row of {training} resembles.",
        "Write rows of this kind.",
    ),
    "neighbours_disagree": (
        "Neighbours disagree: {held_out} expects something else than the most similar rows of {training} say.",
        "One of both is wrong: correct it.",
    ),
    "not_learned": (
        "Not learned: {training} says what is right, and the model does not.",
        "Repeat these rows, or train for more epochs.",
    ),
    "unexplained": (
        "Not explained: failures of {held_out} about which {training} says nothing clear.",
        "Read them.",
    ),
}


def print_improvement(found: Improvement) -> None:
    """The counts, the issues by kind, and what was written."""
    files = {"training": _name(found.training_file), "held_out": _name(found.held_out_file)}
    rows = "training row" if found.same_file else "held-out row"
    print_sentence(
        f"{found.failures:,} of {counted(found.held_out_rows, rows)} are not answered as expected. They are compared "
        f"with {counted(found.training_rows, 'training row')} ({escaped(found.training_file)})."
    )
    if found.same_file:
        print_sentence("These are the rows that the model was trained on: nothing is said about new ones.")
    for kind, (title, advice) in _TITLES.items():
        if issues := found.of(kind):
            _print_kind(title.format(**files), advice, issues)
    if not found.issues:
        print_sentence("Nothing was found in the data.")
    _print_limits(found)
    for counts in found.answers:
        print_sentence(answered(counts))
    if found.draft:
        _print_draft(found.draft)


def _name(file: str) -> str:
    return printable(Path(file).name)


def _print_kind(title: str, advice: str, issues: Sequence[Issue]) -> None:
    print_line("")
    print_sentence(f"{title} {advice}")
    by_training = [issue for issue in issues if issue.loss is not None and issue.answer is None]
    issues = [issue for issue in issues if issue not in by_training]
    for issue in issues[:_SHOWN]:
        where, *said = _lines_of(issue)
        print_note(where)
        for line in said:
            print_note(line, indent="    ")
    if len(issues) > _SHOWN:
        print_line(f"  … and {len(issues) - _SHOWN:,} more: --json has all")
    if by_training:
        worst = sorted(by_training, key=lambda issue: -(issue.loss or 0.0))
        lines = [issue.training[0] for issue in worst]
        print_note(f"by their losses when they were last trained: {_lines('training line', lines)}")


def _lines_of(issue: Issue) -> list[str]:
    where = _lines("line", issue.held_out) if issue.held_out else _lines("training line", issue.training)
    text = printable(issue.text.strip(), _TEXT)
    label = f": {printable(issue.label)}" if issue.label else ""
    shown = [f"{where}{label}: {text}" if text else f"{where}{label}"]
    if issue.words:
        shown.append(f"words that no training row has: {', '.join(map(printable, issue.words))}")
    if issue.expected is not None:
        shown.append(f"expected {printable(issue.expected, _TEXT)}")
    if issue.answer is not None:
        shown.append(f"answered {printable(issue.answer, _TEXT)}")
    said = issue.answers.items()
    return [*shown, *(f"{printable(answer, _TEXT)}: {_lines('training line', lines)}" for answer, lines in said)]


def _lines(what: str, lines: Sequence[int]) -> str:
    more = f" and {len(lines) - _LINES:,} more" if len(lines) > _LINES else ""
    return f"{what}{'s' * (len(lines) != 1)} {', '.join(f'{line}' for line in lines[:_LINES])}{more}"


def _print_limits(found: Improvement) -> None:
    """What could not be looked for, and why."""
    from ftbridge.improvement.labels import TELLING  # here, so that --help loads no ledger

    print_line("")
    if found.left_out:
        print_sentence(f"{counted(found.left_out, 'training row')} are no chats with an answer, and were not compared.")
    if found.compared < found.inputs:
        print_sentence(f"{found.compared:,} of {found.inputs:,} training inputs were compared with all others.")
    for kind, share in found.predictable.items():
        if share < TELLING:
            print_sentence(
                f"Errors of '{printable(kind)}' were not looked for: rows that are alike share it in {share:.0%} of the"
                " cases only."
            )


def _print_draft(draft: Draft) -> None:
    parts = {
        "repaired": len(draft.repaired),
        "repeated": len(draft.repeated),
        "kept against forgetting": len(draft.kept),
        "held out": len(draft.held_out),
    }
    print_line("")
    if draft.rows:
        what = ", ".join(f"{count:,} {name}" for name, count in parts.items() if count)
        print_sentence(f"{draft.file}: {counted(draft.rows, 'row')} for a second round ({what}).")
    if draft.templates:
        rows = counted(draft.to_write, "row")
        print_sentence(f"{draft.templates}: {rows} to be written. `ftbridge check` refuses them until then.")
    if draft.held_out:
        rows, lines = counted(len(draft.held_out), "held-out row"), _lines("line", draft.held_out)
        print_message(
            f"warning: {rows} ({lines}) are in the draft. A model that is trained on it cannot be judged by them: "
            "remove them from the held-out file.",
            style="yellow",
        )
