"""The generated text that the base model tiny is trained on.

Plain sentences teach it letters, words and spaces, JSON records teach it brackets and quotation marks, and repeated
lists cover every letter and digit. All of it follows from the words below and a seed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from random import Random

PEOPLE = """
Ada Bruno Chiara Dmitri Elif Farid Greta Hugo Ines Jonas Kofi Lena Marta Nils Olga Pablo Rosa Tariq
"""
THINGS = """
lantern kettle violin ladder basket anchor compass blanket mirror hammer candle bottle wagon drum statue carpet
bell rope shovel teapot flute saddle barrel engine window clock button ribbon feather pebble
"""
COLOURS = "red green blue white black yellow brown grey silver golden purple orange"
PLACES = """
harbour garden kitchen forest library market station mountain village workshop island river bridge museum
cellar orchard valley tower school theatre
"""
ACTIONS = """
found carried painted cleaned repaired borrowed measured described moved opened closed polished counted dropped
wrapped hid drew bought weighed lost
"""
FEELINGS = "happy tired curious quiet proud surprised careful nervous cheerful patient hungry sleepy"
TIMES = """
in the morning, at noon, yesterday, after the rain, before dawn, last week, every evening, on Monday, in winter,
two days ago, at the end of the summer, while it was snowing
"""
ASIDES = """
Nobody knew why. The wind was cold. It had been there for years. They could not see the other side. So it began.
There was something strange about it. We should have asked first. I think that was enough. You would have liked it.
Everyone was waiting for the boat. What would you do with it? It did not work at all. She wanted to know more about the
old road. He said that it would be better to leave now. Please come back when you are ready. My brother has never been
here before! It is still too early to tell. Could you bring some water and bread? Their house stands just behind the
hill. I really hope that it helps. Thank you for the letter, it came on Thursday. Can we take the train back? I have no
money with me. How long does it take to get there? Let me show you the way. Which one do you want, this or that? Your
friend has sent a card. I was told to wait until tomorrow. The first day was the best. Have you seen my keys? They have
been looking for them since last night. Does it always rain like this? We need another chair. It is time to go home. Few
people never change. I do not know what happened after that. Are there any apples left? He can play the piano, but he
cannot sing. Good morning, how are you today? The price of bread is higher than it was. Do call me when it is over!
I had to read it twice. When the light went out, we went to bed. Tell me if anything is wrong. She will make a new one
next year. Where did you put the rest of it? Nothing was broken, only a little dirty. You may keep it, I have two. The
number on the door was too small to read. At first I thought it was a mistake. Would it be possible to meet again?
"""
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def texts(seed: int) -> Iterator[str]:
    """Endless texts, the same for the same seed."""
    chance = Random(seed)  # noqa: S311 - nothing here is secret
    while True:
        yield chance.choice((_story, _record, _record, _question, _repetition, _repetition))(chance)


def _story(chance: Random) -> str:
    return " ".join(chance.choice((_deed, _feeling, _aside))(chance) for _ in range(chance.randint(2, 5)))


def _deed(chance: Random) -> str:
    deed = f"{_one(PEOPLE, chance)} {_one(ACTIONS, chance)} the {_one(COLOURS, chance)} {_one(THINGS, chance)}"
    return f"{deed} in the {_one(PLACES, chance)} {chance.choice(TIMES.split(',')).strip()}."


def _feeling(chance: Random) -> str:
    one, other = chance.sample(PEOPLE.split(), 2)
    return f"{one} was {_one(FEELINGS, chance)}, but {other} was {_one(FEELINGS, chance)}."


def _aside(chance: Random) -> str:
    sentences: list[str] = re.findall(r"\S.*?[.!?]", ASIDES.replace("\n", " "))
    return chance.choice(sentences)


def _record(chance: Random) -> str:
    """A few facts as sentences, then as JSON."""
    facts: dict[str, str | int | None] = {
        "who": _one(PEOPLE, chance),
        "thing": _one(THINGS, chance),
        "colour": chance.choice([*COLOURS.split(), None]),
        "mark": chance.choice((_mark(chance), None)),
        "grams": chance.randint(1, 999),
    }
    sentences = [
        f"{facts['who']} has a {facts['colour'] or 'plain'} {facts['thing']}.",
        f"It weighs {facts['grams']} grams.",
    ]
    if facts["mark"]:
        sentences.append(f"The mark on it is {facts['mark']}.")
    if chance.random() < 0.5:
        sentences.append(_aside(chance))
    chance.shuffle(sentences)
    keys = chance.sample(sorted(facts), chance.randint(2, 5))
    return _turns(" ".join(sentences), json.dumps({key: facts[key] for key in keys}))


def _question(chance: Random) -> str:
    who, thing, place = _one(PEOPLE, chance), _one(THINGS, chance), _one(PLACES, chance)
    return _turns(
        f"{who} left the {thing} in the {place}. {_aside(chance)} Where is the {thing}?", f"It is in the {place}."
    )


def _repetition(chance: Random) -> str:
    items = ", ".join(
        chance.choice((_mark(chance), str(chance.randint(10, 999_999)), _one(THINGS, chance)))
        for _ in range(chance.randint(2, 6))
    )
    return _turns(items, items)


def _one(words: str, chance: Random) -> str:
    return chance.choice(words.split())


def _mark(chance: Random) -> str:
    letters = "".join(chance.choice(LETTERS) for _ in range(chance.randint(1, 3)))
    return f"{letters}{chance.choice('-/ ')}{chance.randint(10, 99_999)}"


def _turns(question: str, answer: str) -> str:
    return f"<|user|>{question}<|end|><|assistant|>{answer}"
