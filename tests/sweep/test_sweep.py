"""One command tries many hyperparameters at several vendors, within one budget, and shows the best first."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from command_line import Cli
from ftbridge import Bridge, Status
from ftbridge.errors import SpecError, UsageError
from ftbridge.mock.vendors import MockVendors
from hosted_helpers import asked, sent
from small_data import write_rows
from sweep.swept import BOTH, CHATS, OPENAI, QWEN, created
from watching_helpers import standing_still


def test_a_dry_run_shows_the_trials_and_what_they_may_cost_and_sends_nothing(
    here: Cli, chats: Path, vendors: MockVendors
) -> None:
    ran = here("sweep", chats, *BOTH, "--learning-rate", "1e-4,2e-4", "--to", QWEN, "--dry-run", columns=80)
    assert ran.code == 2  # openai has a multiplier instead
    ran = here("sweep", chats, *BOTH, "--dry-run", columns=80)
    assert ran.code == 0, ran.err
    assert max(map(len, ran.out.splitlines()[:10])) <= 80
    assert "4 trials, for at most $0." in ran.out
    assert "12 of 24 examples, held out of training by --sweep-seed 0. No job was created." in ran.out
    document = here("sweep", chats, *BOTH, "--dry-run", "--json").json
    prices = {trial["number"]: trial["estimate_usd"] for trial in document["trials"]}
    assert prices[3] == pytest.approx(3 * prices[1])
    assert created(vendors) == 0
    with Bridge() as bridge:
        assert bridge.jobs() == []
        assert not list((bridge.home / "prepared").glob("*"))


def test_all_trials_are_scored_on_the_same_rows_and_the_same_command_again_buys_nothing(
    here: Cli, chats: Path, vendors: MockVendors
) -> None:
    ran = here("sweep", chats, *BOTH, "--name", "orders", "--max-cost", "5", "--json")
    assert ran.code == 0, ran.err
    document = ran.json
    assert {trial["outcome"] for trial in document["trials"]} == {"succeeded"}
    assert document["rows"] == 12
    assert document["trials"][0]["number"] == document["best"]
    assert all(trial["score"]["exact_match"] == 0.0 for trial in document["trials"])
    assert 0 < document["usd"] == pytest.approx(sum(trial["cost_usd"] for trial in document["trials"]))
    answers = sum(asked(vendors[name], "chat") for name in ("openai", "together"))
    assert created(vendors) == 4

    again = here("sweep", chats, *BOTH, "--name", "orders", "--max-cost", "5", "--json").json
    resumed = here("sweep", "--resume", "orders", "--json").json
    assert again == resumed == document
    assert created(vendors) == 4
    assert sum(asked(vendors[name], "chat") for name in ("openai", "together")) == answers
    listed = here("jobs", "--group", "orders", "--json").json
    assert sorted(job["name"] for job in listed["jobs"]) == ["orders-1", "orders-2", "orders-3", "orders-4"]


def test_people_see_the_best_first_in_a_table_that_fits(here: Cli, chats: Path, vendors: MockVendors) -> None:
    ran = here("sweep", chats, *BOTH, "--name", "orders", columns=80)
    assert ran.code == 0, ran.err
    table = ran.out.splitlines()[:11]
    assert max(map(len, table)) <= 80
    assert all(word in table[1] for word in ("exact", "loss", "cost", "a point"))
    assert "4 of 4 trials of orders succeeded" in ran.out
    assert "The best is orders-2 (ftb_" in ran.out  # of equals the cheapest
    assert "looks better on them than it is" in ran.err


def test_a_point_costs_the_training_by_the_points_of_exact_answers(chats: Path, vendors: MockVendors) -> None:
    with Bridge() as bridge:
        [trial] = bridge.sweep(chats, OPENAI, validation=chats, epochs=[1]).trials  # the mock repeats what it has seen
    assert trial.score
    assert trial.score.exact_match == 1.0
    assert trial.usd_per_point == pytest.approx((trial.cost_usd or 0.0) / 100)


def test_what_a_target_does_not_take_is_refused_before_anything_is_sent(
    here: Cli, chats: Path, vendors: MockVendors
) -> None:
    ran = here("sweep", chats, *BOTH, "--lora-rank", "8,16")
    assert ran.code == 2
    assert f"{OPENAI} does not take --lora-rank 8: openai has no lora_rank" in ran.err
    assert "Nothing was sent." in ran.err
    assert created(vendors) == 0
    with pytest.raises(SpecError, match="epochs = 'x'"), Bridge() as bridge:
        bridge.sweep(chats, QWEN, epochs=["x"])  # type: ignore[list-item]


def test_rows_that_one_target_does_not_take_stop_the_sweep_at_all_of_them(
    here: Cli, tmp_path: Path, vendors: MockVendors
) -> None:
    few = write_rows(tmp_path / "work" / "few.jsonl", CHATS[:12])
    ran = here("sweep", few, *BOTH)
    assert ran.code == 1
    assert "the file has 6 valid examples" in ran.err
    assert "Hold out another share with --validation-split, or give --validation." in ran.err
    bad = write_rows(tmp_path / "work" / "bad.jsonl", [*CHATS, {"messages": []}])
    ran = here("sweep", bad, *BOTH)
    assert ran.code == 1
    assert "bad.jsonl, line 25" in ran.err
    assert created(vendors) == 0


def test_a_trial_that_is_refused_does_not_stop_the_others_and_is_sent_again(
    here: Cli, chats: Path, vendors: MockVendors
) -> None:
    vendors["openai"].faults.add("create_job=400x1")
    options = ("--to", OPENAI, "--epochs", "1,3", "--validation", str(chats), "--no-evaluate", "--name", "two")
    ran = here("sweep", chats, *options, "--json")
    assert ran.code == 1
    assert sorted(trial["outcome"] for trial in ran.json["trials"]) == ["failed", "succeeded"]
    again = here("sweep", chats, *options, "--json")
    assert again.code == 0, again.out
    assert len(vendors_jobs(vendors)) == 2


@pytest.mark.parametrize("fault", ["500-after", "cut-after", "slow:0.1"])
def test_an_answer_that_is_lost_makes_no_second_job(chats: Path, vendors: MockVendors, fault: str) -> None:
    vendors["openai"].faults.add(f"create_job={fault}x2")
    with Bridge() as bridge:
        found = bridge.sweep(chats, OPENAI, validation=chats, epochs=[1, 3], evaluate=False)
    assert [(trial.outcome, trial.why) for trial in found.trials] == [("succeeded", None)] * 2
    assert len(vendors_jobs(vendors)) == 2


def vendors_jobs(vendors: MockVendors) -> set[str]:
    """The tags of the jobs that OpenAI's mock lists."""
    import openai

    with openai.OpenAI() as client:
        listed = [job.metadata or {} for job in client.fine_tuning.jobs.list()]
    assert len({job["ftbridge"] for job in listed}) == len(listed)
    return {job["ftbridge"] for job in listed}


