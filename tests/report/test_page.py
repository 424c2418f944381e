"""The page itself, in a browser: complete, quiet, narrow enough, without barriers, and harmless."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from ftbridge.report.gather import JobFacts
from ftbridge.report.page import render
from report.browser import shown
from report.made_jobs import HOSTILE, evaluation_of, job_facts, label_rows

THREE = [
    job_facts("at OpenAI", evaluation=evaluation_of(label_rows())),
    job_facts(
        "at Together",
        number=2,
        target="mock+together:Qwen/Qwen3-8B",
        steps=90,
        floor=0.2,
        evaluation=evaluation_of(label_rows(tuned_errors=12), job="ftb_2"),
        sha256="00ab" * 16,
    ),
    job_facts("here", number=3, target="local:tiny", cost=None),
]
ONE = [job_facts(evaluation=evaluation_of(label_rows()))]


def written(jobs: Sequence[JobFacts], folder: Path) -> Path:
    file = folder / "report.html"
    file.write_text(render(jobs), "utf-8")
    return file


@pytest.mark.parametrize(
    ("jobs", "width", "scheme"), [(ONE, 1280, "light"), (THREE, 390, "dark")], ids=["one", "three"]
)
def test_it_loads_nothing_complains_of_nothing_fits_and_has_no_barrier(
    browser: Browser, tmp_path: Path, jobs: list[JobFacts], width: int, scheme: str
) -> None:
    file = written(jobs, tmp_path)
    with shown(browser, file, width=width, scheme=scheme) as found:
        assert found.requests == [file.as_uri()]
        assert found.width() <= width
        for closed in found.page.locator("details").all():
            closed.evaluate("details => { details.open = true; }")
        assert found.width() <= width
        assert found.violations() == []
        assert found.problems == []


def test_everything_of_a_job_is_on_it(browser: Browser, tmp_path: Path) -> None:
    with shown(browser, written(ONE, tmp_path)) as found:
        text = found.page.inner_text("body")
        curves = found.page.locator("figure.chart polyline").count()
    assert curves == 2
    for fact in (
        *("tickets", "mock+openai:gpt-4.1-mini-2025-04-14", "succeeded", "2026-11-30 09:30 UTC", "23 min 7 s"),
        *("/data/tickets.jsonl (400 rows)", "51be" * 16, "7ab01f6c3d9e4f55a0b1c2d3e4f50617"),
        *("epochs 3 (given)", "lora_rank 16 (chosen)", "120 of 120", "$1.90, at most $2.40", "$1.87"),
        *("Better than its base", "88.3%", "50.0%", "77.8 to 94.2", "/data/held-out.jsonl (60 rows)", "9f2c" * 16),
        *("Right before, wrong now: 7 rows", "Wrong before, right now: 30 rows", "Labels", "What to add"),
        *("loss 0.0", "validation loss 0.1"),
    ):
        assert fact in text, fact


def test_several_jobs_stand_beside_each_other(browser: Browser, tmp_path: Path) -> None:
    with shown(browser, written(THREE, tmp_path)) as found:
        table = found.page.locator("section table").first.inner_text()
        text = found.page.inner_text("body")
        curves = found.page.locator("figure.chart polyline").count()
        found.page.get_by_role("link", name="at Together").click()
        assert found.page.evaluate("location.hash") == "#job-2"
    assert all(cell in table for cell in ("at OpenAI", "88.3%", "at Together", "80.0%", "here", "not evaluated"))
    assert curves == 6
    assert "The jobs were scored on different held-out files, so their scores cannot be compared." in text
    assert "Models with different tokenizers have losses on different scales." in text


def test_a_job_without_an_evaluation_says_which_command_adds_one(tmp_path: Path) -> None:
    document = written([job_facts()], tmp_path).read_text("utf-8")
    assert "Not evaluated yet" in document
    assert "ftbridge evaluate ftb_1 HELDOUT.jsonl --baseline" in document


def test_a_hostile_row_is_text_and_bounded(browser: Browser, tmp_path: Path) -> None:
    rows = [(text, f"expected {text}", text, f"{text}!") for text in HOSTILE]
    file = written([job_facts("<b>&\u202ename", evaluation=evaluation_of(rows, "exact"))], tmp_path)
    assert file.stat().st_size < 200_000
    for width in (1280, 390):
        with shown(browser, file, width=width) as found:
            assert found.width() <= width
            assert found.page.locator("script, img, h1 b, .text b").count() == 0
            assert found.page.locator("h1").inner_text() == "<b>&\\u202ename"
            text = str(found.page.text_content("main"))
            assert "<script>alert(1)</script><img src=x onerror=alert(2)>" in text
            assert "\\u202eright to left\\u202c \\x1b[2J\\x07 \\x00" in text
            assert "{{ 7 * 7 }} {% raw %}" in text
            assert "999,400 more characters" in text
            assert (found.problems, found.requests) == ([], [file.as_uri()])


def test_no_script_could_run_even_if_one_were_there(browser: Browser, tmp_path: Path) -> None:
    document = render(ONE)
    planted = tmp_path / "planted.html"
    planted.write_text(
        document.replace("<main>", "<main><script>alert(1)</script><p style='color: red'>x</p>"), "utf-8"
    )
    with shown(browser, planted) as found:
        assert len(found.problems) == 2
        assert all("Content Security Policy" in problem for problem in found.problems)


def test_on_paper_what_is_folded_is_open(browser: Browser, tmp_path: Path) -> None:
    with shown(browser, written(ONE, tmp_path)) as found:
        hidden = found.page.get_by_text("(ticket 4059)").first
        assert not hidden.is_visible()
        found.page.emulate_media(media="print")
        assert hidden.is_visible()
