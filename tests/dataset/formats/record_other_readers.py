"""What LLaMA-Factory and TRL make of rows in their formats, recorded for `test_other_readers.py`.

    python record_other_readers.py > other_readers.json

It runs where llamafactory and trl are installed; they are no dependency, since their own ones exclude ours.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any

SHAREGPT_TOOLS: dict[str, Any] = {
    "conversations": [
        {"from": "human", "value": "Weather in Oslo and Rome?"},
        {
            "from": "function_call",
            "value": json.dumps([{"name": "weather", "arguments": {"city": city}} for city in ("Oslo", "Rome")]),
        },
        {"from": "observation", "value": '[{"sky": "grey"}, {"sky": "blue"}]'},
        {"from": "gpt", "value": "Grey and blue."},
    ],
    "system": "Be brief.",
    "tools": '[{"name": "weather", "description": "Weather", "parameters": {"type": "object", "properties": {}}}]',
}
TURNS = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}, {"from": "human", "value": "2+2?"}]

ALPACA: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "instruction and input": (
        {"instruction": "Add.", "input": "1 2", "output": "3", "system": "Be brief.", "history": [["Hi", "Ho"]]},
        {"system": "system", "history": "history"},
    ),
    "instruction alone": ({"instruction": "Add 1 and 2.", "input": "", "output": "3"}, {}),
    "two answers to an instruction": (
        {"instruction": "Add.", "input": "1 2", "chosen": "3", "rejected": "4"},
        {"ranking": True, "chosen": "chosen", "rejected": "rejected"},
    ),
}
SHAREGPT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "turns": ({"conversations": [*TURNS, {"from": "gpt", "value": "4"}], "system": "Be brief."}, {"system": "system"}),
    "calls and results": (SHAREGPT_TOOLS, {"system": "system", "tools": "tools"}),
    "two answers to turns": (
        {"conversations": TURNS, "chosen": {"from": "gpt", "value": "4"}, "rejected": {"from": "gpt", "value": "5"}},
        {"ranking": True, "chosen": "chosen", "rejected": "rejected"},
    ),
}
PAIRS = [
    {
        "prompt": [{"role": "user", "content": f"{number}+1?"}],
        "chosen": [{"role": "assistant", "content": str(number + 1)}],
        "rejected": [{"role": "assistant", "content": "No."}],
    }
    for number in range(3)
]
IMPLICIT = {
    "chosen": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}],
    "rejected": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Go."}],
}


def main() -> None:
    """Write the rows, and what the two programs read."""
    sounds = sys.modules["torchaudio"] = ModuleType("torchaudio")  # not needed for texts
    sounds.__spec__ = ModuleSpec("torchaudio", None)
    recorded = {
        "llamafactory": importlib.metadata.version("llamafactory"),
        "trl": importlib.metadata.version("trl"),
        "rows": {**_llamafactory("Alpaca", ALPACA), **_llamafactory("Sharegpt", SHAREGPT)},
        "pairs": PAIRS,
        "unpaired": _unpaired(),
        "implicit": {"row": IMPLICIT, "read": _extracted()},
    }
    sys.stdout.write(json.dumps(recorded, indent=1, ensure_ascii=False) + "\n")


def _llamafactory(kind: str, rows: dict[str, tuple[dict[str, Any], dict[str, Any]]]) -> dict[str, Any]:
    from llamafactory.data import converter  # type: ignore[import-not-found,unused-ignore]  # see above
    from llamafactory.data.parser import DatasetAttr  # type: ignore[import-not-found,unused-ignore]  # see above

    read = {}
    for name, (row, columns) in rows.items():
        attributes = DatasetAttr("file", dataset_name="rows")
        for key, value in columns.items():
            setattr(attributes, key, value)
        if kind == "Alpaca":
            attributes.prompt, attributes.query, attributes.response = "instruction", "input", "output"
        convert = getattr(converter, f"{kind}DatasetConverter")(attributes, SimpleNamespace(media_dir=""))
        made = convert(row)
        read[name] = {"row": row, "read": {key: made[key] for key in ("_system", "_prompt", "_response", "_tools")}}
    return read


def _unpaired() -> list[Any]:
    from datasets import Dataset  # type: ignore[import-not-found,unused-ignore]  # see above
    from trl import unpair_preference_dataset  # type: ignore[import-not-found,unused-ignore]  # see above

    return list(unpair_preference_dataset(Dataset.from_list(PAIRS)))


def _extracted() -> Any:
    from trl import extract_prompt  # type: ignore[import-not-found,unused-ignore]  # see above

    return extract_prompt(IMPLICIT)


if __name__ == "__main__":
    main()
