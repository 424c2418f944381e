"""From what was asked about a row to the cause: the cases that no served model of the tests has."""

from __future__ import annotations

from typing import Any

import pytest

from ftbridge.provider.served import Answer, Prompt, Reference, ReferenceRow, ServedFacts, Token
from ftbridge.verification.answers import agree, judge
from ftbridge.verification.causes import causes_of
from ftbridge.verification.findings import Evidence

IDS = {"<s>": 1, "Hi": 2, "?": 3, "Yes": 4, "No": 5, ".": 6}
FACTS = ServedFacts(server="server", model="tuned")


def encode(text: str) -> tuple[Token, ...]:
    """A tokenizer of six tokens."""
    tokens = []
    while text:
        piece = next(piece for piece in IDS if text.startswith(piece))
        tokens.append(Token(id=IDS[piece], text=piece))
        text = text[len(piece) :]
    return tuple(tokens)


def answer(text: str, *, margin: float | None = None, **more: Any) -> Answer:
    """Its tokens have the logprob -0.5, and the alternative No with less by `margin`."""
    others = {} if margin is None else {IDS["No"]: -0.5 - margin}
    tokens = (token.model_copy(update={"logprob": -0.5, "alternatives": others}) for token in encode(text))
    return Answer(text=text, whole=text, tokens=tuple(tokens), ended=True, **more)


TRAINED = ReferenceRow(prompt=Prompt(text="<s>Hi?", ids=(1, 2, 3), count=3), answer=answer("Yes."))
REFERENCE = Reference(rows=(TRAINED,), bos="<s>", ends=("</s>",), encode=encode)


def found(facts: ServedFacts = FACTS, reference: Reference = REFERENCE, **asked: Any) -> list[str]:
    evidence = Evidence(**{"line": 1, "reference": reference.rows[0], "chat": answer("Yes."), **asked})
    return [finding.code for finding in judge(evidence, reference, facts).findings]


SAME = Prompt(text="<s>Hi?", ids=(1, 2, 3))


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        (Prompt(ids=(2, 3)), "bos_missing"),
        (Prompt(ids=(1, 1, 2, 3)), "bos_added"),
        (Prompt(text="Hi?", ids=(2, 3)), "bos_missing"),
        (Prompt(text="<s>Hi?", ids=(1, 1, 2, 3)), "bos_added"),
        (Prompt(text="<s>Hi?", ids=(1, 9)), "tokenizer"),
        (Prompt(text="<s>Hi", ids=(1, 2)), "template"),
        (Prompt(ids=(1, 2, 3, 6)), "template"),
    ],
)
def test_a_prompt_is_told_by_its_ids(prompt: Prompt, code: str) -> None:
    assert found(prompt=prompt, own_ids=(1, 2, 3)) == [code]


@pytest.mark.parametrize(
    ("text", "adds", "codes"),
    [
        ("Hi?", True, []),
        ("<s>Hi?", False, []),
        ("<s>Hi?", True, ["bos_added"]),
        ("Hi?", False, ["bos_missing"]),
    ],
)
def test_a_prompt_that_is_shown_as_text_may_get_its_opening_token_from_the_server(
    text: str, adds: bool, codes: list[str]
) -> None:
    facts = FACTS.model_copy(update={"adds_bos": adds})
    assert found(facts, prompt=Prompt(text=text), chat=answer("Yes.", prompt_count=3)) == codes


def test_as_many_tokens_of_the_same_text_are_the_same_and_more_are_another_tokenizers() -> None:
    facts = FACTS.model_copy(update={"adds_bos": True})
    assert found(facts, prompt=Prompt(text="Hi?"), chat=answer("Yes.", prompt_count=5)) == ["tokenizer"]


@pytest.mark.parametrize(("margin", "code"), [(0.02, "rounding"), (2.0, "weights"), (None, "weights")])
def test_where_two_tokens_are_as_good_as_equal_rounding_decides(margin: float | None, code: str) -> None:
    row = TRAINED.model_copy(update={"answer": answer("Yes.", margin=margin)})
    reference = REFERENCE.model_copy(update={"rows": (row,)})
    evidence = Evidence(line=1, reference=row, chat=answer("No."), prompt=SAME)
    verdict = judge(evidence, reference, FACTS)
    assert [finding.code for finding in verdict.findings] == [code]
    assert verdict.same == (code == "rounding")


def test_quantised_weights_are_no_rounding() -> None:
    facts = FACTS.model_copy(update={"quantisation": "Q4_K_M"})
    row = TRAINED.model_copy(update={"answer": answer("Yes.", margin=0.02)})
    reference = REFERENCE.model_copy(update={"rows": (row,)})
    assert found(facts, reference, chat=answer("No."), prompt=SAME) == ["quantisation"]


def test_the_answer_of_the_base_model_is_known_by_it() -> None:
    assert found(chat=answer("No."), base=answer("No."), prompt=SAME) == ["base_model"]
    assert found(chat=answer("No."), base=answer("Yes."), prompt=SAME) == ["weights"]


def test_a_wrong_template_and_wrong_weights_are_both_named() -> None:
    template = Prompt(text="<s>Hi", ids=(1, 2))
    assert found(chat=answer("No."), prompt=template, proceeded=answer("Yes.")) == ["template"]
    assert found(chat=answer("No."), prompt=template, proceeded=answer("No.")) == ["template", "weights"]


def test_nothing_is_blamed_where_nothing_can_be_known() -> None:
    alone = Reference(rows=(ReferenceRow(prompt=Prompt(), answer=Answer(text="Yes.")),))
    assert found(reference=alone, chat=Answer(text="No.")) == ["unexplained"]
    assert found(reference=alone, chat=Answer(text="Yes.")) == []


@pytest.mark.parametrize(
    ("served", "ended", "facts", "code"),
    [
        ("Yes.No", True, {}, "stop_tokens"),
        ("Yes", True, {"stops": (".",)}, "stops_early"),
        ("Yes", False, {}, "length_limit"),
    ],
)
def test_an_answer_that_only_ends_elsewhere(served: str, ended: bool, facts: dict[str, Any], code: str) -> None:
    chat = answer(served).model_copy(update={"ended": ended})
    evidence = Evidence(line=1, reference=TRAINED, chat=chat, prompt=SAME)
    verdict = judge(evidence, REFERENCE, FACTS.model_copy(update=facts))
    assert [finding.code for finding in verdict.findings] == [code]
    [cause] = causes_of([verdict], FACTS)
    assert cause.fix
    assert verdict.first
    assert verdict.first.before.startswith("Yes")


def test_answers_that_a_limit_has_cut_agree_as_far_as_they_go() -> None:
    cut = Answer(text="Yes", ended=False)
    assert agree(Answer(text="Yes.", ended=False), cut)
    assert not agree(Answer(text="Yes.", ended=True), cut)
    assert agree(Answer(text="Yes.", whole="<think>\n\n</think>\n\nYes."), Answer(text="<think>\n\n</think>\n\nYes."))


def test_a_gap_of_logprobs_is_measured_over_what_both_answers_begin_with() -> None:
    served = answer("YesNo")
    tokens = (served.tokens[0].model_copy(update={"logprob": -0.75}), served.tokens[1])
    evidence = Evidence(
        line=1, reference=TRAINED, chat=served.model_copy(update={"tokens": tokens}), prompt=SAME, neutral=None
    )
    assert judge(evidence, REFERENCE, FACTS).logprob_gap == 0.25
