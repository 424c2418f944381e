"""From facts to one HTML document that loads nothing and runs nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC
from importlib.metadata import version
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ftbridge.answers import AnswerCounts
from ftbridge.evaluation.contestants import BASE
from ftbridge.evaluation.in_words import warnings
from ftbridge.evaluation.stored_evaluations import StoredEvaluation
from ftbridge.jobs.curves import LOSSES, REWARDS, read_curves
from ftbridge.model import now
from ftbridge.report.advice import what_to_add
from ftbridge.report.chart import Chart, draw
from ftbridge.report.facts import METHODS, Facts, cost_in_short, duration, facts_of, moment
from ftbridge.report.gather import JobFacts
from ftbridge.report.labels import Labels, labels_of
from ftbridge.report.rows import Rows, changed, failed
from ftbridge.report.scores import ScoreRow, Verdict, judged, model_names, score_rows
from ftbridge.report.texts import safe
from ftbridge.wording import counted, dollars

_TEMPLATES = "templates"
_LONGEST, _LONGEST_OPTION = 10_000, 500  # characters: of any text, and of an option such as a prompt


class EvaluationView(NamedTuple):
    """What a report shows of an evaluation."""

    verdict: Verdict
    scores: Sequence[ScoreRow]
    about: Facts
    warnings: Sequence[str]
    labels: Labels | None
    changed: Sequence[Rows]
    failed: Rows
    to_add: Sequence[str]


class JobView(NamedTuple):
    """What a report shows of a job; `key` is unique among the jobs of the report, for links."""

    key: str
    series: int
    title: str
    target: str
    status: str
    summary: str
    figures: Facts
    facts: Mapping[str, Facts]
    evaluation: EvaluationView | None
    to_evaluate: str


def render(jobs: Sequence[JobFacts]) -> str:
    """The document."""
    titles = _titles(jobs)
    views = [_view(number, title, facts) for number, (title, facts) in enumerate(zip(titles, jobs, strict=True))]
    environment = Environment(
        loader=PackageLoader("ftbridge.report", _TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    source = environment.loader.get_source(environment, "report.css")[0]  # type: ignore[union-attr]  # it is set above
    style = Markup(source)  # noqa: S704 - a file of ours
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    return environment.get_template("report.html").render(
        title=titles[0] if len(titles) == 1 else f"{len(titles)} jobs compared",
        jobs=views,
        charts=_charts(titles, jobs),
        notes=_notes(jobs),
        style=style,
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        written=moment(now().astimezone(UTC)),
        version=version("ftbridge"),
    )


def _finalize(value: Any) -> Any:
    """Make every text safe that a template writes, but for markup of its own; none is endless."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return safe(value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…")


def _titles(jobs: Sequence[JobFacts]) -> list[str]:
    """The name of each job, or its id where it has none, or another job has the same."""
    names = [facts.job.name for facts in jobs]
    return [facts.job.name if names.count(facts.job.name) == 1 and facts.job.name else facts.job.id for facts in jobs]


def _view(number: int, title: str, facts: JobFacts) -> JobView:
    job = facts.job
    rows = "" if facts.training.rows is None else counted(facts.training.rows, "row")
    data = f"{facts.training.name.rpartition('/')[2]}{f', {rows}' if rows else ''}"
    evaluation = _evaluation(facts, facts.evaluated) if facts.evaluated else None
    scores = evaluation.scores if evaluation else ()
    deciding = [row for row in scores if row.metric == scores[0].metric][:2]
    figures = {
        **{f"{row.metric}, {row.model}": row.score for row in deciding},
        "training rows": "" if facts.training.rows is None else f"{facts.training.rows:,}",
        "took": duration(job),
        "cost": cost_in_short(job.cost),
    }
    return JobView(
        f"job-{number + 1}",
        number % 6,
        title,
        job.target,
        str(job.status),
        f"{METHODS.get(job.spec.method, job.spec.method)} on {data}",
        {name: value for name, value in figures.items() if value},
        facts_of(facts),
        evaluation,
        f"ftbridge evaluate {job.id} HELDOUT.jsonl --baseline",
    )


def _evaluation(facts: JobFacts, stored: StoredEvaluation) -> EvaluationView:
    evaluation, head = stored.evaluation, stored.head
    tuned, names = evaluation.models[0].name, model_names(evaluation)
    groups = changed(evaluation, names)
    about = {
        "held-out file": f"{head.data} ({counted(evaluation.rows, 'row')})",
        "SHA-256": head.sha256,
        "evaluated": moment(head.at),
        "by": f"ftbridge {head.version}" if head.version else "",
        "scored by": ", ".join(metric.name for metric in evaluation.metrics),
        "because": evaluation.chosen_because or "",
        "asked": "\n".join(_asked(counts, names) for counts in evaluation.answers),
        **{name.replace("_", "-"): str(value)[:_LONGEST_OPTION] for name, value in head.options.items()},
    }
    return EvaluationView(
        judged(evaluation, names),
        score_rows(evaluation, {**names, BASE: "base", tuned: "tuned"}),
        {name: value for name, value in about.items() if value},
        warnings(evaluation),
        labels_of(evaluation),
        groups,
        failed(evaluation, names, groups),
        what_to_add(evaluation, facts.training.answers),
    )


def _asked(counts: AnswerCounts, names: Mapping[str, str]) -> str:
    """How many answers a model gave, what became of the others, and what they cost."""
    parts = [counted(counts.questions, "question")]
    parts += [f"{count} {what}" for what, count in counts.others.items()]
    parts += [dollars(counts.cost_usd)] if counts.cost_usd else []
    return f"{names.get(counts.model, counts.model)}: {', '.join(parts)}"


def _charts(titles: Sequence[str], jobs: Sequence[JobFacts]) -> list[Chart]:
    found = []
    for title, unit, fields in (("Loss", "nats per token", LOSSES), ("Reward", "mean score", REWARDS)):
        curves = {name: read_curves(facts.events, fields) for name, facts in zip(titles, jobs, strict=True)}
        found.append(draw(title, unit, curves))
    return [chart for chart in found if chart]


def _notes(jobs: Sequence[JobFacts]) -> list[str]:
    """Why jobs beside each other may not be held against each other."""
    files = {facts.evaluated.head.sha256 for facts in jobs if facts.evaluated}
    notes = []
    if len(files) > 1:
        notes.append("The jobs were scored on different held-out files, so their scores cannot be compared.")
    if len({facts.training.sha256 for facts in jobs}) > 1:
        notes.append("The jobs were trained on different files.")
    if len({facts.job.target.partition(":")[2] for facts in jobs}) > 1:
        notes.append("Models with different tokenizers have losses on different scales.")
    return notes
