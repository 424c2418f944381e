"""A sweep that trains on this machine, and scores what it has trained."""

from __future__ import annotations

import shutil
from pathlib import Path

from every_case import only_with_every_case
from ftbridge import Bridge
from small_data import write_rows

CHATS = [
    {"messages": [{"role": "user", "content": f"Say {n}."}, {"role": "assistant", "content": f"{n}"}]} for n in range(4)
]


@only_with_every_case
def test_the_trial_that_learns_is_the_best(tiny_home: Path, home: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_home, home)
    rows = write_rows(tmp_path / "rows.jsonl", CHATS)
    with Bridge() as bridge:
        found = bridge.sweep(
            rows, "local:tiny", validation=rows, epochs=1, learning_rate=[1e-5, 1e-2], batch_size=1, max_cost=0, seed=1
        )
    best, other = found.trials
    assert (best.hyperparameters.learning_rate, other.hyperparameters.learning_rate) == (1e-2, 1e-5)
    assert best.score
    assert other.score
    assert (best.score.loss or 0.0) < (other.score.loss or 0.0)
    assert best.usd_per_point is None  # no limit is for one's own machine, and nothing is billed
