"""Tokens are counted, or estimated with an error bar that holds."""

from __future__ import annotations

import base64
import hashlib
import inspect
import json
import random
import re
from pathlib import Path

import pytest

from ftbridge.dataset import TextCounter, count_tokens, guess, o200k, tokenizer_json
from ftbridge.dataset.canonical.example import Chat, Example, Text, User
from ftbridge.dataset.counting.counters import _O200K_SPLIT
from ftbridge.errors import InputError

NAME = "fb374d419588a4632f3f557e76b4b70aebbca790"
WORDS = TextCounter("words", lambda text: len(text.split()), per_message=0)


def write(folder: Path, count: int, seed: int = 0) -> Path:
    rng = random.Random(seed)
    path = folder / f"data{seed}.jsonl"
    with path.open("w") as file:
        for _ in range(count):
            letters = rng.choice(["abcdefgh", "αβγδεζηθ"])
            words = ["".join(rng.choices(letters, k=rng.randint(1, 12))) for _ in range(rng.randint(1, 60))]
            messages = [{"role": "user", "content": " ".join(words)}, {"role": "assistant", "content": "so be it"}]
            file.write(json.dumps({"messages": messages}) + "\n")
    return path


def test_an_exact_count_counts_every_example(tmp_path: Path) -> None:
    path = write(tmp_path, 50)
    truth = sum(
        len(message["content"].split())
        for row in path.read_text().splitlines()
        for message in json.loads(row)["messages"]
    )
    counted = count_tokens(path, WORDS, exact=True)
    assert (counted.tokens, counted.error, counted.examples, counted.counter) == (truth, 0.0, 50, "words")


def test_a_small_file_is_counted_whole(tmp_path: Path) -> None:
    path = write(tmp_path, 40)
    assert count_tokens(path, WORDS) == count_tokens(path, WORDS, exact=True)


def test_the_error_bar_holds_the_truth_nearly_always(tmp_path: Path) -> None:
    path = write(tmp_path, 3000)
    truth = count_tokens(path, WORDS, exact=True).tokens
    held = 0
    for seed in range(20):
        estimate = count_tokens(path, WORDS, sample=300, seed=seed)
        assert 0 < estimate.error < 0.1
        held += abs(estimate.tokens - truth) <= estimate.error * estimate.tokens
    assert held >= 17


def test_examples_beyond_the_limit_are_counted_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    rows = [
        {"messages": [{"role": "user", "content": "a " * n}, {"role": "assistant", "content": "b"}]}
        for n in (3, 500, 9)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert count_tokens(path, WORDS, limit=100).over == ((2, 501),)


def test_a_guess_says_how_far_off_it_may_be(tmp_path: Path) -> None:
    counted = count_tokens(write(tmp_path, 40), guess())
    assert counted.error >= 0.35
    assert "guess" in counted.counter


def vocabulary(folder: Path) -> tuple[Path, str]:
    path = folder / "tiny.tiktoken"
    tokens = [bytes([byte]) for byte in range(256)] + [b"ab"]
    path.write_bytes(b"".join(base64.b64encode(token) + f" {rank}\n".encode() for rank, token in enumerate(tokens)))
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def hello() -> Example:
    return Chat([User("abab c")])


def test_a_vocabulary_is_used_when_its_hash_is_right(tmp_path: Path) -> None:
    pytest.importorskip("tiktoken")
    path, sha256 = vocabulary(tmp_path)
    counter = o200k(path, sha256=sha256)
    assert counter is not None
    assert counter.count(hello()) == 4 + 4
    assert counter.error == 0


def test_another_vocabulary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="its SHA-256 differs"):
        o200k(vocabulary(tmp_path)[0])


def test_the_vocabulary_is_found_in_the_cache_of_tiktoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tiktoken")
    path, sha256 = vocabulary(tmp_path)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    assert o200k(sha256=sha256) is None
    path.rename(tmp_path / NAME)
    assert o200k(sha256=sha256) is not None


@pytest.mark.parametrize("folder", ["llama_index/core/_static/tiktoken_cache", "litellm/litellm_core_utils/tokenizers"])
def test_the_vocabulary_is_found_in_a_package_that_carries_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    pytest.importorskip("tiktoken")
    path, sha256 = vocabulary(tmp_path)
    carrier = tmp_path / "site" / folder
    carrier.mkdir(parents=True)
    (tmp_path / "site" / folder.partition("/")[0] / "__init__.py").write_text("raise SystemExit('it was imported')")
    path.rename(carrier / NAME)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert o200k(sha256=sha256) is not None


def test_a_file_of_that_name_with_another_hash_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / NAME).write_bytes(b"YQ== 0")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    assert o200k(sha256="0" * 64) is None


def test_the_pieces_are_those_of_tiktoken() -> None:
    source = inspect.getsource(pytest.importorskip("tiktoken_ext.openai_public").o200k_base)
    published = re.findall(r'r"""(.*?)""",', source)
    assert "|".join(published) == _O200K_SPLIT


def test_a_tokenizer_json_is_read(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0, "b": 1, "?": 2}, unk_token="?"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    path = tmp_path / "tokenizer.json"
    tokenizer.save(str(path))
    assert tokenizer_json(path).count(Chat([User("a b a")])) == 3 + 4


@pytest.mark.parametrize("content", [b"{}", b"\xff"])
def test_what_is_no_tokenizer_is_refused(tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("tokenizers")
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not a valid tokenizer"):
        tokenizer_json(path)


def test_a_missing_vocabulary_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        o200k(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("text", "tokens"), [("antidisestablishmentarianism", 6), ("2 + 2 = 4", 7), ("お誕生日おめでとう", 8)]
)
def test_the_real_vocabulary_gives_the_published_counts(text: str, tokens: int) -> None:
    """The counts of "How to count tokens with tiktoken" (OpenAI's cookbook, 2024), where the vocabulary is at hand."""
    pytest.importorskip("tiktoken")
    counter = o200k()
    if counter is None:
        pytest.skip("o200k_base is not on this machine")
    assert counter.count(Text(text)) == tokens


def test_images_that_are_not_counted_are_told(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    answer = {"role": "assistant", "content": 'no, "type":"image_url" is a text'}
    questions: list[object] = [[image, image], "no image", [{"type": "text", "text": "a"}, image]]
    rows = [{"messages": [{"role": "user", "content": question}, answer]} for question in questions]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [count_tokens(path, WORDS, exact=exact).without_images for exact in (True, False)] == [2, 2]
    seeing = TextCounter("words", lambda text: len(text.split()))
    seeing.images = True
    assert count_tokens(path, seeing).without_images == 0
