"""Metrics of third parties, by the entry-point group `ftbridge.metrics`."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftbridge.errors import BrokenPlugin, MissingExtra, UsageError
from ftbridge.graders import GradingContext, run_grader, sample_of
from ftbridge.graders.metrics import Exact
from ftbridge.plugins import load_metric, metric_names, usable_metrics
from third_party import install


@pytest.fixture(autouse=True)
def _plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry_points = (
        "[ftbridge.metrics]\n"
        "length = acme_metrics:Length\n"
        "exact = acme_metrics:Length\n"
        "broken = acme_metrics:missing\n"
        "other = acme_metrics:Other\n"
        "bare = acme_metrics_bare:Bare\n"
    )
    source = (
        "from ftbridge.graders import Grade, Metric\n"
        "class Length(Metric):\n"
        "    name = 'length'\n"
        "    def grade(self, item, sample):\n"
        "        return Grade(score=1 / (1 + len(sample['output_text'])))\n"
        "class Other: pass\n"
    )
    bare = "import a_package_that_is_not_installed\n"
    install(tmp_path, monkeypatch, "acme-metrics", entry_points, acme_metrics=source, acme_metrics_bare=bare)


def test_a_plugins_metric_is_a_grader() -> None:
    assert run_grader(load_metric("length"), {}, sample_of("abc"), GradingContext()).score == 0.25


def test_a_row_on_which_a_plugin_fails_costs_that_row() -> None:
    grade = run_grader(load_metric("length"), {}, {}, GradingContext())
    assert grade.error is not None
    assert grade.error.code == "other_error"
    assert grade.error.message == "the metric length failed: KeyError: 'output_text'"


def test_a_built_in_metric_cannot_be_replaced() -> None:
    assert isinstance(load_metric("exact"), Exact)


def test_an_unknown_metric_names_the_known_ones() -> None:
    assert {"exact", "json", "label", "length", "text", "tools"} <= {*metric_names()}
    with pytest.raises(UsageError, match="no metric is called 'lenght'") as problem:
        load_metric("lenght")
    assert problem.value.hint.startswith("Did you mean 'length'? Known: ")


def test_a_broken_plugin_is_named_and_left_out() -> None:
    with pytest.raises(BrokenPlugin, match="the metric broken cannot be used: AttributeError"):
        load_metric("broken")
    with pytest.raises(BrokenPlugin, match="is no subclass of"):
        load_metric("other")
    with pytest.raises(MissingExtra, match="a_package_that_is_not_installed"):
        load_metric("bare")
    warnings: list[str] = []
    usable = usable_metrics(warnings.append)
    assert "length" in usable
    assert not {"broken", "other", "bare"} & usable.keys()
    assert [warning.split(" ")[2] for warning in warnings] == ["bare", "broken", "other"]
