"""Whether training helped: a tuned model on held-out rows, beside its base and other jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Literal

from ftbridge.answers import AnswerCounts
from ftbridge.context import Context
from ftbridge.dataset import check
from ftbridge.dataset.canonical.example import Chat
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.reading.given import Given, check_command, given
from ftbridge.errors import DataError, UsageError
from ftbridge.evaluation.asking import Contender, ask_all
from ftbridge.evaluation.clusters import Clusters, of_rows
from ftbridge.evaluation.differences import mean_difference, share_difference
from ftbridge.evaluation.leakage import Leak, leaks_into
from ftbridge.evaluation.prompting import choose_shots, with_prompt
from ftbridge.evaluation.row_keys import taken_out
from ftbridge.evaluation.scores import RowScore, Score, held_out_chats, losses_of, score, score_rows, write_rows
from ftbridge.evaluation.verdict import Comparison, Measured, judge
from ftbridge.files import require_folder_of
from ftbridge.jobs.listing import succeeded
from ftbridge.jobs.results import tuned_model
from ftbridge.model import Frozen, Job
from ftbridge.target import parse_target
from ftbridge.wording import counted

BASE: Literal["base"] = "base"
TUNED: Literal["tuned"] = "tuned"


class Evaluation(Frozen):
    """The score of a job's tuned model and, on request, of its base model and of another job, `rival`.

    `comparisons` are of the tuned model with each of them, by exact answers and by loss; `paired` is the one by exact
    answers with `rival`. Of rows that share a value of the key `cluster`, `clusters` is the number of values. `leaks`
    are reasons why the held-out rows may flatter the model. `answers` says for each model what became of the questions,
    and `shots` are the lines of the training file that the base had as examples.
    """

    job: str
    rival: str | None = None
    rows: int
    cluster: str | None = None
    clusters: int | None = None
    tuned: Score
    baseline: Score | None = None
    against: Score | None = None
    paired: Comparison | None = None
    comparisons: tuple[Comparison, ...] = ()
    leaks: tuple[Leak, ...] = ()
    answers: tuple[AnswerCounts, ...] = ()
    shots: tuple[int, ...] = ()

    def worse_than(self) -> list[str]:
        """The rivals than which the tuned model gives fewer exact answers, for certain and by more than the margin."""
        return [one.rival for one in self.comparisons if (one.metric, one.verdict) == ("exact_match", "worse")]


def evaluate(
    context: Context,
    job: Job | str,
    data: Given,
    *,
    baseline: bool = False,
    against: Job | str | None = None,
    margin: float = 0.05,
    cluster: str | None = None,
    map: Mapping[str, str] | None = None,  # noqa: A002 - the word users know
    rows: Path | None = None,
    prompt: str | None = None,
    few_shot: int = 0,
    max_cost_usd: float | None = None,
    fresh: bool = False,
) -> Evaluation:
    """Score the tuned model on held-out chats, and its base beside it with `baseline`.

    `data` and `map` are as those of `Bridge.check`. With `against`, another job, on the same rows. Each comparison has
    a verdict: better, no worse than by `margin`, a share of exact answers, worse, or not enough rows. Rows with the
    same value of the key `cluster` (a document, a conversation; `a.b` is a key in a key) are not taken for independent.
    The file `rows` gets a JSON line for each row with the tuned model's answer, as `RowScore` has it.

    The base is asked with `prompt` as its system message, and `few_shot` rows of the job's training file as examples.
    Answers that the ledger has are not asked again, unless `fresh`; all others may cost at most `max_cost_usd`.

    Raises `DataError` for a file with anything else, `JobFailed` for a job without a model, and `OverBudget`; and,
    before any model is asked, `InputError` where `rows` cannot be written, and `UsageError` for a `margin` that is no
    share.
    """
    if not 0 <= margin <= 1:
        raise UsageError(f"margin = {margin} is not a share from 0 to 1", hint="Give 0.05 for five rows of a hundred.")
    if rows is not None:
        require_folder_of(rows)
    tuned_job = succeeded(context, job).job
    other = succeeded(context, against).job if against else None
    with given(data, context.home, map, often=True) as file:
        with taken_out(file, cluster, context.home) as (read, values):
            chats = _checked_chats(read)
        leaks = leaks_into(chats, file, tuned_job.spec.data)
    clusters = [values[line] for line in chats] if cluster else None
    shots = choose_shots(tuned_job.spec.data, chats.values(), few_shot) if few_shot else {}
    contenders = [_contender(tuned_job, chats, TUNED)]
    if baseline or prompt is not None or few_shot:
        target = parse_target(tuned_job.target)
        prompted = with_prompt(chats, prompt, [*shots.values()])
        contenders.append(Contender(BASE, target, target.model, prompted, tuned=False))
    if other is not None:
        contenders.append(_contender(other, chats, other.id))
    answers = ask_all(context, contenders, max_cost_usd=max_cost_usd, fresh=fresh)
    scored = {
        one.name: score_rows(context.provider(one.target), one.model, one.chats, answers[one.name].answers)
        for one in contenders
    }
    tuned, rivals = scored[TUNED], {name: theirs for name, theirs in scored.items() if name != TUNED}
    if rows is not None:
        write_rows(tuned, rows)
    for name, rows_scored in ((tuned_job.id, tuned), *rivals.items()):
        _warn_of_lost(context, name, rows_scored)
    measured = [_measured(name, theirs, tuned, clusters, margin) for name, theirs in rivals.items()]
    comparisons = judge([*chain.from_iterable(measured)])
    scores = {name: score(theirs, clusters) for name, theirs in rivals.items()}
    rival = other.id if other else None
    return Evaluation(
        job=tuned_job.id,
        rival=rival,
        rows=len(chats),
        cluster=cluster,
        clusters=len(set(clusters)) if clusters is not None else None,
        tuned=score(tuned, clusters),
        baseline=scores.get(BASE),
        against=scores[rival] if rival else None,
        paired=next((one for one in comparisons if (one.rival, one.metric) == (rival, "exact_match")), None),
        comparisons=tuple(comparisons),
        leaks=tuple(leaks),
        answers=tuple(one.counts for one in answers.values()),
        shots=tuple(shots),
    )


def _contender(job: Job, chats: Mapping[int, Chat], name: str) -> Contender:
    return Contender(name, parse_target(job.target), tuned_model(job), chats)


def _checked_chats(data: Data) -> dict[int, Chat]:
    report = check(data)
    if report.errors:
        errors = counted(report.errors, "error")
        raise DataError(f"{data} has {errors}", hint=f"{check_command(data)} lists them, line by line.")
    return held_out_chats(data)


def _warn_of_lost(context: Context, name: str, rows: Sequence[RowScore]) -> None:
    """Warn of a model with losses that are no numbers."""
    if lost := [row.line for row in rows if row.loss is None and row.tokens]:
        what = f"the loss of {name} is no number for {counted(len(lost), 'row')}, the first on line {lost[0]}"
        context.warn(f"{what}, and is left out there: its weights may be damaged, or too large for their type")


def _measured(
    rival: str, old: Sequence[RowScore], new: Sequence[RowScore], clusters: Clusters, margin: float
) -> list[Measured]:
    """The difference of exact answers and, where both models count the same tokens, that of the losses."""
    before, after = ([row.correct for row in rows] for rows in (old, new))
    measured = [Measured("exact_match", rival, share_difference(before, after, clusters), len(new), margin)]
    (losses_before, tokens_before), (losses_after, tokens) = losses_of(old), losses_of(new)
    if tokens and tokens_before == tokens:
        of_loss = of_rows(clusters, [index for index, row in enumerate(new) if row.loss is not None])
        found = mean_difference(losses_before, losses_after, weights=tokens, clusters=of_loss)
        measured.append(Measured("loss", rival, found, len(tokens), sign=-1))
    return measured
