"""The Python code in the README satisfies `mypy --strict`, and typing mistakes in such code do not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mypy import api

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
BEFORE = {
    "my_pipeline": "def my_pipeline() -> None: ...\n",
    "peft": 'import peft\nfrom transformers import AutoModelForCausalLM\nbase = ""\n',
}
"""What the reader's own program has before a block that is a part of one."""

MISTAKES = """
import asyncio
from ftbridge import AsyncBridge, Bridge

with Bridge() as bridge:
    bridge.submit("rows.jsonl", to="local:tiny", epoch=3)
    bridge.submit("rows.jsonl", to="local:tiny", epochs="three")
    bridge.compare("rows.jsonl", "local:tiny", lora_rnk=8)
    bridge.plan_migration("last", "local:tiny", tuning="none")
    bridge.chat("last", "Hi", temprature=0)

async def main() -> None:
    async with AsyncBridge() as bridge:
        job = await bridge.submit("rows.jsonl", to="local:tiny", epoch=3)
        print(job.statsu)
        async for _job, event in bridge.watch(job):
            print(event.step)
"""
FOUND = [
    'Unexpected keyword argument "epoch"; did you mean "epochs"?',
    'Argument "epochs" has incompatible type "str"; expected "int | None"',
    'Unexpected keyword argument "lora_rnk"; did you mean "lora_rank"?',
    'Argument "tuning" has incompatible type "Literal[\'none\']"',
    'Unexpected keyword argument "temprature"; did you mean "temperature"?',
    'Unexpected keyword argument "epoch"; did you mean "epochs"?',
    '"Job" has no attribute "statsu"; maybe "status"?',
    'Item "None" of "Event | None" has no attribute "step"',
]


@pytest.mark.timeout(600)  # mypy reads the package once; `make lint` has left its notes of that where this finds them
def test_the_readmes_code_is_strictly_typed_and_mistakes_are_found(tmp_path: Path) -> None:
    files = [tmp_path / f"block_{number}.py" for number in range(len(BLOCKS))]
    for file, block in zip(files, BLOCKS, strict=True):
        before = "".join(text for name, text in BEFORE.items() if name in block and f"import {name}" not in block)
        # people write tests without annotations; what they call is checked all the same
        loose = "# mypy: allow-untyped-defs, allow-untyped-calls\n" if "def test_" in block or "pytest" in block else ""
        file.write_text(loose + before + block, "utf-8")
    parrot = next(file for file, block in zip(files, BLOCKS, strict=True) if "class ParrotProvider" in block)
    parrot = parrot.rename(tmp_path / "parrot.py")
    files = [parrot if not file.exists() else file for file in files]
    wrong = tmp_path / "wrong.py"
    wrong.write_text(MISTAKES, "utf-8")
    config = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache")]
    output, problems, _code = api.run(["--strict", *config, *map(str, [*files, wrong])])
    assert not problems
    errors = [line for line in output.splitlines() if ": error: " in line]
    assert [line for line in errors if wrong.name not in line] == []
    assert len(errors) == len(FOUND)
    for line, sentence in zip(errors, FOUND, strict=True):
        assert sentence in line
