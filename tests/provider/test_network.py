"""Proxies of the environment: never for this machine, and a SOCKS proxy without its package is a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from ftbridge.errors import MissingExtra
from ftbridge.loopback import LoopbackServer
from ftbridge.provider import Connection, Settings, setting
from ftbridge.provider.network import check_socks, client_options
from ftbridge_providers.mistral.client import MistralClient
from ftbridge_providers.openai_api.client import open_client
from ftbridge_providers.together.client import open_client as open_together

NOBODY = "http://127.0.0.1:9"  # the port where everything is discarded: nobody listens


class Seen:
    headers: ClassVar[dict[str, str]] = {}


@pytest.fixture
def vendor() -> Iterator[str]:
    async def answer(request: Request) -> JSONResponse:
        Seen.headers = dict(request.headers)
        closing = {"connection": "close"}
        return JSONResponse({"object": "list", "data": [], "has_more": False}, headers=closing)

    with LoopbackServer(Starlette(routes=[Route("/{path:path}", answer)])) as server:
        yield server.url


@pytest.fixture(params=["HTTP_PROXY", "ALL_PROXY", "http_proxy"])
def proxy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv(request.param, NOBODY)


def connection(url: str) -> Connection:
    return Connection(base_url=url, api_key=SecretStr("sk-test"), account="a")


@pytest.mark.usefixtures("proxy")
def test_a_vendor_on_this_machine_is_reached_without_the_proxy(vendor: str) -> None:
    for url in (vendor, vendor.replace("127.0.0.1", "localhost")):
        with httpx.Client(**client_options(url)) as client:
            assert client.get(url).status_code == 200
    assert open_client(connection(vendor), timeout=5).fine_tuning.jobs.list().data == []
    together: Any = open_together(connection(vendor), timeout=5, on_response=lambda response: None)
    together.fine_tuning.list()
    mistral: Any = MistralClient(connection(vendor), timeout=5, on_response=lambda response: None)
    assert mistral._http.get("/").status_code == 200


@pytest.mark.usefixtures("proxy")
def test_other_machines_are_reached_through_it() -> None:
    with httpx.Client(**client_options("http://vendor.test")) as client, pytest.raises(httpx.ConnectError):
        client.get("http://vendor.test")


def test_a_socks_proxy_without_its_package_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftbridge.provider.network.find_spec", lambda name: None)
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    with pytest.raises(MissingExtra, match="ALL_PROXY is a SOCKS proxy") as problem:
        check_socks("https://api.vendor.test/v1")
    assert "pip install 'httpx[socks]'" in problem.value.hint
    check_socks("http://127.0.0.1:4010/v1")
    with httpx.Client(**client_options("http://127.0.0.1:4010/v1")):  # which would need the package for a proxy
        pass


def test_organization_and_project_travel_without_line_ends(vendor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-one\r\n")
    monkeypatch.setenv("OPENAI_PROJECT_ID", " \n")
    with open_client(connection(vendor), timeout=5) as client:
        client.fine_tuning.jobs.list()
    assert Seen.headers["openai-organization"] == "org-one"
    assert "openai-project" not in Seen.headers


@pytest.mark.parametrize("end", ["\n", "\r\n", " "])
def test_an_address_is_used_without_its_line_end(vendor: str, end: str) -> None:
    class AcmeSettings(Settings):
        base_url: str = setting("https://api.acme.test/v1", env="ACME_BASE_URL")

    assert AcmeSettings.read({"base_url": vendor + end}, {}).base_url == vendor
    assert AcmeSettings.read({}, {"ACME_BASE_URL": vendor + end}).base_url == vendor
    assert connection(vendor + end).base_url == vendor
    with open_client(connection(vendor + end), timeout=5) as client:
        assert client.fine_tuning.jobs.list().data == []
