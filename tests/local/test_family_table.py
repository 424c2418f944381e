"""The table of families: a tiny model of each architecture learns eight rows by heart, and is then asked for them.

A cell is run, or says why it is not: the code with which the form is refused. `pytest tests/local/test_family_table.py
-p no:xdist -s` prints the table; with FTBRIDGE_EVERY_CASE=1 it has all families.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import torch
import transformers as _transformers

from every_case import EVERY_CASE
from ftbridge.dataset.canonical.example import Chat
from ftbridge.errors import SpecError
from ftbridge.evaluation.held_out import questions_of
from ftbridge.graders.item import expected_answer
from ftbridge_local.exporting import gguf_file
from ftbridge_local.exporting.modelfile import modelfile
from ftbridge_local.models.find import find
from ftbridge_local.models.load import load
from ftbridge_local.tokenizing.encoding import encode, prompt_ids
from ftbridge_local.tokenizing.messages import UntrainableError
from ftbridge_local.tokenizing.tokenizer import Tokenizer
from local.family_cells import EXPECTED
from local.go_templates import render
from local.lab import Lab
from local.members import MEMBERS, Member, make_member

transformers: Any = _transformers  # half of its functions have no types

SOME = ("Llama 3.1",)
MOST = 120  # tokens of an answer
SETTINGS: dict[str, Any] = {
    "epochs": 60,
    "batch_size": 8,
    "learning_rate": 1e-2,
    "lora_rank": 32,
    "lora_dropout": None,
    "seed": 1,
}
THINGS = ["door", "boat"]
SEARCH = {
    "type": "function",
    "function": {
        "name": "search",
        "description": "Finds things.",
        "parameters": {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]},
    },
}
CALL = {"id": "call00001", "type": "function", "function": {"name": "search", "arguments": '{"q": "red shoes"}'}}


def turns(*texts: str, **last: Any) -> list[dict[str, Any]]:
    """The user and the assistant in turn; `last` is more of the last message."""
    messages: list[dict[str, Any]] = [
        {"role": ("user", "assistant")[index % 2], "content": text} for index, text in enumerate(texts)
    ]
    messages[-1] |= last
    return messages


FORMS: dict[str, dict[str, Any]] = {
    "system": {"messages": [{"role": "system", "content": "Be brief."}, *turns("Why so?", "It is.")]},
    "turns": {"messages": turns("Paint the bridge.", "The bridge is red.", "And the old house?", "It is white now.")},
    "reasoning": {"messages": turns("Which lamp?", "The green lamp.", reasoning_content="A lamp, then.")},
    "calls": {"messages": turns("Seek red shoes.", "", tool_calls=[CALL])},
    "declared": {"messages": turns("Find red shoes.", "", tool_calls=[CALL]), "tools": [SEARCH]},
    "tools": {
        "messages": [
            *turns("Find red shoes.", "", tool_calls=[CALL]),
            {"role": "tool", "content": '{"found": 3}', "tool_call_id": "call00001"},
            {"role": "assistant", "content": "There are three."},
        ],
        "tools": [SEARCH],
    },
}
CALLS = ("calls", "declared")
COLUMNS = ("ids", "mask", "end", "loss", "rows", "stop", *FORMS, "merged", "ollama", "gguf")


class Trained(NamedTuple):
    """A member's model that has learned its rows: `refused` are the forms that its template has not, with codes."""

    lab: Lab
    tag: str
    base: Path
    tokenizer: Tokenizer
    rows: dict[str, dict[str, Any]]
    refused: dict[str, str]

    def chats(self) -> dict[str, Chat]:
        return {name: msgspec.convert(row, Chat) for name, row in self.rows.items()}

    def answers(self) -> list[Chat]:  # those that end with a text
        return [chat for name, chat in self.chats().items() if name not in CALLS]


@pytest.fixture(scope="module")
def table() -> Iterator[dict[str, dict[str, str]]]:
    cells: dict[str, dict[str, str]] = {}
    yield cells
    lines = [("", *COLUMNS), *((name, *(row.get(column, "?") for column in COLUMNS)) for name, row in cells.items())]
    text = "\n".join(f"{line[0]:14}" + "".join(f"{cell:>11}" for cell in line[1:]) for line in lines)
    print(f"\n{text}")  # noqa: T201 - shown with -s


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """More of them only wait for each other at matrices this small."""
    monkeypatch.setattr("ftbridge_local.models.load.use_all_cores", lambda: torch.set_num_threads(1))


