"""Keys come from the environment, are never shown, and never travel in the clear."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import ClassVar

import pytest
from pydantic import SecretStr

from ftbridge.errors import ConfigError
from ftbridge.provider import Connection, Settings, setting
from ftbridge.provider.connection import open_connection

KEY = "sk-canary-0123456789"


class AcmeSettings(Settings):
    secrets: ClassVar[Mapping[str, str]] = {"api_key": "ACME_API_KEY"}
    base_url: str = setting("https://api.acme.test/v1", env="ACME_BASE_URL")


def connection() -> Connection:
    return open_connection("acme", AcmeSettings.read({}))


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_API_KEY", KEY)


def test_the_vendors_own_address_is_the_default() -> None:
    found = connection()
    assert found.base_url == "https://api.acme.test/v1"
    assert found.key() == KEY


def test_the_key_is_not_in_what_is_shown_and_tells_accounts_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    first = connection()
    assert KEY not in repr(first) + str(first) + first.model_dump_json() + first.account
    monkeypatch.setenv("ACME_API_KEY", KEY + "x")
    assert connection().account != first.account


def test_a_missing_key_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_API_KEY", " ")
    with pytest.raises(ConfigError) as problem:
        connection()
    assert "ACME_API_KEY" in problem.value.hint


@pytest.mark.parametrize("bad", [f"{KEY}\nx", f"{KEY} x", f"“{KEY}”", f"{KEY}\x07"])
def test_a_key_that_cannot_be_a_header_is_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    monkeypatch.setenv("ACME_API_KEY", bad)
    with pytest.raises(ConfigError) as problem:
        connection()
    assert KEY not in problem.value.message + problem.value.hint


@pytest.mark.parametrize("bad", [f"{KEY}\nx", f"{KEY}é"])
def test_a_connection_made_by_hand_takes_no_such_key_either(bad: str) -> None:
    with pytest.raises(ConfigError) as problem:
        Connection(base_url="https://api.acme.test/v1", api_key=SecretStr(bad), account="a")
    assert KEY not in "".join(traceback.format_exception(problem.value))


@pytest.mark.parametrize(
    "url", ["https://gateway.test/v1", "http://127.0.0.1:8080", "http://localhost/v1", "http://[::1]:1"]
)
def test_https_and_this_machine_are_accepted(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("ACME_BASE_URL", url + "/")
    assert connection().base_url == url


@pytest.mark.parametrize(
    "url", ["http://gateway.test", "http://169.254.169.254/latest", "ftp://x.test", "gateway.test", "https://"]
)
def test_anything_else_is_refused_unless_asked_for(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("ACME_BASE_URL", url)
    with pytest.raises(ConfigError, match="in the clear"):
        connection()


def test_http_elsewhere_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_BASE_URL", "http://gateway.test")
    monkeypatch.setenv("FTBRIDGE_INSECURE_BASE_URL", "1")
    assert connection().base_url == "http://gateway.test"


def test_a_password_in_the_address_is_kept_apart_from_it_and_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_BASE_URL", "https://me:hunter2%2Fx-9@api.acme.test/v1/")
    settings = AcmeSettings.read({})
    found = open_connection("acme", settings)
    assert found.base_url == "https://api.acme.test/v1"
    assert found.auth() == ("me", "hunter2/x-9")
    assert "hunter2" not in f"{found!r} {found} {found.model_dump_json()} {settings!r} {settings}"


def test_an_address_that_is_refused_is_shown_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_BASE_URL", "http://me:hunter2@api.acme.test/v1")
    with pytest.raises(ConfigError, match=r"http://me:\*\*\*@api\.acme\.test") as problem:
        connection()
    assert "hunter2" not in "".join(traceback.format_exception(problem.value))
