"""`Bridge.verify`: the same rows asked of the trained model and of the one that is served, greedily."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ftbridge.context import Context
from ftbridge.dataset.canonical.example import Chat
from ftbridge.dataset.reading.given import Given
from ftbridge.errors import InvalidRequest, MissingExtra, UsageError
from ftbridge.jobs.listing import succeeded
from ftbridge.jobs.results import tuned_model
from ftbridge.ledger import Record
from ftbridge.model import Job
from ftbridge.plugins import provider_names
from ftbridge.provider import Provider
from ftbridge.provider.completions import chat_body, read_chat
from ftbridge.provider.served import Answer, Prompt, Reference, ReferenceRow, ServedKind, Server
from ftbridge.target import parse_target
from ftbridge.verification.answers import agree, asks_for_base, judge
from ftbridge.verification.causes import causes_of
from ftbridge.verification.findings import Evidence, Verification
from ftbridge.verification.questions import questions_of

_NEUTRAL = {"repetition_penalty": 1.0, "repeat_penalty": 1.0, "frequency_penalty": 0.0, "presence_penalty": 0.0}
_ENDED = {"stop": True, "length": False}
_BASE_ROWS = 2  # rows with another answer for which the base model is asked too


def verify(
    context: Context,
    job: Job | str,
    *,
    at: str | None = None,
    ollama: str | None = None,
    gguf: str | Path | None = None,
    folder: str | Path | None = None,
    model: str | None = None,
    rows: Given | None = None,
    limit: int = 8,
    max_tokens: int = 128,
    greedy_only: bool = False,
    map: Mapping[str, str] | None = None,  # noqa: A002 - the word users know
) -> Verification:
    """Whether the model that is served is the one that the job trained: prompts token by token, and greedy answers.

    One of `at` (the URL of a server with OpenAI's API, which may have several models: `model` names one), `ollama` (a
    model's name there), `gguf` (a file) and `folder` (an export, or what `fetch` wrote) says what is served. `rows` are
    chats to ask about, by default those that the job was validated on or trained on; the first `limit` are asked, each
    for `max_tokens` tokens at most. Unless `greedy_only`, each is also asked without a temperature, as many clients do.

    Raises `UsageError` where it is not said what is served, or there are no rows; `NetworkError` where the server
    cannot be reached; `ProviderError` where it refuses, or answers with something else.
    """
    kind, where = _what_is_served(at=at, ollama=ollama, gguf=gguf, folder=folder)
    record = succeeded(context, job)
    chats = questions_of(context, record.job, rows, limit, map)
    samples = not greedy_only and kind in ("at", "ollama")  # what is loaded here is always greedy
    with _server(context, record, kind, where, model) as server:
        facts = server.facts()  # before any slow work: it may not be there at all
        provider = context.provider_of(record)
        bodies = [chat_body(chat, {"max_tokens": max_tokens}) for chat in chats.values()]
        asked = [read_chat(body) for body in bodies]  # without what a request does not hold, such as weights
        reference = _reference(provider, tuned_model(record.job), asked, max_tokens)
        evidence = [
            _ask(server, line, body, own, samples=samples)
            for line, body, own in zip(chats, bodies, reference.rows, strict=True)
        ]
        verdicts = [judge(one, reference, facts) for one in evidence]
        unclear = [index for index, verdict in enumerate(verdicts) if asks_for_base(verdict)][:_BASE_ROWS]
        if unclear:
            target, again = parse_target(record.job.target), [asked[index] for index in unclear]
            base = _reference(provider, target.model, again, max_tokens)
            for index, row in zip(unclear, base.rows, strict=True):
                evidence[index] = evidence[index].model_copy(update={"base": row.answer})
                verdicts[index] = judge(evidence[index], reference, facts)
    return Verification(
        job=record.job.id,
        served=facts,
        same=all(verdict.same for verdict in verdicts),
        rows=tuple(verdicts),
        causes=causes_of(verdicts, facts),
        not_compared=(*_not_compared(reference, evidence, provider.name), *facts.limits),
    )


def _what_is_served(**given: str | Path | None) -> tuple[ServedKind, str]:
    named = {kind: str(where) for kind, where in given.items() if where is not None}
    if len(named) != 1:
        raise UsageError(
            "it is not said what is served" if not named else f"{' and '.join(named)} are given, and one is verified",
            hint="Give one of --at URL, --ollama NAME, --gguf FILE, or --folder FOLDER for an export.",
        )
    [(kind, where)] = named.items()
    return kind, where  # type: ignore[return-value]  # the keywords above are the kinds


@contextmanager
def _server(context: Context, record: Record, kind: ServedKind, where: str, model: str | None) -> Iterator[Server]:
    """The served model, opened by a provider that knows how."""
    for name in dict.fromkeys([record.provider, *provider_names()]):
        try:
            provider = context.provider_named(name)
        except MissingExtra:
            continue
        verifier = provider.verifier() if "verifier" in provider.capabilities.verbs else None
        if verifier and kind in verifier.kinds:
            server = verifier.open_server(kind, where, model)
            try:
                yield server
            finally:
                server.close()
            return
    raise UsageError(f"no installed provider can ask {kind}", hint="Install ftbridge[local].")


def _reference(provider: Provider, model: str, chats: list[Chat], max_tokens: int) -> Reference:
    """What the model reads and answers; of a provider that tells no more, the answers alone."""
    if "verifier" in provider.capabilities.verbs:
        return provider.verifier().reference(model, chats, max_tokens=max_tokens)
    replies = provider.replies(model, chats, temperature=0.0, max_tokens=max_tokens)
    answers = (Answer(text=one.text, ended=_ENDED.get(one.finish_reason or "")) for one in replies)
    return Reference(rows=tuple(ReferenceRow(prompt=Prompt(), answer=answer) for answer in answers))


def _ask(server: Server, line: int, body: dict[str, Any], own: ReferenceRow, *, samples: bool) -> Evidence:
    """What the server says about a row; what only explains a difference is asked where there is one."""
    greedy = {**body, "temperature": 0.0}
    prompt = server.prompt(body)
    chat = server.chat(greedy)
    evidence = Evidence(line=line, reference=own, chat=chat, prompt=prompt)
    found: dict[str, Any] = {}
    ids = prompt.ids if prompt else None
    count = len(ids) if ids is not None else chat.prompt_count
    text, trained = own.prompt.text, own.prompt.ids or ()
    if text is not None and ids != trained and (ids is not None or count != len(trained)):
        found["own_ids"] = server.tokenize(text)
    if not agree(own.answer, chat):
        found["neutral"] = _neutral(server, greedy)
        if text is not None:
            found["proceeded"] = server.proceed(own.prompt, body["max_tokens"])
    if samples:
        found["by_default"] = server.chat(body)
    return evidence.model_copy(update=found)


def _neutral(server: Server, greedy: dict[str, Any]) -> Answer | None:
    try:
        return server.chat({**greedy, **_NEUTRAL})
    except InvalidRequest:  # strict servers refuse options that they do not have
        return None


def _not_compared(reference: Reference, evidence: list[Evidence], provider: str) -> Iterator[str]:
    if any(row.prompt.ids is None for row in reference.rows):
        yield f"Prompts: {provider} does not tell which tokens its models read, so only answers are compared."
    elif all((one.prompt or Prompt()).ids is None for one in evidence):
        if any((one.prompt or Prompt()).text is not None for one in evidence):
            return
        counted = any(one.chat.prompt_count for one in evidence)
        how = "so only their number is compared" if counted else "so only answers are compared"
        yield f"Token ids of prompts: the server does not tell them, {how}."
