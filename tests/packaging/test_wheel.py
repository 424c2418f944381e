"""What the wheel and the source distribution contain."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def build(kind: str, out: Path) -> Path:
    command = [sys.executable, "-m", "build", f"--{kind}", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    [file] = out.iterdir()
    return file


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(build("wheel", tmp_path_factory.mktemp("wheel")))


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
    assert not [name for name in held if name.endswith("README.md")]  # they are for who changes the code
    sample = {f"ftbridge/sample/support_{part}.jsonl" for part in ("train", "validation", "heldout")}
    assert sample <= held
    docs = {str(file.relative_to(ROOT)) for kind in ("*.md", "*.toml") for file in (ROOT / "ftbridge/docs").rglob(kind)}
    assert len(docs) > 20
    assert docs <= held
    assert {f"ftbridge/report/templates/{name}" for name in ("report.html", "report.css")} <= held


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


def test_the_metadata_names_the_licence_the_authors_and_the_versions_of_python(wheel: zipfile.ZipFile) -> None:
    [name] = [name for name in wheel.namelist() if name.endswith("METADATA")]
    metadata = wheel.read(name).decode()
    for line in ("License-Expression: Apache-2.0", "License-File: LICENSE", "Author: The ftbridge authors"):
        assert f"{line}\n" in metadata
    for version in ("3.11", "3.12", "3.13"):
        assert f"Classifier: Programming Language :: Python :: {version}\n" in metadata
    [licence] = [name for name in wheel.namelist() if name.endswith(".dist-info/licenses/LICENSE")]
    assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()


def test_the_source_distribution_has_what_a_packager_and_a_contributor_need(tmp_path: Path) -> None:
    with tarfile.open(build("sdist", tmp_path / "dist")) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    files = ("LICENSE", "CHANGELOG.md", "README.md", "Makefile", "constraints.txt", "pyproject.toml", ".ci/run")
    assert {*files, ".ci/test-matrix", ".github/CONTRIBUTING.md", ".github/SECURITY.md"} <= held
    assert "tests/packaging/test_wheel.py" in held
