"""The Python code in the README and the topics satisfies `mypy --strict`, and typing mistakes in such code do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from mypy import api

from docs.sessions import Block, blocks_of

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "ftbridge" / "docs").glob("*.md"))]
LOOSE = "# mypy: allow-untyped-defs, allow-untyped-calls\n"
"""People write tests without annotations; what they call is checked all the same."""

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


def name_of(block: Block, otherwise: str) -> str:
    """The name of the file that a block is, where others import it."""
    return block.mark.removeprefix("file: ") if block.mark.startswith("file: ") else otherwise


def source_of(block: Block) -> str:
    """The block with what its reader's own program has before it."""
    before = block.mark.removeprefix("part of a program: ") + "\n" if block.mark.startswith("part of") else ""
    return (LOOSE if "import pytest" in block.text else "") + before + block.text


@pytest.mark.timeout(600)  # mypy reads the package once; `make lint` has left its notes of that where this finds them
def test_the_code_is_strictly_typed_and_mistakes_are_found(tmp_path: Path) -> None:
    files = []
    for page in PAGES:
        blocks = [block for block in blocks_of(page.read_text("utf-8")) if block.language == "python"]
        for number, block in enumerate(blocks):
            files.append(tmp_path / name_of(block, f"{page.stem.lower()}_{number}.py"))
            files[-1].write_text(source_of(block), "utf-8")
    assert len(files) > 8
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
