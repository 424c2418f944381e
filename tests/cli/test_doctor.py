"""`doctor`: what is here, what is wrong, and what to do; it shows no key and asks nobody unasked."""

from __future__ import annotations

import os
import socket
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pytest

import ftbridge.doctor
from command_line import Cli
from ftbridge.doctor import Check, examine
from ftbridge.errors import MissingExtra
from ftbridge.ledger import Ledger
from ftbridge.mock.vendors import MockVendors
from ftbridge_local.provider import LocalProvider
from terminal import Terminal

KEY = "sk-planted-0123456789abcdef"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch is not loaded."""
    monkeypatch.setattr(LocalProvider, "devices", staticmethod(lambda: "2 processor cores"))


def found(about: str, **options: Any) -> dict[str, Check]:
    return {check.name: check for check in examine(**options) if check.about == about}


def test_a_sound_machine_has_no_problem_and_exit_code_0(here: Cli) -> None:
    ran = here("doctor", "--json")
    assert ran.code == 0
    assert ran.json["ok"]
    about = {check["about"] for check in ran.json["checks"]}
    assert about == {"python", "extra", "disk", "ledger", "key", "devices"}
    assert all(set(check) == {"about", "state", "what", "fix", "name"} for check in ran.json["checks"])


def test_keys_are_found_and_never_shown(here: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    keys = found("key")
    assert keys["OPENAI_API_KEY"].state == "ok"
    assert keys["TOGETHER_API_KEY"].state == "note"
    assert "TOGETHER_API_KEY" in keys["TOGETHER_API_KEY"].fix
    for words in (["doctor"], ["doctor", "--json"]):
        ran = here(*words)
        assert "OPENAI_API_KEY" in ran.out
        assert KEY not in ran.out + ran.err


def test_a_key_that_cannot_be_sent_is_a_problem_and_not_shown(here: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY} '")
    ran = here("doctor")
    assert ran.code == 1
    assert "OPENAI_API_KEY holds characters that no key has" in " ".join(ran.out.split())
    assert "→ Set it again" in ran.out
    assert KEY not in ran.out + ran.err


class Packages(NamedTuple):
    needed: list[str]
    installed: dict[str, str]


@pytest.mark.parametrize(
    ("packages", "state", "what"),
    [
        (Packages(["a>=1", "b>=2"], {"a": "1.0", "b": "2.1"}), "ok", "ftbridge[x] is installed"),
        (Packages(["a>=1", "b>=2"], {}), "note", "ftbridge[x] is not installed"),
        (Packages(["a>=1", "b>=2"], {"a": "1.0"}), "note", "ftbridge[x] cannot be used: b is missing"),
        (Packages(["a>=2"], {"a": "1.0"}), "problem", "ftbridge[x] cannot be used: a is 1.0, and >=2 is needed"),
    ],
)
def test_an_extra_is_whole_absent_or_broken(
    monkeypatch: pytest.MonkeyPatch, packages: Packages, state: str, what: str
) -> None:
    def installed(name: str) -> str:
        if name not in packages.installed:
            raise PackageNotFoundError(name)
        return packages.installed[name]

    needed = [f"{one}; extra == 'x'" for one in packages.needed]
    monkeypatch.setattr(ftbridge.doctor, "requires", lambda _name: [*needed, "c; extra == 'dev'", "d>=1"])
    monkeypatch.setattr(ftbridge.doctor, "version", installed)
    [check] = found("extra").values()
    assert (check.state, check.what) == (state, what)
    assert check.fix == ("" if state == "ok" else "pip install 'ftbridge[x]'")


def test_the_ledger_is_told_with_its_schema_and_jobs(home: Path) -> None:
    assert found("ledger")[""].what == "none yet: the first job makes it"
    Ledger(home).close()
    check = found("ledger")[""]
    assert check.state == "ok"
    assert check.what.startswith(f"{home / 'ledger.sqlite'}: schema ")
    assert check.what.endswith(", 0 jobs")


def test_a_damaged_ledger_is_a_problem_with_its_way_out(home: Path) -> None:
    Ledger(home).close()
    (home / "ledger.sqlite").write_bytes(b"no ledger" * 1000)
    check = found("ledger")[""]
    assert check.state == "problem"
    assert "recover --from-vendors" in check.fix


def test_a_mistake_in_the_config_is_a_problem(home: Path) -> None:
    home.mkdir()
    (home / "ftbridge.toml").write_text("[targets]\nx = 1\n")
    assert found("config")[""].state == "problem"
    (home / "ftbridge.toml").write_text('[providers.openai]\nbas_url = "https://example.org"\n')
    assert "Did you mean 'base_url'?" in found("provider")["openai"].fix


@pytest.mark.parametrize(("free", "state"), [(5e7, "problem"), (2e9, "note"), (9e9, "ok")])
def test_room_on_the_disk_is_measured(monkeypatch: pytest.MonkeyPatch, free: float, state: str) -> None:
    class Usage(NamedTuple):
        free: float

    monkeypatch.setattr("ftbridge.doctor.shutil.disk_usage", lambda _folder: Usage(free))
    check = found("disk")[""]
    assert check.state == state
    assert bool(check.fix) is (state != "ok")


def test_a_home_that_cannot_be_used_is_a_problem_and_no_traceback(
    here: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FTBRIDGE_HOME", str(tmp_path / "file" / "home"))
    ran = here("doctor")
    assert ran.code == 1
    assert "FTBRIDGE_HOME" in ran.out


def test_without_the_extra_the_devices_are_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    def devices() -> NoReturn:
        raise MissingExtra("training on this machine needs torch", hint="Run `pip install 'ftbridge[local]'`.")

    monkeypatch.setattr(LocalProvider, "devices", staticmethod(devices))
    check = found("devices")["local"]
    assert (check.state, check.fix) == ("note", "Run `pip install 'ftbridge[local]'`.")


def test_vendors_are_asked_only_with_endpoints(ftbridge_mock: MockVendors) -> None:
    assert found("endpoint") == {}
    assert ftbridge_mock["openai"].seen == []
    answers = found("endpoint", endpoints=True)
    assert answers["openai"].state == "ok"
    assert answers["openai"].what.startswith("openai answers, and lists ")
    assert [seen.operation for seen in ftbridge_mock["openai"].seen] == ["list_models"]


def test_a_vendor_that_refuses_the_key_or_is_silent_is_a_problem(
    ftbridge_mock: MockVendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ftbridge.doctor, "_PATIENCE", 1.0)
    ftbridge_mock["openai"].faults.add("list_models=401")
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it accepts, and never answers
        monkeypatch.setenv("TOGETHER_BASE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        answers = found("endpoint", endpoints=True)
    assert answers["openai"].state == "problem"
    assert answers["openai"].fix
    assert answers["together"].what == "together has not answered in 1 seconds"


def test_a_ledger_on_a_server_is_asked_only_with_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_LEDGER", "postgresql+psycopg://me:secret@127.0.0.1:9/none")
    assert found("ledger")[""].state == "ok"
    check = found("ledger", endpoints=True)[""]
    assert check.state == "problem"
    assert "secret" not in check.what + check.fix


def test_it_fits_on_a_small_terminal() -> None:
    with Terminal("doctor", environment={"PATH": os.environ["PATH"]}) as terminal:
        assert terminal.ended() == 0
        shown = terminal.shown
    assert shown[0].startswith("✓ python: Python 3.")
    assert shown[-1] == "No problem was found."


def test_a_host_that_is_not_there_is_a_problem_with_what_to_do(here: Cli, home: Path) -> None:
    home.mkdir(exist_ok=True)
    (home / "ssh_config").write_text("Host box\n    HostName 127.0.0.1\n    Port 1\n")
    (home / "ftbridge.toml").write_text('[runners.box]\nkind = "ssh"\nssh_config = "ssh_config"\n')
    ran = here("doctor", "ssh:box", "--json")
    assert ran.code == 1
    [check] = ran.json["checks"]
    assert (check["about"], check["state"], check["name"]) == ("host", "problem", "box")
    assert "box cannot be reached by ssh" in check["what"]
    assert f"ssh -F {home}/ssh_config box true" in check["fix"]


def test_a_target_without_a_host_is_refused(here: Cli) -> None:
    ran = here("doctor", "openai:gpt-4.1")
    assert ran.code == 2
    assert "openai has no hosts" in ran.err
