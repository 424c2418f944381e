"""What the wheel holds, and so what lands in site-packages."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    [file] = out.glob("*.whl")
    return zipfile.ZipFile(file)


def test_the_wheel_holds_three_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" not in name}
    assert tops == {"ftbridge", "ftbridge_providers", "ftbridge_local"}


def test_every_python_file_of_the_source_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    roots = {
        "ftbridge": ROOT,
        "ftbridge_providers": ROOT / "providers",
        "ftbridge_local": ROOT / "local_backend",
    }
    expected = {
        str(file.relative_to(root)) for package, root in roots.items() for file in (root / package).rglob("*.py")
    }
    held = {name for name in wheel.namelist() if name.endswith(".py")}
    assert held == expected
    assert len(held) > 40


def test_the_wheel_carries_its_data_and_says_that_it_is_typed(wheel: zipfile.ZipFile) -> None:
    held = set(wheel.namelist())
    assert {f"{package}/py.typed" for package in ("ftbridge", "ftbridge_providers", "ftbridge_local")} <= held
    sample = {f"ftbridge/sample/support_{part}.jsonl" for part in ("train", "validation", "heldout")}
    assert sample <= held


def test_the_entry_points_name_classes_that_exist(wheel: zipfile.ZipFile) -> None:
    [name] = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    parser = ConfigParser()
    parser.read_string(wheel.read(name).decode())
    assert dict(parser["console_scripts"]) == {"ftbridge": "ftbridge.cli.app:main"}
    held = set(wheel.namelist())
    providers = dict(parser["ftbridge.providers"])
    assert "local" in providers
    for place in providers.values():
        module, _colon, class_name = place.partition(":")
        file = module.replace(".", "/") + ".py"
        assert file in held
        assert f"class {class_name}(" in wheel.read(file).decode()


def test_the_metadata_offers_the_extras(wheel: zipfile.ZipFile) -> None:
    [name] = [name for name in wheel.namelist() if name.endswith("METADATA")]
    metadata = wheel.read(name).decode()
    assert metadata.startswith("Metadata-Version: 2.4")
    for extra in ("openai", "together", "mistral", "local", "all", "dev"):
        assert f"Provides-Extra: {extra}\n" in metadata
