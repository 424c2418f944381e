"""Whether an evaluation lets a release pass, for people and for CI: JUnit XML, and GitHub's annotations and summary."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple
from xml.etree import ElementTree

from ftbridge.cli.output import clean, print_message
from ftbridge.cli.scores import score_headers, score_rows
from ftbridge.errors import InputError
from ftbridge.evaluation.in_words import metric_of, name_of_tuned, sentence, verdict, warnings
from ftbridge.evaluation.kinds import shown_score
from ftbridge.files import replacing
from ftbridge.wording import counted, printable

if TYPE_CHECKING:
    from ftbridge.evaluation.results import Evaluation

_TITLE = "ftbridge evaluate"


class Failure(NamedTuple):
    """Why the exit code is 1."""

    code: Literal["below_minimum", "worse"]
    message: str


def failures(evaluation: Evaluation, minima: Mapping[str, float]) -> list[Failure]:
    """Scores below their minimum, and models than which the tuned one is worse by the metric that decides."""
    found = [Failure("below_minimum", text) for name in minima if (text := _below(evaluation, name, minima[name]))]
    worse = [f"{name_of_tuned(evaluation)} is worse than {printable(rival, 200)}" for rival in evaluation.worse_than()]
    return found + [Failure("worse", message) for message in worse]


def _below(evaluation: Evaluation, name: str, minimum: float) -> str | None:
    """That a score is below its minimum, or that there is none; None where all is well."""
    kind, score = metric_of(evaluation, name).kind, evaluation.models[0].scores[name].score
    if score is not None and score >= minimum:
        return None
    shown = "no score" if score is None else shown_score(score, kind)
    return f"{printable(name)}: {shown} is below the minimum, {shown_score(minimum, kind)}"


def write_junit(evaluation: Evaluation, minima: Mapping[str, float], file: Path) -> None:
    """A test case for each minimum and one for each comparison; one that has too few rows is skipped.

    Answers that are missing are an error, in a test case of their own.

    Raises `InputError` where the file cannot be written.
    """
    suite = ElementTree.Element("testsuite", name=_TITLE)
    for name, minimum in minima.items():
        case = _case(suite, f"{name} at least {shown_score(minimum, metric_of(evaluation, name).kind)}", evaluation.job)
        if message := _below(evaluation, name, minimum):
            ElementTree.SubElement(case, "failure", message=clean(message))
    for one in evaluation.comparisons:
        case = _case(suite, clean(f"{one.metric} against {one.rival}"), evaluation.job)
        message = clean(f"{sentence(evaluation, one)} {verdict(evaluation, one)}")
        if one.verdict == "worse" and one.metric == evaluation.metrics[0].name:
            ElementTree.SubElement(case, "failure", message=message)
        elif one.verdict == "not enough rows":
            ElementTree.SubElement(case, "skipped", message=message)
        else:
            ElementTree.SubElement(case, "system-out").text = message
    if evaluation.missing:
        message = f"{counted(evaluation.missing, 'question')} got no answer: the same command asks again"
        ElementTree.SubElement(_case(suite, "all questions are answered", evaluation.job), "error", message=message)
    ElementTree.SubElement(suite, "system-err").text = "\n".join(map(clean, warnings(evaluation)))
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(1 for _ in suite.iter(tag))))
    try:
        with replacing(file) as temporary:
            ElementTree.ElementTree(suite).write(temporary, encoding="utf-8", xml_declaration=True)
    except OSError as problem:
        raise InputError(f"{file} cannot be written: {problem.strerror}", hint="Name another file.") from None


def _case(suite: ElementTree.Element, name: str, job: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=f"ftbridge.evaluate.{job}", name=name, time="0")


def print_annotations(evaluation: Evaluation, failed: list[Failure]) -> None:
    """An error for each failure, and each warning, on stderr, which GitHub reads too.

    The form is that of "Workflow commands for GitHub Actions" (docs.github.com).
    """
    for failure in failed:
        print_message(f"::error title={_TITLE}::{_escaped(failure.message)}")
    for text in warnings(evaluation):
        print_message(f"::warning title={_TITLE}::{_escaped(text)}")


def _escaped(message: str) -> str:
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def write_step_summary(evaluation: Evaluation, failed: list[Failure]) -> None:
    """Append the scores and verdicts, as Markdown, to the file that GITHUB_STEP_SUMMARY names, where it is set.

    Raises `InputError` where that file cannot be written.
    """
    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if not file:
        return
    headers = score_headers(evaluation)
    outcome = "failed" if failed else "incomplete" if evaluation.missing else "passed"
    lines = [f"### {_TITLE} {evaluation.job}: {outcome}", ""]
    lines += [_row(headers), _row(["---"] * len(headers)), *map(_row, score_rows(evaluation)), ""]
    lines += [f"- **failed**: {failure.message}" for failure in failed]
    lines += [f"- {sentence(evaluation, one)} {verdict(evaluation, one)}" for one in evaluation.comparisons]
    lines += [f"- warning: {text}" for text in warnings(evaluation)]
    try:
        with Path(file).open("a", encoding="utf-8") as summary:
            summary.write(clean("\n".join(lines)) + "\n\n")
    except OSError as problem:
        hint = "It is the file of GITHUB_STEP_SUMMARY: unset that, or leave --github out."
        raise InputError(f"{file} cannot be written: {problem.strerror}", hint=hint) from None


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
