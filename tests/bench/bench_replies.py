"""How many rows a second a local model answers in batches, beside the same rows asked one by one.

    python tests/bench/bench_replies.py [--rows 64 400] [--alone 64] [--model tiny random]

Both sides take turns in one process with one thread, and are counted in CPU seconds, as other programs disturb those
least. `tiny` is `local:tiny` after its training on the support tickets of `ftbridge demo`; `random` has 12 layers of
512 and random weights, prompts of 20 to 200 tokens and answers of 48. The rows that are asked one by one are spread
over all.
"""

# ruff: noqa: T201  # a script that prints its table
from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch

from bench.local_world import BATCH, SHAPES, build, write_chats
from ftbridge import Bridge
from ftbridge.dataset import read_examples
from ftbridge.dataset.canonical.example import Chat
from ftbridge.provider import Provider, Reply
from ftbridge.sample import sample_files
from ftbridge_local.provider import LocalProvider

SHAPES["random"] = {"vocab_size": 8192, "hidden_size": 512, "intermediate_size": 1408, "num_hidden_layers": 12}


def tuned(home: Path) -> tuple[Provider, str, list[Chat], dict[str, Any]]:
    """A provider, a model, the questions, and the options of an answer."""
    files = sample_files()
    with Bridge(home=home) as bridge:
        job = bridge.submit(files.train, "local:tiny", batch_size=BATCH)
        for _job, _event in bridge.watch(job):
            pass
        model = str(bridge.fetch(job, home / "result").model)
    return LocalProvider(home), model, questions(files.train), {}


def random(home: Path) -> tuple[Provider, str, list[Chat], dict[str, Any]]:
    """As `tuned`."""
    build(home / "random", "random")
    write_chats(home / "rows.jsonl", 400, Random(1))
    return LocalProvider(home), str(home / "random" / "model"), questions(home / "rows.jsonl"), {"max_tokens": 48}


MODELS: dict[str, Callable[[Path], tuple[Provider, str, list[Chat], dict[str, Any]]]] = {
    "tiny": tuned,
    "random": random,
}


def questions(file: Path) -> list[Chat]:
    """The chats of a file without their answers."""
    rows = [example for _line, example in read_examples(file) if isinstance(example, Chat)]
    return [Chat(messages=row.messages[:-1]) for row in rows]


def timed(replies: Iterable[Reply]) -> tuple[float, list[Reply]]:
    """CPU seconds, and what came of them."""
    began = time.process_time()
    found = list(replies)
    return time.process_time() - began, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="*", type=int, default=[64, 400])
    parser.add_argument("--alone", type=int, default=64)
    parser.add_argument("--model", nargs="*", default=[*MODELS])
    options = parser.parse_args()
    print("| model | rows | tokens asked, answered | one by one, rows per CPU second | batched | × | different |")
    print("|---|---|---|---|---|---|---|")
    for name in options.model:
        with tempfile.TemporaryDirectory() as home:
            provider, model, asked, more = MODELS[name](Path(home))
            provider.chat(model, asked[0], **more)  # loads it
            torch.set_num_threads(1)
            for count in options.rows:
                print(measure(name, provider, model, asked[:count], more, options.alone), flush=True)


def measure(name: str, provider: Provider, model: str, asked: list[Chat], more: dict[str, Any], alone: int) -> str:
    """A row of the table: half of those alone, all in batches, and the other half."""
    some = range(0, len(asked), max(1, len(asked) // alone))
    parts = [list(some)[::2], list(some)[1::2]]
    singles = [timed(provider.chat(model, asked[index], **more) for index in parts[0])]
    batched, replies = timed(provider.replies(model, asked, **more))
    singles.append(timed(provider.chat(model, asked[index], **more) for index in parts[1]))
    slow, fast = len(some) / sum(seconds for seconds, _found in singles), len(asked) / batched
    wanted = dict(zip(parts[0] + parts[1], singles[0][1] + singles[1][1], strict=True))
    different = sum(replies[index].text != reply.text for index, reply in wanted.items())
    usage = [reply.usage for reply in replies if reply.usage]
    lengths = (
        sum(getattr(use, kind) or 0 for use in usage) / len(usage) for kind in ("prompt_tokens", "completion_tokens")
    )
    sizes = ", ".join(f"{length:.0f}" for length in lengths)
    figures = f"{slow:.2f} | {fast:.2f} | {fast / slow:.1f} | {different} of {len(wanted)}"
    return f"| {name} | {len(asked)} | {sizes} | {figures} |"


if __name__ == "__main__":
    main()
