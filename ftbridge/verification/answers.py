"""Whether a served answer is the trained one, and if not, what makes it another."""

from __future__ import annotations

from ftbridge.provider.served import Answer, Reference, ServedFacts, Token
from ftbridge.verification.findings import Code, Comparison, Evidence, Finding, FirstDifference, RowVerdict
from ftbridge.verification.prompts import compare_prompts
from ftbridge.verification.texts import common, difference
from ftbridge.wording import printable

NEAR_TIE = 0.1
"""Nats by which the best two tokens may differ for a reduced precision, such as bfloat16, to choose the other one."""
_OF_WEIGHTS: frozenset[Code] = frozenset({"quantisation", "base_model", "weights", "unexplained"})


def judge(evidence: Evidence, reference: Reference, facts: ServedFacts) -> RowVerdict:
    """The verdict on a row, by everything that was asked about it."""
    trained = evidence.reference.answer
    prompt, why, first = compare_prompts(evidence, reference, facts)
    findings = [why] if why else []
    answer: Comparison = "same" if agree(trained, evidence.chat) else "different"
    if answer == "different":
        first = first or _first("answer", trained, evidence.chat, reference)
        if why is None:
            findings.append(_why(evidence, reference, facts, prompt))
        elif evidence.proceeded is not None and not agree(trained, evidence.proceeded):
            # the prompt is not all that differs: its own answer to the trained prompt is another one, too
            findings.append(_of_model(evidence, evidence.proceeded, reference, facts))
    elif facts.quantisation:
        findings.append(Finding(code="quantisation", detail=facts.quantisation, decisive=False))
    if evidence.by_default is not None and not agree(evidence.chat, evidence.by_default):
        findings.append(Finding(code="sampling_defaults", detail=_sampling(facts)))
        first = first or _first("default answer", evidence.chat, evidence.by_default, reference)
    elif facts.sampling.get("temperature"):
        findings.append(Finding(code="sampling_defaults", detail=_sampling(facts), decisive=False))
    return RowVerdict(
        line=evidence.line,
        prompt=prompt,
        answer=answer,
        findings=tuple(findings),
        first=first,
        logprob_gap=_gap(trained, evidence.chat) if prompt != "different" else None,
    )


def asks_for_base(verdict: RowVerdict) -> bool:
    """Whether the base model's answer would tell more."""
    return any(finding.code in _OF_WEIGHTS and finding.decisive for finding in verdict.findings)


def agree(one: Answer, other: Answer) -> bool:
    """Whether both are the same answer, as far as the shorter of them goes where a limit has cut it."""
    for first, second in ((one.text, other.text), (one.whole or one.text, other.whole or other.text)):
        ours, theirs = first.strip(), second.strip()
        if ours == theirs:
            return True
        if one.ended is False and other.ended is False and (ours.startswith(theirs) or theirs.startswith(ours)):
            return bool(ours and theirs)
    return (one.whole or "").strip() == other.text.strip() != ""


def _why(evidence: Evidence, reference: Reference, facts: ServedFacts, prompt: Comparison) -> Finding:
    """Why the answer differs, though the prompt is the same, or is not known to be another."""
    trained, chat, proceeded = evidence.reference.answer, evidence.chat, evidence.proceeded
    compared = evidence.prompt is not None and (evidence.prompt.ids or evidence.prompt.text) is not None
    if not (prompt == "same" and compared) and proceeded is not None and agree(trained, proceeded):
        return Finding(code="template", detail="the trained prompt, sent as it is, gets the trained answer")
    if evidence.neutral is not None and agree(trained, evidence.neutral):
        return Finding(code="penalties", detail=_penalties(facts))
    if stop := _by_end(trained, chat, reference, facts):
        return stop
    ours = evidence.reference.prompt
    if facts.context and ours.ids and len(ours.ids) + len(trained.tokens) > facts.context:
        return Finding(code="context", detail=f"prompt and answer have room for {facts.context:,} tokens")
    found = _of_model(evidence, proceeded or chat, reference, facts)
    if found.code == "weights" and prompt == "unknown" and proceeded is None:
        return Finding(code="unexplained")
    return found


def _by_end(trained: Answer, served: Answer, reference: Reference, facts: ServedFacts) -> Finding | None:
    """Whether both begin as one, and only end at different places."""
    ours, theirs = (trained.whole or trained.text).strip(), (served.whole or served.text).strip()
    if theirs.startswith(ours) and trained.ended:
        ends = f" after {reference.ends[0]}" if reference.ends else ""
        detail = f"it goes on{ends} with {printable(repr(theirs[len(ours) :].strip()), 40)}"
        return Finding(code="stop_tokens", detail=detail)
    if not ours.startswith(theirs):
        return None
    if served.ended is False:
        return Finding(code="length_limit", detail=f"{len(served.tokens)} tokens" if served.tokens else "")
    rest = ours[len(theirs) :]
    stop = next((stop for stop in facts.stops if stop and rest.lstrip().startswith(stop.strip())), None)
    return Finding(code="stops_early", detail=f"at {printable(repr(stop or rest.lstrip()[:20]))}")


def _of_model(evidence: Evidence, served: Answer, reference: Reference, facts: ServedFacts) -> Finding:
    """The cause where the same prompt leads to another answer."""
    trained = evidence.reference.answer
    if evidence.base is not None and agree(evidence.base, served) and not agree(evidence.base, trained):
        return Finding(code="base_model")
    if facts.quantisation:
        return Finding(code="quantisation", detail=facts.quantisation)
    margin = _margin(trained, served, reference)
    if margin is not None and margin < NEAR_TIE:
        return Finding(code="rounding", detail=f"{margin:.3f} nats apart", decisive=False)
    return Finding(code="weights")


def _margin(trained: Answer, served: Answer, reference: Reference) -> float | None:
    """By how many nats the trained model prefers its own token to the server's, where they part."""
    if reference.encode is None or not trained.tokens:
        return None
    first = _first("answer", trained, served, reference)
    if first is None or first.index is None or first.served is None or first.index >= len(trained.tokens):
        return None
    ours = trained.tokens[first.index]
    theirs = ours.alternatives.get(first.served.id) if first.served.id is not None else None
    return None if theirs is None or ours.logprob is None else ours.logprob - theirs


def _first(where: str, trained: Answer, served: Answer, reference: Reference) -> FirstDifference | None:
    whole = trained.whole is not None and (served.whole is not None or served.text.startswith(trained.whole[:1]))
    ours = trained.whole if whole and trained.whole is not None else trained.text
    theirs = served.whole or served.text
    if common(ours, theirs) == len(ours) == len(theirs):
        return None
    return difference("answer" if where == "answer" else "default answer", ours, theirs, reference.encode, served)


def _gap(trained: Answer, served: Answer) -> float | None:
    """The largest difference of a token's logprob, over the tokens that both answers begin with."""
    pairs: list[tuple[Token, Token]] = []
    for ours, theirs in zip(trained.tokens, served.tokens, strict=False):
        if ours.text != theirs.text:
            break
        pairs.append((ours, theirs))
    gaps = [
        abs(ours.logprob - theirs.logprob)
        for ours, theirs in pairs
        if ours.logprob is not None and theirs.logprob is not None
    ]
    return max(gaps, default=None)


def _sampling(facts: ServedFacts) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in facts.sampling.items() if name != "repetition_penalty")


def _penalties(facts: ServedFacts) -> str:
    known = ("repetition_penalty", "frequency_penalty", "presence_penalty")
    return ", ".join(f"{name} {facts.sampling[name]:g}" for name in known if name in facts.sampling)