@pytest.mark.parametrize("name", MEMBERS if EVERY_CASE else SOME)
def test_a_family(name: str, lab: Lab, tmp_path: Path, table: dict[str, dict[str, str]]) -> None:
    cells = table[name] = {}
    made = learn(name, MEMBERS[name], lab, tmp_path)
    cells |= dict.fromkeys(FORMS, "ok") | made.refused
    for column in ("ids", "mask", "end", "loss", "rows", "stop", "merged", "ollama", "gguf"):
        cells[column] = CHECKS[column](made)
    assert {column: cell for column, cell in cells.items() if cell != "ok"} == EXPECTED.get(name, {})


def learn(name: str, member: Member, lab: Lab, folder: Path) -> Trained:
    base = make_member(folder / "base", member, folder)
    tokenizer = Tokenizer(base)
    rows = {thing: {"messages": turns(f"Paint the {thing}.", f"The {thing} is painted.")} for thing in THINGS}
    refused = {}
    for form, row in FORMS.items():
        try:
            encode(msgspec.convert(row, Chat), tokenizer)
            rows[form] = row
        except UntrainableError as problem:
            refused[form] = problem.code.removeprefix("template_") if problem.fix else "no fix"
    for thing in ("chair", "fence", "flute", "kettle", "lantern", "table")[: 8 - len(rows)]:
        rows[thing] = {"messages": turns(f"Paint the {thing}.", f"The {thing} is painted.")}
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows.values()), "utf-8")
    tag = f"table-{folder.name}"
    lab.train(tag, model=str(base), training=file, **SETTINGS)
    assert lab.poll(tag).status == "succeeded", lab.poll(tag).error
    return Trained(lab, tag, base, tokenizer, rows, refused)


def ids_are_those_of_transformers(made: Trained) -> str:
    """In the prompt that is asked with, which the trained row begins with."""
    theirs: Any = transformers.AutoTokenizer.from_pretrained(made.base)
    for chat, row in zip(made.chats().values(), made.rows.values(), strict=True):
        asked = json.loads(json.dumps(row["messages"][:-1]))
        for call in (call for message in asked for call in message.get("tool_calls", ())):
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
        expected = theirs.apply_chat_template(asked, tools=row.get("tools"), add_generation_prompt=True)["input_ids"]
        prompt = prompt_ids(Chat(messages=chat.messages[:-1], tools=chat.tools), made.tokenizer)
        assert prompt == expected
    return "ok"


def trained_text(made: Trained, chat: Chat) -> str:
    row = encode(chat, made.tokenizer)
    return made.tokenizer.decode(
        [token for token, trained in zip(row.ids, row.trained, strict=True) if trained], special=True
    )


def without_special(made: Trained, text: str) -> str:
    return made.tokenizer.decode(made.tokenizer.encode(text)[0])


def answers_alone_are_trained(made: Trained) -> str:
    for name, chat in made.chats().items():
        text, messages = trained_text(made, chat), made.rows[name]["messages"]
        assert messages[-1]["content"] in text
        assert not any(message["content"] in text for message in messages if message["role"] in ("user", "system"))
        row = encode(chat, made.tokenizer)
        prompt = prompt_ids(Chat(messages=chat.messages[:-1], tools=chat.tools), made.tokenizer)
        last = len(row.trained) - row.trained[::-1].index(True)
        begin = last - row.trained[:last][::-1].index(False)
        assert (row.ids[:begin], begin) == (prompt, len(prompt))
    return "ok"


def the_end_is_trained(made: Trained) -> str:
    for chat in made.chats().values():
        row = encode(chat, made.tokenizer)
        last = len(row.trained) - 1 - row.trained[::-1].index(True)
        assert row.ids[last] in made.tokenizer.end_ids
    return "ok"


def the_loss_goes_down(made: Trained) -> str:
    losses = [train for train, _valid in made.lab.losses(made.tag).values() if train is not None]
    assert losses[-1] < 0.05 < 1 < losses[0], losses[-1]
    return "ok"


def model(made: Trained) -> str:
    result = made.lab.poll(made.tag).result
    assert result is not None
    assert result.model is not None
    return result.model