def test_a_trial_that_a_person_drops_while_it_waits_here_is_not_created_again(
    chats: Path, vendors: MockVendors, open_bridge: Callable[..., Bridge]
) -> None:
    bridge = open_bridge(limits={"openai": 1})
    options: dict[str, Any] = {"validation": chats, "epochs": [1, 3], "evaluate": False}
    with ExitStack() as until_it_is_dropped:
        until_it_is_dropped.enter_context(standing_still(vendors))

        def drop_the_second(trial: Any) -> None:
            if trial.number == 2 and trial.outcome == "open":
                bridge.cancel(trial.job)
                until_it_is_dropped.close()

        found = bridge.sweep(chats, OPENAI, **options, progress=drop_the_second)
    assert {trial.number: trial.outcome for trial in found.trials} == {1: "succeeded", 2: "cancelled"}
    assert bridge.sweep(chats, OPENAI, **options) == found
    assert len(vendors_jobs(vendors)) == 1


def test_ctrl_c_leaves_the_jobs_running(
    here: Cli, chats: Path, vendors: MockVendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_given: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("ftbridge.sweep.trials._follow", interrupted)
        ran = here("sweep", chats, *BOTH, "--name", "orders")
    assert ran.code == 130
    assert "Stopped; jobs keep running. The same command goes on with the sweep." in ran.err
    assert here("sweep", "--resume", "orders", "--no-evaluate").code == 0
    assert created(vendors) == 4


def test_a_name_stands_for_one_sweep(here: Cli, chats: Path, vendors: MockVendors) -> None:
    with Bridge() as bridge:
        bridge.submit(chats, OPENAI, group="mine", epochs=1)
        bridge.sweep(chats, OPENAI, validation=chats, epochs=1, name="orders", evaluate=False)
    ran = here("sweep", chats, *BOTH, "--name", "orders")
    assert ran.code == 2
    assert "there is a sweep orders already, with other values of: --validation" in ran.err
    assert "has jobs that no sweep has made" in here("sweep", chats, *BOTH, "--name", "mine").err
    assert "has a colon" in here("sweep", chats, *BOTH, "--name", "a:b").err
    assert "--epochs would change it" in here("sweep", "--resume", "orders", "--epochs", "3").err
    assert "Did you mean 'orders'?" in here("sweep", "--resume", "order").err
    assert here("sweep", "--epochs", "3").code == 2


def test_data_that_has_changed_is_another_sweep(here: Cli, chats: Path, vendors: MockVendors) -> None:
    with Bridge() as bridge:
        bridge.sweep(chats, OPENAI, validation=chats, epochs=1, name="orders", evaluate=False)
        unnamed = bridge.sweep(chats, OPENAI, validation=chats, epochs=1, dry_run=True).name
    write_rows(chats, CHATS[:20])
    ran = here("sweep", "--resume", "orders")
    assert ran.code == 2
    assert "chats.jsonl has changed since sweep orders began" in ran.err
    with Bridge() as bridge:
        assert bridge.sweep(chats, OPENAI, validation=chats, epochs=1, dry_run=True).name != unnamed


def test_rows_in_no_file_are_given_again(vendors: MockVendors) -> None:
    with Bridge() as bridge:
        options: dict[str, Any] = {"validation_split": 0.5, "epochs": 1, "evaluate": False, "name": "rows"}
        found = bridge.sweep(CHATS, OPENAI, **options)
        assert [trial.outcome for trial in found.trials] == ["succeeded"]
        assert bridge.sweep(CHATS, OPENAI, **options) == found
        with pytest.raises(UsageError, match="were in no file"):
            bridge.resume_sweep("rows")
    assert created(vendors) == 1


def test_the_rows_that_judge_are_read_in_the_format_that_is_given(tmp_path: Path, vendors: MockVendors) -> None:
    rows = [{"prompt": f"q{n}", "completion": f"a{n}", "label": n % 4 != 0} for n in range(24)]
    data, held = write_rows(tmp_path / "data.jsonl", rows), write_rows(tmp_path / "held.jsonl", rows)
    with Bridge() as bridge:
        found = bridge.sweep(data, OPENAI, validation=held, format="kto-wanted", epochs=1)
    assert [trial.why for trial in found.trials] == [None]
    assert (found.rows, found.trials[0].score is not None) == (18, True)


def test_the_rows_held_out_are_not_trained_on(chats: Path, vendors: MockVendors) -> None:
    with Bridge() as bridge:
        [trial] = bridge.sweep(chats, OPENAI, validation_split=0.5, epochs=1, evaluate=False).trials
        assert bridge.job(str(trial.job)).status is Status.SUCCEEDED
    [body] = sent(vendors["openai"], "create_job")
    import openai

    with openai.OpenAI() as client:
        files = [client.files.content(body[name]).text for name in ("training_file", "validation_file")]
    training, held_out = ({line for line in text.splitlines() if line} for text in files)
    assert (len(training), len(held_out)) == (12, 12)
    assert not training & held_out
    assert sorted(json.loads(line)["messages"][1]["content"] for line in training | held_out) == sorted(
        f"{n}" for n in range(24)
    )


def test_what_cannot_be_scored_is_ranked_by_its_validation_loss(chats: Path, vendors: MockVendors) -> None:
    vendors["openai"].faults.add("chat=404x99")
    with Bridge() as bridge:
        found = bridge.sweep(chats, OPENAI, validation=chats, epochs=[1, 3])
    assert all("not scored" in str(trial.why) for trial in found.trials)
    losses = [trial.valid_loss or 0.0 for trial in found.trials]
    assert losses == sorted(losses)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"method": "rft"}, "a sweep compares validation losses, which rft does not have"),
        ({"method": "stf"}, "method = 'stf' cannot be used"),
        ({"max_cost": -1}, "max_cost = -1 cannot be used"),
        ({"halving": 1}, "halving = 1 would stop no trial"),
        ({"validation_split": 1.5}, "validation_split = 1.5 cannot be used"),
        ({"name": "x" * 49}, "it must be 1 to 48 printable characters"),
        ({"trials": 0}, "the sweep would have 0 trials"),
    ],
)
def test_what_cannot_be_swept_is_refused(
    chats: Path, vendors: MockVendors, given: dict[str, Any], sentence: str
) -> None:
    with Bridge() as bridge, pytest.raises(UsageError, match=sentence):
        bridge.sweep(chats, OPENAI, epochs=1, **given)
    assert created(vendors) == 0
