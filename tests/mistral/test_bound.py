"""A guess of tokens may be wrong by any amount; the bound that limits are held against is not."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

from ftbridge.dataset import count_tokens, guess
from small_data import write_rows

TEXTS = {
    "English": "Where is my order? It was to arrive on Monday, and nobody has told me anything since.",
    "German": "Wo bleibt meine Bestellung? Am Montag hätte die Waschmaschinenanschlussgarnitur da sein sollen.",
    "Russian": "Где мой заказ? Он должен был прийти в понедельник.",
    "Chinese": "我的订单在哪里？它本应在星期一到达。",
    "Japanese": "注文はどこですか。月曜日に届くはずでした。",
    "Hindi": "मेरा ऑर्डर कहाँ है? इसे सोमवार को आना था।",
    "Thai": "คำสั่งซื้อของฉันอยู่ที่ไหน ควรจะมาถึงวันจันทร์",
    "Arabic": "أين طلبي؟ كان من المفترض أن يصل يوم الاثنين.",
    "Amharic": "ትዕዛዜ የት ነው? ሰኞ መድረስ ነበረበት።",
    "code": "def f(x):\n\treturn {'a': [1, 2.5e-3], **x} if x else None  # \\o/\n",
    "digits": "31415926535897932384626433832795028841971693993751",
    "punctuation": "?!;:.,-_#'+*~<>|@€µ^°\"§$%&/()=?`´{[]}\\",
    "base64": base64.b64encode(bytes(range(256))).decode(),
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈🇳🇴🧑🏽‍🚀",
    "an unknown script": "𐎠𐎭𐎶𐏐𐎭𐎠𐎼𐎹𐎺𐎢𐏁",
    "one letter": "a",
    "nothing": "",
}


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("turns", [1, 20])
def test_no_text_has_more_tokens_than_the_bound(tmp_path: Path, language: str, turns: int) -> None:
    tokenizer: Any = MistralTokenizer.v3(is_tekken=True).instruct_tokenizer.tokenizer
    text = TEXTS[language]
    turn = [{"role": "user", "content": text or "?"}, {"role": "assistant", "content": text or "!"}]
    file = write_rows(tmp_path / "rows.jsonl", [{"messages": turn * turns}] * 3)
    texts = 3 * 2 * turns * len(tokenizer.encode(text, bos=False, eos=False))
    around = 3 * 2 * turns * 8  # more than any published template puts around a message
    counted = count_tokens(file, guess())
    assert counted.at_most is not None
    assert texts + around <= counted.at_most


def test_tools_are_within_the_bound(tmp_path: Path) -> None:
    shape = {"type": "object", "properties": {}}
    tools = [{"type": "function", "function": {"name": f"f{n}", "parameters": shape}} for n in range(5)]
    chat = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    file = write_rows(tmp_path / "rows.jsonl", [{"messages": chat, "tools": tools}])
    counted = count_tokens(file, guess())
    assert counted.at_most is not None
    assert counted.at_most >= len(json.dumps(tools, separators=(",", ":")))


def test_images_that_nobody_counts_leave_no_bound(tmp_path: Path) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    chat = [{"role": "user", "content": [image]}, {"role": "assistant", "content": "a"}]
    assert count_tokens(write_rows(tmp_path / "rows.jsonl", [{"messages": chat}]), guess()).at_most is None
