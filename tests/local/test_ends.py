"""Train, then ask: a tiny model memorises eight rows and gives each answer, ended, whatever its template writes.

The end of an answer is the token that the trained rows end with, here and in what is written.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from every_case import EVERY_CASE
from ftbridge.dataset import read_examples
from ftbridge.dataset.canonical.example import Assistant, Chat, User
from ftbridge.provider.completions import chat_body, text_of_chunk
from ftbridge_local.models.tiny import base as tiny
from ftbridge_local.tokenizing.encoding import encode, prompt_ids
from ftbridge_local.tokenizing.tokenizer import Tokenizer
from local.lab import Data, Lab

MOST = 40  # tokens of an answer
TURNS = "{% for m in messages %}{{ '<|' + m.role + '|>' + BEFORE + m.content + '<|end|>\n' }}{% endfor %}"
ASSISTANT = "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
THOUGHT = "('<think>\n' + m.reasoning_content | default('') + '\n</think>\n\n' if m.role == 'assistant' else '')"
SOME = ("an end that is not the tokenizer's", "nothing after the answer")
TEMPLATES = {
    "an end that is not the tokenizer's": TURNS.replace("BEFORE", "''") + ASSISTANT,
    "nothing after the answer": "{% for m in messages %}{{ m.role + ':\n' + m.content + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant:\n' }}{% endif %}",
    "a prompt that ends with a space": "{% for m in messages %}{{ m.role + ': ' + m.content + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}",
    "an empty thought": TURNS.replace("BEFORE", THOUGHT) + ASSISTANT,
    "a prompt that opens a thought": TURNS.replace("BEFORE + m.content", "m.content.split('</think>')[-1]")
    + ASSISTANT.replace("|>'", "|><think>\n'"),
}
THINGS = ["door", "boat", "fence", "lantern", "table", "chair", "old house", "bridge"]


@pytest.fixture
def memorised(lab: Lab, tmp_path: Path) -> Callable[..., tuple[str, Path, Data]]:
    """A model with that template, trained until it knows eight rows by heart: its job's tag, base, and the rows."""

    def train(template: str, thoughts: bool = False, **settings: Any) -> tuple[str, Path, Data]:
        base, file = tmp_path / "base", tmp_path / "rows.jsonl"
        shutil.copytree(tiny.complete_folder(lab.provider.home), base)
        (base / "chat_template.jinja").write_text(template)
        (base / "generation_config.json").unlink()
        config = {**json.loads((base / "config.json").read_bytes()), "eos_token_id": tiny.SPECIAL.index(tiny.PAD)}
        (base / "config.json").write_text(json.dumps(config))
        known = json.loads((base / "tokenizer_config.json").read_bytes())
        (base / "tokenizer_config.json").write_text(json.dumps({**known, "eos_token": tiny.PAD}))
        rows = [
            {
                "messages": [
                    {"role": "user", "content": f"Paint the {thing}."},
                    {"role": "assistant", "content": f"The {thing} is painted."}
                    | ({"reasoning_content": f"A {thing}."} if thoughts else {}),
                ]
            }
            for thing in THINGS
        ]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        tag = f"ends-{tmp_path.name}"
        lab.train(tag, model=str(base), training=file, **{"epochs": 40, "batch_size": 4, "seed": 1, **settings})
        assert lab.poll(tag).status == "succeeded", lab.poll(tag).error
        return tag, base, Data(file, file)

    return train


def replies(lab: Lab, tag: str, data: Data) -> list[tuple[Chat, Any]]:
    chats = [example for _line, example in read_examples(data.training) if isinstance(example, Chat)]
    result = lab.poll(tag).result
    assert result is not None
    asked = [Chat(messages=chat.messages[:-1]) for chat in chats]
    return list(zip(chats, lab.provider.replies(str(result.model), asked, max_tokens=MOST), strict=True))


@pytest.mark.parametrize("form", TEMPLATES if EVERY_CASE else SOME)
def test_a_model_that_knows_its_rows_gives_each_answer_and_ends(
    form: str, lab: Lab, memorised: Callable[..., tuple[str, Path, Data]]
) -> None:
    tag, _base, data = memorised(TEMPLATES[form])
    for chat, reply in replies(lab, tag, data):
        assert reply.text.strip() == chat.messages[-1].content
        assert reply.reasoning is None
        assert reply.usage.completion_tokens < MOST


def test_reasoning_is_told_apart_from_the_answer(lab: Lab, memorised: Callable[..., tuple[str, Path, Data]]) -> None:
    tag, _base, data = memorised(TEMPLATES["a prompt that opens a thought"], thoughts=True)
    pairs = replies(lab, tag, data)
    for chat, reply in pairs:
        last: Any = chat.messages[-1]
        assert (reply.reasoning, reply.text.strip()) == (last.reasoning_content, last.content)
    chat, reply = pairs[0]
    result: Any = lab.poll(tag).result
    body = chat_body(Chat(messages=chat.messages[:-1]), {"max_tokens": MOST})
    message = lab.provider.complete(result.model, body)["choices"][0]["message"]
    assert message["reasoning_content"] == reply.reasoning
    chunks = list(lab.provider.stream(result.model, body))
    assert "".join(map(text_of_chunk, chunks)) == reply.text
    thoughts = [chunk["choices"][0]["delta"].get("reasoning_content") for chunk in chunks]
    assert [thought for thought in thoughts if thought] == [reply.reasoning]


def test_what_is_written_ends_where_the_rows_do(lab: Lab, memorised: Callable[..., tuple[str, Path, Data]]) -> None:
    tag, base, data = memorised(
        TEMPLATES["an end that is not the tokenizer's"], epochs=1, tuning="full", learning_rate=1e-4
    )
    generation = json.loads((lab.folder(tag).result / "generation_config.json").read_bytes())
    assert generation["eos_token_id"] == [tiny.SPECIAL.index(tiny.PAD), tiny.SPECIAL.index(tiny.END)]
    tokenizer = Tokenizer(base)
    [(_line, example), *_] = read_examples(data.training)
    assert isinstance(example, Chat)
    row = encode(example, tokenizer)
    ends = [token for token, trained in zip(row.ids, row.trained, strict=True) if trained][-1]
    assert ends == tiny.SPECIAL.index(tiny.END)
    assert ends in generation["eos_token_id"]


def test_an_end_that_is_added_is_told(tokenizer_with: Callable[..., Tokenizer]) -> None:
    tokenizer = tokenizer_with(TEMPLATES["nothing after the answer"])
    row = encode(Chat(messages=[User(content="Hi."), Assistant(content="Hello!")]), tokenizer)
    assert row.notes == ("end_token_added",)
    assert (row.ids[-1], row.trained[-1]) == (tokenizer.eos_id, True)


def test_no_token_goes_from_the_prompt_into_the_answer(tokenizer_with: Callable[..., Tokenizer]) -> None:
    """A row begins with the very tokens that the model is asked with."""
    tokenizer = tokenizer_with(TEMPLATES["a prompt that ends with a space"], special=["<|end|>"], eos="<|end|>")
    asked = User(content="Where is it?")
    prompt = prompt_ids(Chat(messages=[asked]), tokenizer)
    whole, _ = tokenizer.encode(tokenizer.decode(prompt, special=True) + "the end")
    assert whole[: len(prompt)] != prompt  # of the whole text, the first word would have the space in its token
    row = encode(Chat(messages=[asked, Assistant(content="the end")]), tokenizer)
    assert row.ids[: len(prompt)] == prompt
    assert [token for token, trained in zip(row.ids, row.trained, strict=True) if trained] == row.ids[len(prompt) :]
