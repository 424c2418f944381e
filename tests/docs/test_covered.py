"""All that a person may type stands in a topic, and nothing else does; the pages are short and plain."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.coverage import (
    ROOT,
    broken_links,
    commands,
    long_sentences,
    missing,
    odd_words,
    pages,
    too_long,
    unknown,
)
from docs.generated import ENVIRONMENT, EXTRAS, renewed
from ftbridge.docs import TOPIC_OF_COMMAND, TOPICS, summary

PAGES = pages()
TOPICS_TEXT = "\n".join(text for name, text in PAGES.items() if name != "README")


def test_all_that_one_may_type_stands_in_a_topic() -> None:
    assert missing(TOPICS_TEXT) == []


@pytest.mark.parametrize(
    "thing",
    "--near-duplicates `--lora-rank` `unknown_role` `OverBudget` HF_TOKEN `xlsx` `[budgets]` OPENAI_API_KEY".split(),
)
def test_what_is_left_out_is_found(thing: str) -> None:
    assert missing(TOPICS_TEXT.replace(thing, "…").replace(thing.strip("`"), "…"))


@pytest.mark.parametrize("page", PAGES)
def test_the_page_names_nothing_that_does_not_exist(page: str) -> None:
    assert unknown(PAGES[page]) == []


@pytest.mark.parametrize(
    "untrue", ["`ftbridge inspect`", "$ ftbridge check a --quick", "`--quick`", "`ftbridge help cooking`"]
)
def test_an_invented_name_is_found(untrue: str) -> None:
    assert len(unknown(untrue)) == 1


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_short_plain_and_its_links_lead_somewhere(page: str) -> None:
    text = PAGES[page]
    assert too_long(page, text) == []
    assert odd_words(text) == []
    assert long_sentences(text) == []
    assert broken_links(text, ROOT) == []
    if page != "README":
        assert text.startswith("# ")
        assert 20 < len(summary(page)) < 60
        assert "](" not in text


def test_faults_of_a_text_are_found() -> None:
    assert odd_words("A sound example has no least fee.") == ["sound example", "least fee"]
    assert odd_words("`--vocab FILE`, and a card.\n```\nsimply\n```") == ["--vocab"]
    assert long_sentences("Word " * 46 + ".\n\nShort.") == ["Word " * 46 + "."]
    assert broken_links("[a](tests) [b](nothing.md)", ROOT) == ["nothing.md"]
    assert too_long("jobs", "\n" * 151) == ["jobs has 151 lines, and 150 at most"]
    assert len(too_long("README", "word " * 1301)) == 1


@pytest.mark.parametrize("page", TOPICS)
def test_the_generated_parts_are_current(page: str) -> None:
    assert renewed(PAGES[page]) == PAGES[page], "run python tests/docs/generated.py"


def test_a_generated_part_that_was_changed_by_hand_is_found() -> None:
    text = PAGES["hyperparameters"].replace("Passes over the examples", "Rounds")
    assert renewed(text) == PAGES["hyperparameters"] != text


def test_every_command_has_a_topic_that_speaks_of_it() -> None:
    assert set(TOPIC_OF_COMMAND) == set(commands())
    silent = [command for command, topic in TOPIC_OF_COMMAND.items() if command not in PAGES[topic]]
    assert silent == []
    assert [command for command in commands() if f"`{command}" not in PAGES["README"]] == []


def test_every_file_beside_the_topics_is_one() -> None:
    assert {file.stem for file in (ROOT / "ftbridge" / "docs").glob("*.md")} == set(TOPICS)


def test_the_words_for_extras_and_variables_are_of_existing_ones() -> None:
    text = Path(ROOT / "pyproject.toml").read_text("utf-8")
    assert [extra for extra in EXTRAS if f"\n{extra} = [" not in text] == []
    files = [
        file for room in ("ftbridge", "providers", "local_backend", "tests") for file in (ROOT / room).rglob("*.py")
    ]
    sources = "".join(file.read_text("utf-8") for file in files if file.name != "generated.py")
    assert [name for name in ENVIRONMENT if name not in sources] == []
