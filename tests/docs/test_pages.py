"""Every block of the README and of the topics runs, in order, and prints what is shown there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from command_line import Cli
from docs.sessions import Block, Step, blocks_of, differs, steps_of, words_of
from ftbridge.config import Config
from ftbridge.docs import TOPICS
from ftbridge.mock.vendors import MockVendors
from ftbridge.sample import sample_files

ROOT = Path(__file__).parents[2]
PAGES = {"README": ROOT / "README.md", **{name: ROOT / "ftbridge" / "docs" / f"{name}.md" for name in TOPICS}}
TRAIN_HERE = {"README", "start", "local", "evaluate", "improve", "verify"}
"""Pages whose jobs train on this machine: their dataset has few rows."""
ALL_ROWS = {"dataset"}
FEW, SOME, EVALUATED = 24, 60, 2
NOT_TRIED = {
    "demo": "it takes minutes; tests/local/test_sample.py looks at its data",
    "make": "it installs packages and runs the tests",
}

_OUTPUTS = {
    "preferred_output": [{"role": "assistant", "content": "Gladly."}],
    "non_preferred_output": [{"role": "assistant", "content": "No."}],
}


class Reader:
    """Somebody who tries a page: runs its commands, executes its Python, and writes its files."""

    def __init__(self, cli: Cli, mock_server: Callable[[list[str]], str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.cli, self.mock_server, self.monkeypatch = cli, mock_server, monkeypatch

    def read(self, block: Block) -> Iterator[str]:
        """What is untrue in a block."""
        if block.mark.startswith("file: "):
            Path(block.mark.removeprefix("file: ")).write_text(block.text, "utf-8")
        if block.mark.startswith("earlier: "):
            EARLIER[block.mark.removeprefix("earlier: ")](self.cli)
        if block.mark.startswith(("not run: ", "part of a program: ", "file: ")):
            return
        if block.language == "console":
            for step in steps_of(block):
                if problem := self.run(step):
                    yield f"line {step.line}: {step.command}: {problem}"
        elif block.language == "python":
            self.execute(block)

    def run(self, step: Step) -> str | None:
        words = words_of(step.command.split("  ")[0])
        while words and "=" in words[0] and words[0].partition("=")[0].isupper():
            name, _sign, value = words.pop(0).partition("=")
            self.monkeypatch.setenv(name, value)
        if words[0] in NOT_TRIED or words[:2] == ["ftbridge", "demo"]:
            return None
        assert words[0] == "ftbridge", f"{words[0]} is not run by this test"
        if words[1] == "mock":
            return differs(step.shown, self.mock_server(words))
        ran = self.cli(*words[1:], columns=80)
        printed = [_lines(ran.out), _lines(ran.err + ran.out), _lines(ran.out + ran.err)]
        if all(differs(step.shown, text) for text in printed):
            return f"{differs(step.shown, printed[1])!r} is not there:\n{printed[1]}"
        wrong = ran.code and not any(line.startswith(("error:", '{"error"')) for line in step.shown)
        return f"it ended with {ran.code}: {ran.err}" if wrong or "Traceback" in ran.err else None

    def execute(self, block: Block) -> None:
        with suppress(SystemExit):  # a gate ends with an exit code of its own
            exec(compile(block.text, "block", "exec"), {"__name__": "block"})


def _lines(text: str) -> str:
    """The output without blank lines around it."""
    return "\n".join(line.rstrip() for line in text.splitlines())


def imported_from_openai(cli: Cli) -> None:
    """An account with a job that another ledger has created."""
    assert cli("submit", "support.jsonl", "--to", OPENAI, "--name", "tickets").code == 0
    assert cli("watch").code == 0
    home = Path(os.environ["FTBRIDGE_HOME"])
    shutil.rmtree(home)


def two_jobs(cli: Cli) -> None:
    for name in ("tickets-before", "tickets"):
        assert cli("submit", "support.jsonl", "--to", f"mock+{OPENAI}", "--name", name, "--again").code == 0
    assert cli("watch").code == 0


OPENAI = "openai:gpt-4.1-mini-2025-04-14"
EARLIER: dict[str, Callable[[Cli], None]] = {"openai": imported_from_openai, "tickets": two_jobs}


@pytest.fixture
def mock_server() -> Iterator[Callable[[list[str]], str]]:
    """Serves `ftbridge mock` at a free port, which is replaced by the one shown in the lines that it gives."""
    running: list[subprocess.Popen[str]] = []

    def serve(words: list[str]) -> str:
        port = words[words.index("--port") + 1]
        command = [sys.executable, "-m", *["0" if word == port else word for word in words]]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
        out = running[-1].stdout
        assert out
        lines = [out.readline() for _variable in range(12)]
        free = lines[0].rpartition("127.0.0.1:")[2].partition("/")[0]
        return "".join(lines).replace(free, port) if free else "".join(lines)

    yield serve
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def trained_home(tmp_path_factory: pytest.TempPathFactory, tiny_home: Path) -> Path:
    """The home of all pages that train here: the same request on two pages is one job, which is trained once."""
    home = tmp_path_factory.mktemp("trained")
    shutil.copytree(tiny_home / "local" / "bases", home / "local" / "bases")
    return home


@pytest.fixture
def reader(
    here: Cli,
    home: Path,
    trained_home: Path,
    vendors: MockVendors,
    mock_server: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> Reader:
    """In a folder with the files that the pages speak of, on a day before anything closes."""
    monkeypatch.setenv("FTBRIDGE_TODAY", "2026-11-30")
    monkeypatch.setenv("FTBRIDGE_MOCK_SPEED", "6000")
    (home / "local").mkdir(parents=True)
    (home / "local" / "bases").symlink_to(trained_home / "local" / "bases")
    return Reader(here, mock_server, monkeypatch)


def write_files(page: str) -> None:
    files = sample_files()
    most = None if page in ALL_ROWS else FEW if page in TRAIN_HERE else SOME
    for name, source, rows in (
        ("support.jsonl", files.train, most),
        ("held.jsonl", files.validation, most),
        ("heldout.jsonl", files.heldout, EVALUATED),
    ):
        lines = Path(source).read_text("utf-8").splitlines(keepends=True)
        Path(name).write_text("".join(lines[:rows]), "utf-8")
    pairs = [{"input": {"messages": [{"role": "user", "content": f"Say {n}."}]}, **_OUTPUTS} for n in range(12)]
    Path("preferences.jsonl").write_text("".join(json.dumps(row) + "\n" for row in pairs), "utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_the_page_is_true(
    page: str, reader: Reader, trained_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(page)
    if page in TRAIN_HERE:
        monkeypatch.setenv("FTBRIDGE_HOME", str(trained_home))
    blocks = list(blocks_of(PAGES[page].read_text("utf-8")))
    assert "\n".join(problem for block in blocks for problem in reader.read(block)) == ""


@pytest.mark.parametrize("page", PAGES)
def test_every_table_of_ftbridge_toml_can_be_read(page: str) -> None:
    for block in blocks_of(PAGES[page].read_text("utf-8")):
        if block.text.startswith("# ftbridge.toml"):
            Config.model_validate(tomllib.loads(block.text))


@pytest.mark.parametrize(
    ("untrue", "found"),
    [
        ("```console\n$ ftbridge check rows.jsonl --no-advice\nrows.jsonl: ok: 7 examples…\n```", "7 examples"),
        ("```console\n$ ftbridge check rows.jsonl --quickly\n```", "No such option"),
        ("```console\n$ ftbridge inspect rows.jsonl\n```", "No such command"),
        ("```console\n$ ftbridge show last\n```", "there is no job 'last'"),
    ],
)
def test_an_untrue_block_is_found(untrue: str, found: str, reader: Reader) -> None:
    Path("rows.jsonl").write_text('{"text": "a"}\n', "utf-8")
    [problem] = [problem for block in blocks_of(untrue) for problem in reader.read(block)]
    assert found in problem


def test_a_line_that_is_missing_or_too_much_is_found() -> None:
    assert differs(["one", "two"], "one\ntwo\n") is None
    assert differs(["one", "…", "four"], "one\ntwo\nthree\nfour\n") is None
    assert differs(["job ftb_12", "o…"], "job ftb_9f3a\none\n") is None
    assert differs(["one", "two"], "one\n") == "two"
    assert differs(["one"], "one\ntwo\n") == "and then: two"
    assert differs(["one", "…", "five"], "one\ntwo\n") == "five"
