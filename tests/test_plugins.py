"""Finding providers by entry point."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from command_line import Cli
from ftbridge.errors import BrokenPlugin, MissingExtra, SpecError, TargetError
from ftbridge.plugins import load_mock, load_provider, mock_names, provider_names, read_faults, usable_mocks
from ftbridge.target import Target, parse_target
from third_party import install

ACME_TUNES = """
from ftbridge.model import Method
from ftbridge.provider import Capabilities, Provider
class AcmeProvider(Provider):
    name = 'acme'
    capabilities = Capabilities(methods={Method.SFT}, hyperparameters={})
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A third party's distribution, as pip would have installed it."""
    site = tmp_path / "site"
    entry_points = "[ftbridge.providers]\nacme = acme_tunes:AcmeProvider\nbare = acme_bare:BareProvider\n"
    bare = "import a_package_that_is_not_installed\n"
    install(site, monkeypatch, "acme-tunes", entry_points, acme_tunes=ACME_TUNES, acme_bare=bare)
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


BROKEN = {
    "a module that raises": ("raise ValueError('boom')", "ValueError: boom"),
    "one that ends the process": ("raise SystemExit(3)", "SystemExit: 3"),
    "one that panics": ("class Panic(BaseException): ...\nraise Panic('core')", "Panic: core"),
    "an attribute that is missing": ("", "AttributeError: "),
    "a syntax error": ("def", "SyntaxError: "),
    "no class": ("def AcmeProvider(home): raise KeyError(1)", "TypeError: "),
    "another class": ("class AcmeProvider: pass", "TypeError: "),
    "no capabilities": (
        "from ftbridge.provider import Provider\nclass AcmeProvider(Provider): name = 'acme'",
        "TypeError: ",
    ),
    "a constructor that raises": (
        "    def __init__(self, *_, **__): raise RuntimeError('down')",
        "RuntimeError: down",
    ),
    "a catalogue that is invalid": ("    def catalogue(self): return [{}['price']]", "KeyError: 'price'"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_is_named_once_and_everything_else_goes_on(
    plugin: Path, here: Cli, rows: Path, case: str
) -> None:
    source, why = BROKEN[case]
    module = plugin / "acme_tunes.py"
    module.write_text((module.read_text("utf-8") if source.startswith("    ") else "") + source + "\n", "utf-8")
    sys.modules.pop("acme_tunes", None)
    catalogue = here("catalogue", "--json")
    assert catalogue.code == 0
    assert {model["target"].partition(":")[0] for model in catalogue.json["models"]} >= {"openai", "together"}
    [warning] = [line for line in catalogue.err.splitlines() if "acme" in line]
    assert why in warning
    assert here("check", rows, "--to", "openai:gpt-4.1-mini-2025-04-14").code == 0
    assert "together" in here("providers").out
    assert here("jobs").code == 0
    if "catalogue" not in case:
        named = here("check", rows, "--to", "acme:small")
        assert named.code == 2
        assert why in named.err
        assert "acme-tunes" in named.err


@pytest.mark.usefixtures("plugin")
def test_listing_names_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.EntryPoint.load", None)
    assert {"acme", "bare", "local"} <= set(provider_names())
    assert "openai" in mock_names()


@pytest.fixture
def broken_extras(plugin: Path) -> None:
    """A mock and a tracker that raise where they are loaded, and a tracker that raises where it is opened."""
    entries = plugin / "acme_tunes-1.0.dist-info" / "entry_points.txt"
    more = "[ftbridge.mocks]\nacme = acme_broken:Mock\n[ftbridge.reporters]\nbad = acme_broken:x\nshy = acme_shy:x\n"
    entries.write_text(entries.read_text("utf-8") + more, "utf-8")
    (plugin / "acme_broken.py").write_text("1 / 0\n", "utf-8")
    (plugin / "acme_shy.py").write_text("def x(location, job): raise LookupError(location)\n", "utf-8")
    for name in ("acme_broken", "acme_shy"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("broken_extras")
def test_a_broken_mock_is_left_out_of_the_mocks(tmp_path: Path) -> None:
    warnings: list[str] = []
    assert "openai" in usable_mocks(warnings.append)
    [warning] = warnings
    assert warning.startswith("the mock of acme cannot be used: ZeroDivisionError")
    assert read_faults(["create_job=500"])
    with pytest.raises(BrokenPlugin, match="ZeroDivisionError"):
        load_mock("acme")


@pytest.mark.usefixtures("broken_extras", "vendors")
def test_a_broken_tracker_gets_a_sentence_and_a_watch_goes_on_without_it(here: Cli, rows: Path) -> None:
    job = here("submit", rows, "--to", "openai:gpt-4.1-mini-2025-04-14", "--json").json["id"]
    refused = here("watch", job, "--report", "bad:x")
    assert refused.code == 2
    assert "tracker bad cannot be used: ZeroDivisionError" in refused.err
    watched = here("watch", job, "--report", "shy:place")
    assert watched.code == 0
    assert "tracker shy cannot be used: LookupError: place" in watched.err


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
