"""Settings of a provider: ftbridge.toml, the environment that wins over it, and keys that belong in neither."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from ftbridge import Bridge
from ftbridge.config import Config
from ftbridge.errors import ConfigError
from ftbridge.plugins import load_provider
from ftbridge.provider import Provider, Settings, setting
from ftbridge.provider.hosted import HostedProvider
from ftbridge.target import Target, parse_target
from ftbridge_providers.azure.adapter import AzureProvider

GATEWAY = "https://gateway.example/v1"


class AcmeSettings(Settings):
    secrets: ClassVar[Mapping[str, str]] = {"api_key": "ACME_API_KEY"}
    region: str = setting("eu", env="ACME_REGION", description="Where jobs run.")
    bucket: str | None = None
    retries: int = setting(3, env="ACME_RETRIES")


def test_the_environment_wins_over_the_file_and_the_file_over_the_default() -> None:
    assert AcmeSettings.read({}, {}).region == "eu"
    assert AcmeSettings.read({"region": "us"}, {}).region == "us"
    assert AcmeSettings.read({"region": "us"}, {"ACME_REGION": "asia"}).region == "asia"
    assert AcmeSettings.read({"region": "us"}, {"ACME_REGION": " "}).region == "us"
    assert AcmeSettings.read({"retries": 5}, {"ACME_RETRIES": "7"}).retries == 7


def test_a_setting_knows_what_set_it() -> None:
    settings = AcmeSettings.read({"region": "us", "bucket": "b"}, {"ACME_REGION": "asia"}, where="[providers.acme]")
    assert (settings.source("region"), settings.is_from_file("region")) == ("ACME_REGION", False)
    assert (settings.source("bucket"), settings.is_from_file("bucket")) == ("[providers.acme] bucket", True)
    assert (settings.source("retries"), settings.is_from_file("retries")) == ("ACME_RETRIES", False)


def test_an_unknown_setting_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(ConfigError, match=r"\[providers.acme\] has no setting 'regoin'") as problem:
        AcmeSettings.read({"regoin": "us"}, {}, where="[providers.acme]")
    assert problem.value.hint == "Did you mean 'region'? Its settings are: region, bucket, retries."


@pytest.mark.parametrize(
    ("table", "environment", "what"),
    [
        ({"retries": "many"}, {}, r"\[providers.acme\] retries: "),
        ({"region": 5}, {}, r"\[providers.acme\] region: "),
        ({"retries": 5}, {"ACME_RETRIES": "many"}, "ACME_RETRIES: "),
    ],
)
def test_a_value_of_the_wrong_type_is_named_by_its_source(
    table: dict[str, object], environment: dict[str, str], what: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{what}"):
        AcmeSettings.read(table, environment, where="[providers.acme]")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_key", "canary"),
        ("apikey", "canary"),
        ("token", "canary"),
        ("client_secret", "canary"),
        ("PASSWORD", "canary"),
        ("region", "https://me:canary@gateway.example/v1"),
    ],
)
def test_a_key_in_the_file_is_refused_with_what_to_do_and_never_shown(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=r"keys do not belong in ftbridge\.toml") as problem:
        AcmeSettings.read({name: value}, {})
    assert "set ACME_API_KEY in the environment" in problem.value.hint
    assert "canary" not in problem.value.message + problem.value.hint


def with_settings(tmp_path: Path, provider: str, **settings: object) -> tuple[Provider, list[str]]:
    warnings: list[str] = []
    config = Config(providers={provider: settings}, file=Path("ftbridge.toml"))
    return load_provider(Target(provider, "any"), tmp_path, config=config, warn=warnings.append), warnings


@pytest.mark.parametrize("name", ["openai", "together", "mistral", "nebius", "azure"])
def test_every_hosted_provider_takes_an_address_from_the_file_and_warns_where_the_key_will_go(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, [warning] = with_settings(tmp_path, name, base_url=GATEWAY)
    assert isinstance(provider, HostedProvider)
    monkeypatch.setenv(provider.settings.secrets["api_key"], "canary")
    assert provider.connection.base_url == GATEWAY
    assert f"[providers.{name}] base_url sends your key" in warning
    assert GATEWAY in warning
    monkeypatch.setenv(provider.settings.variable("base_url"), "https://other.example/v1")
    provider, warnings = with_settings(tmp_path, name, base_url=GATEWAY)
    assert isinstance(provider, HostedProvider)
    assert (provider.connection.base_url, warnings) == ("https://other.example/v1", [])


def test_the_vendors_own_address_in_the_file_needs_no_warning(tmp_path: Path) -> None:
    assert with_settings(tmp_path, "openai", base_url="https://api.openai.com/v1/")[1] == []
    assert with_settings(tmp_path, "azure", base_url="https://mine.openai.azure.com")[1] == []


def test_the_account_of_an_address_is_the_same_from_the_file_and_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    from_file = with_settings(tmp_path, "openai", base_url=GATEWAY)[0].account
    monkeypatch.setenv("OPENAI_BASE_URL", GATEWAY)
    assert from_file == with_settings(tmp_path, "openai")[0].account
    monkeypatch.delenv("OPENAI_BASE_URL")
    # as in ledgers of before there were settings
    assert with_settings(tmp_path, "openai")[0].account == "openai/c78d4cf090a3"


def test_azures_resource_is_set_in_the_file(tmp_path: Path) -> None:
    provider, _warnings = with_settings(tmp_path, "azure", resource_id="not-a-resource")
    assert isinstance(provider, AzureProvider)
    with pytest.raises(ConfigError, match=r"\[providers.azure\] resource_id = 'not-a-resource'"):
        provider.deploy("any")


def test_a_mock_takes_no_settings_of_the_vendor(tmp_path: Path) -> None:
    with Bridge(tmp_path, config=Config(providers={"openai": {"base_url": GATEWAY}})) as bridge:
        provider = bridge.provider(parse_target("mock+openai:any"))
        assert isinstance(provider, HostedProvider)
        assert provider.connection.base_url.startswith("http://127.0.0.1:")
        assert bridge.warnings == []


def test_settings_of_no_provider_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\[providers\] opnai is not a provider") as problem:
        Bridge(tmp_path, config=Config(providers={"opnai": {}}))
    assert problem.value.hint.startswith("Did you mean 'openai'?")


def test_a_bridge_that_is_closed_serves_no_mock_any_more(tmp_path: Path) -> None:
    import httpx

    with Bridge(tmp_path) as bridge:
        provider = bridge.provider(parse_target("mock+openai:any"))
        assert isinstance(provider, HostedProvider)
        url = provider.connection.base_url
        assert httpx.get(url).status_code == 404
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


class ShelfSettings(Settings):
    shelf: Path = setting(Path("default"), env="ACME_SHELF")
    note: str = ""


def test_a_relative_path_is_from_the_file_that_it_is_in(tmp_path: Path) -> None:
    table, folders = {"shelf": "models", "note": "models"}, {"shelf": tmp_path, "note": tmp_path}
    settings = ShelfSettings.read(table, {}, folders=folders)
    assert (settings.shelf, settings.note) == (tmp_path / "models", "models")
    assert ShelfSettings.read(table, {"ACME_SHELF": "here"}, folders=folders).shelf == Path("here")
    assert ShelfSettings.read({}, {}, folders=folders).shelf == Path("default")
