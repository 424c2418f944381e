"""Whether a server's prompt is the one that was trained, and if not, which part of the server makes it another."""

from __future__ import annotations

from ftbridge.provider.served import Prompt, Reference, ServedFacts
from ftbridge.verification.findings import Code, Comparison, Evidence, Finding, FirstDifference
from ftbridge.verification.texts import difference, inserted, of_ids
from ftbridge.wording import counted, printable

Compared = tuple[Comparison, Finding | None, FirstDifference | None]


def compare_prompts(evidence: Evidence, reference: Reference, facts: ServedFacts) -> Compared:
    """By ids where both are known, else by texts and by how many tokens there are."""
    trained, served = evidence.reference.prompt, evidence.prompt or Prompt()
    if trained.text is None or trained.ids is None:
        return "unknown", None, None
    count = len(served.ids) if served.ids is not None else served.count or evidence.chat.prompt_count
    if served.ids == trained.ids:
        return "same", None, None
    if facts.context and len(trained.ids) >= facts.context and (count is None or count < len(trained.ids)):
        detail = f"{counted(len(trained.ids), 'token')} of a prompt, and room for {facts.context:,}"
        return "different", Finding(code="context", detail=detail), None
    if served.text is not None and _without(served.text, reference.bos) != _without(trained.text, reference.bos):
        finding = _other_text(trained.text, served.text, facts)
        return "different", finding, _in_texts(trained.text, served.text, reference)
    if opening := _opening(trained, served, count, reference, facts):
        return "different", Finding(code=opening), _first(evidence, reference, served)
    if served.ids is None and count is None:
        return ("same" if served.text is not None else "unknown"), None, None
    if served.ids is None and count == len(trained.ids):
        return "same", None, None
    same_text = served.text is not None or (evidence.own_ids is not None and not _own(evidence, reference))
    detail = "" if served.ids is not None else f"{counted(count or 0, 'token')} instead of {len(trained.ids):,}"
    finding = Finding(code="tokenizer" if same_text else "template", detail=detail)
    return "different", finding, _first(evidence, reference, served)


def _opening(
    trained: Prompt, served: Prompt, count: int | None, reference: Reference, facts: ServedFacts
) -> Code | None:
    """Whether all that differs is the token that opens the text."""
    ours = trained.ids or ()
    if served.ids is not None:
        if served.ids == ours[1:] and reference.bos and (trained.text or "").startswith(reference.bos):
            return "bos_missing"
        return "bos_added" if served.ids[1:] == ours else None
    if served.text is None:
        return None
    opens, shown = ((text or "").startswith(reference.bos) for text in (trained.text, served.text))
    opens, shown = (bool(reference.bos) and opens), (bool(reference.bos) and shown)
    if facts.adds_bos is not None:
        extra = int(shown) + int(facts.adds_bos) - int(opens)
    elif count is not None:
        extra = count - len(ours)
    else:
        return None
    return "bos_added" if extra == 1 else "bos_missing" if extra == -1 else None


def _own(evidence: Evidence, reference: Reference) -> bool:
    """Whether the server's tokenizer makes the reference's tokens of the reference's text."""
    ours, own = evidence.reference.prompt.ids or (), evidence.own_ids or ()
    opens = bool(reference.bos) and (evidence.reference.prompt.text or "").startswith(reference.bos)
    return own in (ours, ours[1:] if opens else ours) or own[1:] == ours


def _other_text(trained: str, served: str, facts: ServedFacts) -> Finding:
    extra, missing = inserted(trained, served), inserted(served, trained)
    if facts.system and facts.system in served and facts.system not in trained:
        return Finding(code="template", detail=f"it adds the system message {printable(repr(facts.system))}")
    if extra:
        return Finding(code="template", detail=f"it adds {printable(repr(extra), 100)}")
    return Finding(code="template", detail=f"it leaves out {printable(repr(missing), 100)}" if missing else "")


def _in_texts(trained: str, served: str, reference: Reference) -> FirstDifference:
    if not served.startswith(reference.bos):  # the server adds that token itself
        trained = _without(trained, reference.bos)
    return difference("prompt", trained, served, reference.encode)


def _first(evidence: Evidence, reference: Reference, served: Prompt) -> FirstDifference | None:
    text = evidence.reference.prompt.text or ""
    if served.ids is None or reference.encode is None:
        return None
    return of_ids(reference.encode(text), served.ids)


def _without(text: str, bos: str) -> str:
    return text.removeprefix(bos) if bos else text
