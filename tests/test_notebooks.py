"""In a notebook and at the prompt: names are offered, values show themselves, and an error says what to do."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

import ftbridge
from ftbridge import Bridge, Event, Hyperparameters, Job, Spec, Status
from ftbridge.errors import ConfigError, TargetError, UsageError
from ftbridge.model import Latest

JOB = Job(
    id="ftb_1",
    name="<b>tickets</b>",
    target="local:tiny",
    status=Status.RUNNING,
    created_at=datetime(2026, 11, 30, tzinfo=UTC),
    spec=Spec(target="local:tiny", data="rows.jsonl"),
    latest=Latest(step=3, total_steps=9, train_loss=0.5),
)


class Cells(HTMLParser):
    """The texts of a table, and the tags around them."""

    def __init__(self, table: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.feed(table)

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_dir_shows_every_public_name_without_loading_any() -> None:
    assert set(ftbridge.__all__) <= set(dir(ftbridge))
    code = "import ftbridge, sys; dir(ftbridge); print('ftbridge.bridge' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_job_is_a_short_repr_and_a_table_that_runs_no_markup() -> None:
    assert repr(JOB) == "<Job ftb_1 running local:tiny>"
    cells = Cells(JOB._repr_html_())
    assert cells.tags == {"table", "tr", "th", "td"}
    pairs = dict(zip(cells.texts[::2], cells.texts[1::2], strict=True))
    assert pairs["name"] == "<b>tickets</b>"
    assert pairs["status"] == "running"
    assert pairs["latest"] == "Latest(step=3, total_steps=9, train_loss=0.5)"
    assert "error" not in pairs


def test_other_values_show_what_is_not_their_default() -> None:
    assert Cells(Hyperparameters(epochs=3)._repr_html_()).texts == ["epochs", "3"]
    long = Event(at=JOB.created_at, kind="message", message="x" * 1000)
    assert max(map(len, Cells(long._repr_html_()).texts)) == 201


def test_an_error_says_what_to_do() -> None:
    error = UsageError("the file is empty", hint="Write rows into it.")
    assert str(error) == "the file is empty\n→ Write rows into it."
    assert str(UsageError("no")) == "no"
    assert error.message == "the file is empty"
    with Bridge() as bridge, pytest.raises(TargetError) as raised:
        bridge.check([{"text": "a"}], "lcal:tiny")
    assert re.search(r"\n→ Did you mean 'local'\?", str(raised.value))


def test_no_key_is_shown_with_the_hint() -> None:
    assert "sk-planted-0123456789" not in str(ConfigError("a", hint="Remove sk-planted-0123456789abcdefghij."))
