"""The sample that `demo` trains on."""

from __future__ import annotations

import json
import runpy
from itertools import islice
from pathlib import Path
from random import Random

from ftbridge.dataset import check, read_examples
from ftbridge.dataset.canonical.example import Assistant, Chat
from ftbridge.sample import sample_files

MAKE = runpy.run_path(str(Path(__file__).with_name("make_sample.py")))


def chats(file: Path) -> list[Chat]:
    return [example for _line, example in read_examples(file) if isinstance(example, Chat)]


def test_its_files_are_sound() -> None:
    for file in sample_files():
        assert check(file).findings == ()


def test_no_ticket_is_in_two_files() -> None:
    texts = [[chat.messages[1].content for chat in chats(file)] for file in sample_files()]
    everything = [text for part in texts for text in part]
    assert len(set(map(str, everything))) == len(everything) == sum(MAKE["SIZES"].values())


def test_every_answer_is_json_of_the_same_keys() -> None:
    keys = set()
    for file in sample_files():
        for chat in chats(file):
            answer = chat.messages[-1]
            assert isinstance(answer, Assistant)
            keys.add(tuple(json.loads(str(answer.content))))
    assert keys == {("category", "priority")}


def test_it_can_be_made_again_from_its_seed() -> None:
    rows = MAKE["tickets"](Random(MAKE["SEED"]))
    for file, size in zip(sample_files(), MAKE["SIZES"].values(), strict=True):
        made = [json.dumps(row, ensure_ascii=False) for row in islice(rows, size)]
        assert file.read_text("utf-8").splitlines() == made
