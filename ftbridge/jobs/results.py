"""What a finished job gives: files to fetch, forms to export, a model that answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, Unpack

from ftbridge.arguments import ChatOptions
from ftbridge.context import Context
from ftbridge.dataset.canonical.example import Chat
from ftbridge.errors import JobFailed, JobNotFound, TargetError, Unsupported
from ftbridge.jobs.fetching import fetch_whole
from ftbridge.jobs.listing import refresh, succeeded
from ftbridge.model import Checkpoint, Job, Result
from ftbridge.provider import Provider, Reply
from ftbridge.provider.capabilities import ExportForm
from ftbridge.provider.completions import as_chat, chat_body, check_options, text_of_chunk
from ftbridge.target import Target, parse_target

Prompt: TypeAlias = str | Chat | Sequence[Mapping[str, Any]]

_LOSSES = ("train_loss", "valid_loss", "valid_reward")


def fetch(context: Context, job: Job | str, out: str | Path) -> Result:
    """Write what the finished job gives as the folder `out`. Raises `JobFailed` if it gives nothing.

    Raises `InputError` where the folder holds anything else than this job's result.
    """
    record = succeeded(context, job)
    return fetch_whole(record.job, context.provider_of(record).fetch, Path(out).absolute())


def export(context: Context, job: Job | str, out: str | Path, *, form: ExportForm = "merged") -> Result:
    """Write the result as the folder `out` in a form that other programs take, with a model card.

    Raises as `fetch` does, and `Unsupported` for a job of another provider than this machine.
    """
    record = context.record(job)
    provider = context.provider_of(record)
    if "export" not in provider.capabilities.verbs:
        raise _not_exported(provider, record.job)
    record = succeeded(context, record.job)
    out = Path(out).absolute()
    return fetch_whole(record.job, lambda job, folder: provider.export(job, form, folder), out, form)


def checkpoints(context: Context, job: Job | str) -> list[Checkpoint]:
    """The checkpoints that the provider keeps of the job, oldest first, with the losses at their steps where known.

    Raises `Unsupported` for a provider without checkpoints that can be used.
    """
    record = context.record(job)
    provider = context.provider_of(record)
    if "checkpoints" in provider.capabilities.verbs and record.job.remote_id is None:
        raise JobFailed(f"job {record.job.id} never reached {record.provider}", hint="It has no checkpoints.")
    refresh(context, record.job)
    measured: dict[int, dict[str, float]] = {}
    for _number, event in context.ledger.events(record.job.id):
        if event.kind == "metric" and event.step is not None:
            known = {name: getattr(event, name) for name in _LOSSES if getattr(event, name) is not None}
            measured.setdefault(event.step, {}).update(known)
    saved = provider.checkpoints(record.job.remote_id or "")
    return [one.model_copy(update=_missing(one, measured.get(one.step, {}))) for one in saved]


def _missing(checkpoint: Checkpoint, measured: Mapping[str, float]) -> dict[str, float]:
    """The losses that the vendor does not give with the checkpoint."""
    return {name: value for name, value in measured.items() if getattr(checkpoint, name) is None}


def chat(
    context: Context, job: Job | str, prompt: Prompt, *, system: str | None = None, **options: Unpack[ChatOptions]
) -> Reply:
    """The tuned model's answer to one prompt, or to a whole chat: a list of messages as OpenAI has them.

    Raises `SpecError` for an option that does not exist, and `InputError` for messages that cannot be read.
    """
    asked, body = as_chat(prompt, system), check_options(options)
    record = succeeded(context, job)
    return context.provider_of(record).chat(tuned_model(record.job), asked, **body)


def stream(
    context: Context, job: Job | str, prompt: Prompt, *, system: str | None = None, **options: Unpack[ChatOptions]
) -> Iterator[str]:
    """The same answer in pieces, as the model writes it; in one piece where the provider cannot stream."""
    body = chat_body(as_chat(prompt, system), check_options(options))
    record = succeeded(context, job)
    chunks = context.provider_of(record).stream(tuned_model(record.job), body)
    return filter(None, map(text_of_chunk, chunks))


def _not_exported(provider: Provider, job: Job) -> Unsupported:
    """What to do instead, by whether the vendor lets the weights go."""
    if provider.capabilities.gives_weights:
        return Unsupported(
            f"{provider.name} gives the weights of {job.id} as they are; only local: exports in other forms",
            provider=provider.name,
            hint=f"`ftbridge fetch {job.id} --out FOLDER` downloads them, for peft and transformers.",
        )
    return Unsupported(
        f"{provider.name} keeps the weights of {job.id} to itself, so there is nothing to export",
        provider=provider.name,
        hint=f"`ftbridge chat {job.id}` talks to it; `ftbridge migrate {job.id} --to local:MODEL` trains one to keep.",
    )


class Model(NamedTuple):
    """A model that can be asked, as its provider calls it: that of a target, or the one that a `job` made."""

    target: Target
    name: str
    job: Job | None = None


def find_model(context: Context, given: Job | str) -> Model:
    """The model of a job, or of a target.

    Raises `JobNotFound` for what is neither, `TargetError` where only a target can be meant, and `JobFailed` for a job
    that made no model.
    """
    try:
        job = succeeded(context, given).job
    except JobNotFound as problem:
        try:
            target = context.target(str(given))
        except TargetError as no_target:
            raise (no_target if ":" in str(given) else problem) from None
        return Model(target, target.model)
    return Model(parse_target(job.target), tuned_model(job), job)


def tuned_model(job: Job) -> str:
    """The id of the model that the job made. Raises `JobFailed` where it made none."""
    if job.result is None or job.result.model is None:
        raise JobFailed(f"job {job.id} gave no model that can be called", hint="Fetch its files instead.")
    return job.result.model
