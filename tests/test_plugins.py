"""Finding providers by entry point."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ftbridge.errors import MissingExtra, SpecError, TargetError
from ftbridge.plugins import load_provider, provider_names
from ftbridge.target import Target, parse_target


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A third party's distribution, as pip would have installed it."""
    site = tmp_path / "site"
    info = site / "acme_tunes-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-tunes\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text(
        "[ftbridge.providers]\nacme = acme_tunes:AcmeProvider\nbare = acme_bare:BareProvider\n", "utf-8"
    )
    (site / "acme_tunes.py").write_text(
        "from ftbridge.model import Method\n"
        "from ftbridge.provider import Capabilities, Provider\n"
        "class AcmeProvider(Provider):\n"
        "    name = 'acme'\n"
        "    capabilities = Capabilities(methods={Method.SFT}, hyperparameters={})\n",
        "utf-8",
    )
    (site / "acme_bare.py").write_text("import a_package_that_is_not_installed\n", "utf-8")
    monkeypatch.syspath_prepend(site)
    return site


def test_every_registered_provider_can_be_loaded_and_knows_its_name(tmp_path: Path) -> None:
    names = provider_names()
    assert "local" in names
    for name in names:
        assert load_provider(Target(name, "any"), tmp_path).name == name


def test_an_unknown_provider_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="'nonsense'") as problem:
        load_provider(parse_target("nonsense:x"), tmp_path)
    assert "local" in problem.value.hint


@pytest.mark.parametrize(
    ("typed", "meant"), [("opnai:x", "openai"), ("mock+togther:x", "together"), ("locl:x", "local")]
)
def test_a_mistyped_provider_is_asked_about(tmp_path: Path, typed: str, meant: str) -> None:
    with pytest.raises(TargetError) as problem:
        load_provider(parse_target(typed), tmp_path)
    assert problem.value.hint.startswith(f"Did you mean {meant!r}?")


def test_a_mistyped_name_of_ftbridge_toml_is_asked_about() -> None:
    with pytest.raises(TargetError) as problem:
        parse_target("suport", {"support": "local:tiny"})
    assert problem.value.hint.startswith("Did you mean 'support'?")


@pytest.mark.usefixtures("plugin")
def test_a_third_party_registers_in_the_same_group(tmp_path: Path) -> None:
    provider = load_provider(parse_target("acme:small"), tmp_path)
    assert provider.name == "acme"
    assert "acme" in provider_names()


@pytest.mark.usefixtures("plugin")
def test_a_missing_package_names_the_command_that_installs_it(tmp_path: Path) -> None:
    with pytest.raises(MissingExtra, match="a_package_that_is_not_installed") as problem:
        load_provider(parse_target("bare:small"), tmp_path)
    assert problem.value.hint == "Install it with: pip install 'acme-tunes[bare]'"


def test_a_mock_without_its_packages_names_what_installs_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith(("ftbridge.mock", "ftbridge_providers.mistral"))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "starlette.applications", None)
    with pytest.raises(MissingExtra, match="the mock of mistral needs") as problem:
        load_provider(parse_target("mock+mistral:any"), tmp_path)
    assert problem.value.hint == "Install it with: pip install 'ftbridge[mock]'"


def test_a_provider_without_a_mock_says_so(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="local has no mock"):
        load_provider(parse_target("mock+local:tiny"), tmp_path)


def test_hyperparameters_out_of_range_are_named() -> None:
    from ftbridge.spec import make_spec

    with pytest.raises(SpecError, match="epochs = 0 cannot be used") as problem:
        make_spec(target="local:tiny", data=Path("x"), hyperparameters={"epochs": 0})
    assert "another value" in problem.value.hint
    with pytest.raises(SpecError, match="'epoch' is not a hyperparameter"):
        make_spec(target="local:tiny", data=Path("x"), hyperparameters={"epoch": 1})
    with pytest.raises(SpecError, match="method"):
        make_spec(target="local:tiny", data=Path("x"), method="grpo", hyperparameters={})
