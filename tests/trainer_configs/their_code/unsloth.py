"""Asks Unsloth's own code about config.yaml in the working folder; prints a line of JSON."""

# ruff: noqa: T201  # what it prints is its result
# mypy: ignore-errors
# Unsloth is unpacked without its dependencies, and mypy does not see it.
from __future__ import annotations

import importlib.util
import json
import sys
from importlib.machinery import PathFinder
from pathlib import Path


def parse():
    """The config as its command reads it: an unknown key is an error. Its package needs a GPU, its config none."""
    found = PathFinder.find_spec("unsloth_cli", sys.path[1:])
    file = Path(found.submodule_search_locations[0]) / "config.py"
    spec = importlib.util.spec_from_file_location("unsloth_config", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules["unsloth_config"] = module
    spec.loader.exec_module(module)
    return module.load_config(Path("config.yaml")).model_dump(mode="json")


if __name__ == "__main__":
    print(json.dumps({"parse": parse}[sys.argv[1]](**json.loads(sys.argv[2]))))
