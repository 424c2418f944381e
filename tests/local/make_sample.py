"""Writes ftbridge/sample/*.jsonl: tickets to the support of a shop that does not exist, and their triage as JSON.

    python tests/local/make_sample.py

Every ticket is put together from the phrases below by a seed, so that anybody can see what is in the sample and make
it again. No text stands in two of the files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

FOLDER = Path(__file__).parents[2] / "ftbridge" / "sample"
SIZES = {"support_train": 400, "support_validation": 40, "support_heldout": 60}
SEED = 7
TASK = "Sort this ticket, as JSON."

PRODUCTS = "kettle toaster lamp heater blender speaker headphones camera vacuum printer".split()
PROBLEMS = {
    "delivery": [
        "My {product} has not arrived yet.",
        "Tracking has not moved for a week and I am still waiting for my {product}.",
        "The courier left the {product} at the wrong address.",
        "Where is my {product}? It was due on Tuesday.",
    ],
    "billing": [
        "You charged me twice for the {product}.",
        "The invoice for the {product} shows the wrong amount.",
        "My voucher was not taken off the price of the {product}.",
        "My card was billed for a {product} that I never ordered.",
    ],
    "fault": [
        "The {product} stopped working after two days.",
        "My {product} does not switch on any more.",
        "There is a smell of burning whenever I use the {product}.",
        "The {product} came out of the box with a crack in it.",
    ],
    "account": [
        "I cannot log in to register my {product}.",
        "The password mail never comes, so I cannot see the order of my {product}.",
        "Please change the email address on the account that I bought the {product} with.",
        "My account is locked since I registered the {product}.",
    ],
    "question": [
        "Is the {product} sold in green as well?",
        "How many years of warranty does the {product} have?",
        "Does the {product} work with 110 volts?",
        "Which spare parts are there for the {product}?",
    ],
}
WISHES = """\
I want my money back. Please refund me. Please send me a new one. I would like a replacement. Please call me. \
Could someone ring me about it? I would rather talk on the phone. What can you do? Please let me know. Can you help? \
I look forward to your answer. Thanks in advance. Order {number}. My order number is {number}."""
HURRY = {
    "high": ["This is urgent!", "I need this solved by tomorrow."],
    "normal": [""],
    "low": ["There is no hurry.", "Take your time."],
}
GREETINGS = ["Hello,", "Hi there,", "Good morning,", "Dear team,", "Hi,", "", ""]
NAMES = (
    "Amara Okafor,Ben Lindqvist,Chloe Martin,Deepa Rao,Emil Novak,Fatima Zahra,Gustav Holm,Hana Sato,Isla Byrne,"
    "Jakob Weiss,Kemal Aydin,Lucia Ferri,Mateo Cruz,Nadia Haddad,Owen Price,Priya Nair,Rhys Evans,Sofia Lund"
).split(",")


def tickets(chance: Random) -> Iterator[dict[str, object]]:
    """Rows without end, no two with the same text."""
    seen = set()
    while True:
        triage = {
            "category": chance.choice(list(PROBLEMS)),
            "priority": chance.choices(list(HURRY), weights=(2, 3, 2))[0],
        }
        text = _ticket(triage, chance)
        if text not in seen:
            seen.add(text)
            yield {
                "messages": [
                    {"role": "system", "content": TASK},
                    {"role": "user", "content": text},
                    {"role": "assistant", "content": json.dumps(triage)},
                ]
            }


def _ticket(triage: dict[str, str], chance: Random) -> str:
    sentences = [
        chance.choice(PROBLEMS[triage["category"]]),
        chance.choice(["", *re.findall(r"\S.*?[.?]", WISHES)]),
        chance.choice(HURRY[triage["priority"]]),
    ]
    if chance.random() < 0.3:
        sentences[1:] = reversed(sentences[1:])
    name = chance.choice(NAMES)
    signed = chance.choice([name, name.split()[0], f"Regards, {name}", ""])
    text = " ".join(piece for piece in [chance.choice(GREETINGS), *sentences, signed] if piece)
    text = text.format(product=chance.choice(PRODUCTS), number=chance.randint(10_000, 99_999))
    return text.lower() if chance.random() < 0.15 else text


def main() -> None:
    """Write the three files."""
    rows = tickets(Random(SEED))
    for name, size in SIZES.items():
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in islice(rows, size)]
        (FOLDER / f"{name}.jsonl").write_text("".join(lines), "utf-8")


if __name__ == "__main__":
    main()
