"""A PostgreSQL server for tests: in a temporary folder, on a Unix socket of its own, gone afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

# a language that sorts texts otherwise than by their bytes
_LANGUAGE = ("--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en")


class PostgresServer:
    """A server that listens on a socket in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._schemas = count(1)

    def new_schema(self) -> str:
        """The URL of an empty place for one ledger."""
        name = f"ledger_{next(self._schemas)}"
        self.execute(f"CREATE SCHEMA {name}")
        return f"postgresql+psycopg://tester@/postgres?host={quote(self._folder)}&options=-csearch_path%3D{name}"

    def execute(self, statement: str) -> None:
        """Run one statement."""
        with psycopg.connect(host=self._folder, user="tester", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement.encode())


def find_programs() -> Path | None:
    """The folder with the newest server's programs: Debian and Ubuntu keep them out of the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def running_server(programs: Path) -> Iterator[PostgresServer]:
    """A new server, for as long as the block lasts. It refuses to be root, and is then run as `postgres`."""
    folder = Path(tempfile.mkdtemp(prefix="ftbridge-pg-"))  # short: a socket's path has 107 characters at most
    owner: dict[str, Any] = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    if owner:
        shutil.chown(folder, **owner)
    make = [str(programs / "initdb"), "-D", str(folder / "data"), "-U", "tester", "--auth=trust", "--no-sync"]
    settings = {"listen_addresses": "", "unix_socket_directories": str(folder), "fsync": "off"}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    serve = [str(programs / "postgres"), "-D", str(folder / "data"), *options]
    try:
        subprocess.run([*make, *_LANGUAGE], check=True, stdout=subprocess.DEVNULL, cwd="/", **owner)
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(serve, stdout=log, stderr=log, cwd="/", **owner)
        try:
            server = PostgresServer(folder)
            _wait_for(server, process)
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # which does not wait for clients to go
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(server: PostgresServer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            return server.execute("SELECT 1")
        except psycopg.OperationalError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise
            time.sleep(0.05)
