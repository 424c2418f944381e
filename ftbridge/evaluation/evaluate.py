"""Whether training helped: a tuned model on held-out rows, beside its base and other models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ftbridge.answers.able import check_answers
from ftbridge.arguments import one_or_more
from ftbridge.context import Context
from ftbridge.dataset import check
from ftbridge.dataset.canonical.example import Chat
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.reading.given import Given, check_command, given
from ftbridge.errors import DataError, UsageError
from ftbridge.evaluation.answering import answered
from ftbridge.evaluation.contestants import BASE, TUNED, base_contender, check_different, rival, tuned_contender
from ftbridge.evaluation.grading import scored
from ftbridge.evaluation.held_out import expected_calls, held_out_chats
from ftbridge.evaluation.leakage import leaks_into
from ftbridge.evaluation.measures import LOSS, Wanted, asker, check_measures, chosen_measures, named_measures
from ftbridge.evaluation.measuring import measured, used
from ftbridge.evaluation.prompting import choose_shots, with_prompt
from ftbridge.evaluation.results import Evaluation
from ftbridge.evaluation.row_files import check_row_file, write_rows
from ftbridge.evaluation.row_keys import taken_out
from ftbridge.evaluation.stored_evaluations import describe_data, keep
from ftbridge.evaluation.summing_up import evaluated_rows, model_scores, plain_scores
from ftbridge.evaluation.verdict import judge as verdicts
from ftbridge.jobs.listing import succeeded
from ftbridge.jobs.own_files import how_to_read
from ftbridge.model import Job
from ftbridge.wording import counted


def evaluate(
    context: Context,
    job: Job | str,
    data: Given,
    *,
    metrics: str | Sequence[str] = (),
    grader: Mapping[str, Any] | str | Path | None = None,
    judge: str | None = None,
    rubric: str | None = None,
    baseline: bool = False,
    against: Job | str | Sequence[Job | str] | None = None,
    margin: float = 0.05,
    cluster: str | None = None,
    format: str | None = None,  # noqa: A002 - the word users know
    map: Mapping[str, str] | None = None,  # noqa: A002 - likewise
    rows: str | Path | None = None,
    prompt: str | None = None,
    few_shot: int = 0,
    max_cost_usd: float | None = None,
    fresh: bool = False,
) -> Evaluation:
    """Score the tuned model on held-out rows, its base beside it with `baseline`, and other models with `against`.

    `data`, `format` and `map` are as those of `Bridge.check`; a file of the job is read as the job read it. `metrics`
    are names: exact, label, json, tools, text, judge, loss, or those of plugins. `grader` is an OpenAI grader, as an
    object or a JSON file. The target `judge` scores by the text `rubric`, in pairs where there are several models; it
    also answers for a grader's model. Where nothing of this is given, the metric is chosen by the rows. The first
    metric decides. `against` are jobs or targets.

    Each comparison has a verdict: better, no worse than by `margin`, worse, or not enough rows. Rows with the same
    value of the key `cluster` (a document, a conversation; `a.b` is a key in a key) are not taken for independent. The
    file `rows` (.jsonl, .csv or .parquet) gets each row with all answers and scores. The home keeps the evaluation for
    reports.

    The base is asked with `prompt` as its system message, and `few_shot` rows of the job's training file as examples.
    Answers that the ledger has are not asked again, unless `fresh`; all others may cost at most `max_cost_usd`, which
    does not cover what judges cost.

    Raises `DataError` for rows without an expected answer, `JobFailed` for a job without a model, `Unsupported` where a
    provider cannot answer such rows, and `OverBudget`; and, before any model is asked, `InputError` where `rows` cannot
    be written, and `UsageError` for a `margin` that is no share.
    """
    if not 0 <= margin <= 1:
        raise UsageError(f"margin = {margin} is not a share from 0 to 1", hint="Give 0.05 for five rows of a hundred.")
    if rows is not None:
        check_row_file(Path(rows))
    wanted = Wanted(one_or_more(metrics), grader, judge, rubric)
    named = named_measures(wanted)
    tuned_job = succeeded(context, job).job
    format, map = how_to_read(tuned_job.spec, data, format, map)  # noqa: A001 - the words users know
    with given(data, context.home, map, often=True) as file:
        with taken_out(file, cluster, context.home, format) as (read, values):
            chats = _checked_chats(read, format)
        leaks = leaks_into(chats, file, tuned_job.spec)
        described = describe_data(file)
    clusters = [values[line] for line in chats] if cluster else None
    shots = choose_shots(tuned_job.spec, chats.values(), few_shot) if few_shot else {}
    contenders = [tuned_contender(tuned_job, chats)]
    if baseline or prompt is not None or few_shot:
        contenders.append(base_contender(tuned_job, with_prompt(chats, prompt, [*shots.values()])))
    rivals = [rival(context, one, chats) for one in one_or_more(against or ())]
    contenders += rivals
    check_different(contenders)
    for one in contenders:
        check_answers(context.provider(one.target), (line for line, chat in chats.items() if expected_calls(chat)))
    provider = context.provider(contenders[0].target)
    measures, reason = (named, None) if named else chosen_measures(chats, provider)
    with asker(context, measures, judge, fresh=fresh) as grading:
        check_measures(measures, provider, grading)
        with_loss = any(one.name == LOSS for one in measures)
        models, counts = answered(context, contenders, losses=with_loss, max_cost_usd=max_cost_usd, fresh=fresh)
        found = [scored(one, [*chats.values()], models, grading) for one in measures]
    comparisons = verdicts([one for each in found for one in measured(each, TUNED, clusters, margin)])
    plain, other = plain_scores(found, models, chats, clusters), rivals[0].name if rivals else None
    evaluation = Evaluation(
        job=tuned_job.id,
        rival=other,
        rows=len(chats),
        cluster=cluster,
        clusters=len(set(clusters)) if clusters is not None else None,
        tuned=plain[TUNED],
        baseline=plain.get(BASE),
        against=plain[other] if other else None,
        paired=next((one for one in comparisons if (one.rival, one.metric) == (other, measures[0].name)), None),
        metrics=tuple(used(one, [*chats]) for one in found),
        chosen_because=reason,
        models=model_scores(found, models, contenders, clusters),
        comparisons=tuple(comparisons),
        leaks=tuple(leaks),
        answers=counts,
        shots=tuple(shots),
        row_results=evaluated_rows(found, models, chats),
    )
    told = {"judge": judge, "rubric": rubric, "prompt": prompt, "few_shot": few_shot, "format": format, "map": map}
    keep(context, evaluation, described, told)
    if rows is not None:
        write_rows(evaluation, Path(rows))
    return evaluation


def _checked_chats(data: Data, format: str | None) -> dict[int, Chat]:  # noqa: A002 - the word users know
    report = check(data, format=format)
    if report.errors:
        errors = counted(report.errors, "error")
        named = [f"--format {format}"] if format else []
        raise DataError(f"{data} has {errors}", hint=f"{check_command(data, *named)} lists them, line by line.")
    return held_out_chats(data, format)
