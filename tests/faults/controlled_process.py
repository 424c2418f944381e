"""A process that does as it is told, tells each point that it passes, and can be killed at any of them.

`python -m faults.controlled_process ADDRESS` is the first of its kind: it obeys until it has everything loaded that the
work needs, and from then on forks another one for each line on its standard input. So a process that may be killed
costs a fork, and not a start of the interpreter with an SDK.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from multiprocessing.connection import Client, Connection
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from sqlalchemy import Engine, event

from ftbridge import Bridge
from ftbridge.errors import FtbridgeError

_RANDOM = re.compile(r"(ftb_)?[0-9a-f]{8,}|(?<=\.new-)\w{8}")


@dataclass(frozen=True)
class JobSpec:
    """What to do. With `tell`, the points on the way are told, and at the one called `hold` the process waits."""

    verb: Literal["submit", "recover", "watch"]
    home: Path
    environment: Mapping[str, str]
    window: float = 0.0
    """How long, in seconds, a vendor's listing may hide a new job."""
    data: Path | None = None
    target: str = ""
    key: str = "once"
    tell: bool = False
    hold: str = ""


def obey(connection: Connection) -> None:
    """Carry out orders, and tell what each came to: a word, the events as JSON, or the error and its sentence."""
    connection.send(os.getpid())
    while (order := connection.recv()) is not None:
        if order.tell:
            _Teller(connection, order).listen()
        connection.send(("end", _outcome(order)))


def _outcome(order: JobSpec) -> str:
    os.environ.update(order.environment)
    for entry in entry_points(group="ftbridge.providers"):
        provider: Any = entry.load()
        provider.listing_lag_seconds, provider.in_flight_seconds = order.window, 0.0
        provider.poll_seconds, provider.slowest_poll_seconds = 0.05, 0.2
    try:
        with Bridge(order.home) as bridge:
            return _do(order, bridge)
    except FtbridgeError as problem:
        return f"{type(problem).__name__}: {problem}"


def _do(order: JobSpec, bridge: Bridge) -> str:
    if order.verb == "recover":
        return f"{len(bridge.recover())} moved on"
    if order.verb == "watch":
        watched = bridge.watch(*bridge.jobs())
        return json.dumps([[job.id, event.model_dump_json()] for job, event in watched if event is not None])
    assert order.data is not None
    return bridge.submit(order.data, order.target, idempotency_key=order.key, epochs=1).status


class _Teller:
    """Tells the points of this process: ledger transactions that end, files that are put in place, programs started."""

    def __init__(self, connection: Connection, order: JobSpec) -> None:
        self._connection = connection
        self._order = order
        self._write = "nothing"

    def listen(self) -> None:
        event.listen(Engine, "before_cursor_execute", self._statement)
        event.listen(Engine, "commit", lambda _connection: self._pass(f"{self._write} is committed"))
        sys.addaudithook(self._hear)

    def _statement(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        words = statement.split()
        if words[0] in ("INSERT", "UPDATE", "CREATE", "DELETE"):
            self._write = " ".join(word for word in words[:3] if word.isalpha())

    def _hear(self, name: str, details: tuple[Any, ...]) -> None:
        if name == "os.rename" and (place := str(details[1])).startswith(str(self._order.home)):
            place = str(Path(place).relative_to(self._order.home))
            self._pass(f"{_RANDOM.sub('ID', place)} is put in place")
        elif name == "subprocess.Popen":
            self._pass("a program is started")

    def _pass(self, name: str) -> None:
        self._connection.send(("at", (monotonic(), name)))
        if name == self._order.hold:
            self._connection.recv()


def main(address: str) -> None:
    """Get ready, and then fork."""
    with Client(address) as connection:
        obey(connection)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forked ones
    for _line in sys.stdin:
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            with Client(address) as connection:
                obey(connection)
            os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