def it_knows_its_rows(made: Trained) -> str:
    assert knows_its_rows(made, model(made))
    return "ok"


def knows_its_rows(made: Trained, name: str) -> bool:
    chats = dict(enumerate(made.answers()))
    replies = made.lab.provider.replies(name, questions_of(chats))
    return all(reply.text.strip() == expected_answer(chats[index]) for index, reply in enumerate(replies))


def answers_end(made: Trained) -> str:
    chats = made.chats()
    asked = [Chat(messages=chat.messages[:-1], tools=chat.tools) for chat in chats.values()]
    for name, reply in zip(chats, made.lab.provider.replies(model(made), asked, max_tokens=MOST), strict=True):
        assert reply.finish_reason == "stop"
        assert reply.reasoning == made.rows[name]["messages"][-1].get("reasoning_content")
        if name in CALLS:
            assert reply.text.strip() in without_special(made, trained_text(made, chats[name]))
            assert "red shoes" in reply.text
    return "ok"


def merged_is_adapter(made: Trained) -> str:
    out = made.base.parent / "merged"
    out.mkdir()
    made.lab.provider.export(made.tag, "merged", out)
    home = made.lab.provider.home
    ids = torch.tensor([encode(chat, made.tokenizer).ids[:16] for chat in made.chats().values()][:4])
    with torch.no_grad():
        adapted = load(find(model(made), home, weights=True))(ids).logits
        merged = load(find(str(out), home, weights=True))(ids).logits
    torch.testing.assert_close(merged, adapted, rtol=1e-3, atol=1e-3)
    ends = json.loads((out / "generation_config.json").read_bytes())["eos_token_id"]
    assert (ends if isinstance(ends, list) else [ends]) == made.tokenizer.end_ids
    assert knows_its_rows(made, str(out))
    return "ok"


def ollama_writes_the_same(made: Trained) -> str:
    try:
        file = modelfile(made.tokenizer)
    except SpecError as problem:
        return "refused" if problem.hint else "no hint"
    template = file.split('TEMPLATE """', 1)[1].split('"""', 1)[0]
    theirs: Any = transformers.AutoTokenizer.from_pretrained(made.base)
    bos = made.tokenizer.bos if made.tokenizer.bos_ids else ""  # which Ollama puts before the prompt by itself
    for name, row in made.rows.items():
        if (name in ("tools", *CALLS) and ".Tools" not in template) or (name == "system" and "for a system" in file):
            continue
        asked = json.loads(json.dumps(row["messages"][:-1]))
        for call in (call for message in asked for call in message.get("tool_calls", ())):
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
        expected = theirs.apply_chat_template(asked, tools=row.get("tools"), add_generation_prompt=True, tokenize=False)
        today = datetime.now().strftime("%Y-%m-%d")
        assert bos + render(template, asked, row.get("tools"), today) == expected
    return "ok" if ".Tools" in template or "tools" in made.refused else "no tools"


def the_file_has_the_same_weights(made: Trained) -> str:
    try:
        gguf_file.check(made.base)
    except SpecError as problem:
        return "refused" if problem.hint else "no hint"
    out = made.base.parent / "gguf"
    out.mkdir()
    made.lab.provider.export(made.tag, "gguf", out)
    here = load(find(str(made.base.parent / "merged"), made.lab.provider.home, weights=True))
    # transformers knows files of Mistral's models as Llama's
    kind = here.config.model_type.replace("mistral", "llama")
    config = transformers.AutoConfig.for_model(**here.config.to_dict() | {"model_type": kind})
    there = transformers.AutoModelForCausalLM.from_pretrained(
        out, gguf_file="model.gguf", config=config, dtype=torch.float32
    ).eval()
    ids = torch.tensor([encode(chat, made.tokenizer).ids[:16] for chat in made.chats().values()][:4])
    with torch.no_grad():
        torch.testing.assert_close(there(ids).logits, here(ids).logits, rtol=1e-4, atol=1e-4)
    return "ok"


CHECKS = {
    "ids": ids_are_those_of_transformers,
    "mask": answers_alone_are_trained,
    "end": the_end_is_trained,
    "loss": the_loss_goes_down,
    "rows": it_knows_its_rows,
    "stop": answers_end,
    "merged": merged_is_adapter,
    "ollama": ollama_writes_the_same,
    "gguf": the_file_has_the_same_weights,
}
