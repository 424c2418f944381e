"""Whether an evaluation lets a release pass, for people and for CI: JUnit XML, and GitHub's annotations and summary."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple
from xml.etree import ElementTree

from ftbridge.cli.output import clean, print_message
from ftbridge.cli.scores import HEADERS, name_of_tuned, score_rows, sentence, verdict, warning
from ftbridge.errors import InputError
from ftbridge.files import replacing
from ftbridge.wording import counted

if TYPE_CHECKING:
    from ftbridge.evaluation.evaluate import Evaluation

_TITLE = "ftbridge evaluate"


class Failure(NamedTuple):
    """Why the exit code is 1."""

    code: Literal["below_minimum", "worse"]
    message: str


def failures(evaluation: Evaluation, minimum: float | None) -> list[Failure]:
    """A score below the minimum, and models than which the tuned one is worse; a higher loss alone is no failure."""
    found = []
    if minimum is not None and evaluation.tuned.exact_match < minimum:
        found.append(Failure("below_minimum", _below(evaluation, minimum)))
    worse = [f"{name_of_tuned(evaluation)} is worse than {rival}" for rival in evaluation.worse_than()]
    return found + [Failure("worse", message) for message in worse]


def _below(evaluation: Evaluation, minimum: float) -> str:
    return f"{evaluation.tuned.exact_match:.1%} exact answers are below the minimum, {minimum:.1%}"


def write_junit(evaluation: Evaluation, minimum: float | None, file: Path) -> None:
    """A test case for the minimum and one for each comparison; one that has too few rows is skipped.

    Raises `InputError` where the file cannot be written.
    """
    suite = ElementTree.Element("testsuite", name=_TITLE)
    if minimum is not None:
        case = _case(suite, f"exact answers at least {minimum:.1%}", evaluation.job)
        if evaluation.tuned.exact_match < minimum:
            ElementTree.SubElement(case, "failure", message=_below(evaluation, minimum))
    tuned = name_of_tuned(evaluation)
    for one in evaluation.comparisons:
        what = "exact answers" if one.metric == "exact_match" else "loss"
        case = _case(suite, f"{what} against {one.rival}", evaluation.job)
        message = clean(f"{sentence(one, tuned)} {verdict(one)}")
        if one.verdict == "worse" and one.metric == "exact_match":
            ElementTree.SubElement(case, "failure", message=message)
        elif one.verdict == "not enough rows":
            ElementTree.SubElement(case, "skipped", message=message)
        else:
            ElementTree.SubElement(case, "system-out").text = message
    warnings = "\n".join(clean(warning(leak)) for leak in evaluation.leaks)
    ElementTree.SubElement(suite, "system-err").text = warnings
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("skipped", "skipped")):
        suite.set(name, str(sum(1 for _ in suite.iter(tag))))
    suite.set("errors", "0")
    try:
        with replacing(file) as temporary:
            ElementTree.ElementTree(suite).write(temporary, encoding="utf-8", xml_declaration=True)
    except OSError as problem:
        raise InputError(f"{file} cannot be written: {problem.strerror}", hint="Name another file.") from None


def _case(suite: ElementTree.Element, name: str, job: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=f"ftbridge.evaluate.{job}", name=name, time="0")


def print_annotations(evaluation: Evaluation, failed: list[Failure]) -> None:
    """An error for each failure and a warning for each leak, on stderr, which GitHub reads too.

    The form is that of "Workflow commands for GitHub Actions" (docs.github.com).
    """
    for failure in failed:
        print_message(f"::error title={_TITLE}::{_escaped(failure.message)}")
    for leak in evaluation.leaks:
        print_message(f"::warning title={_TITLE}::{_escaped(warning(leak))}")


def _escaped(message: str) -> str:
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def write_step_summary(evaluation: Evaluation, failed: list[Failure]) -> None:
    """Append the scores and verdicts, as Markdown, to the file that GITHUB_STEP_SUMMARY names, where it is set.

    Raises `InputError` where that file cannot be written.
    """
    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if not file:
        return
    headers = [counted(evaluation.rows, "held-out row"), *HEADERS]
    lines = [f"### {_TITLE} {evaluation.job}: {'failed' if failed else 'passed'}", ""]
    lines += [_row(headers), _row(["---", *["---:"] * len(HEADERS)]), *map(_row, score_rows(evaluation)), ""]
    lines += [f"- **failed**: {failure.message}" for failure in failed]
    lines += [f"- {sentence(one, name_of_tuned(evaluation))} {verdict(one)}" for one in evaluation.comparisons]
    lines += [f"- warning: {warning(leak)}" for leak in evaluation.leaks]
    try:
        with Path(file).open("a", encoding="utf-8") as summary:
            summary.write(clean("\n".join(lines)) + "\n\n")
    except OSError as problem:
        hint = "It is the file of GITHUB_STEP_SUMMARY: unset that, or leave --github out."
        raise InputError(f"{file} cannot be written: {problem.strerror}", hint=hint) from None


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
