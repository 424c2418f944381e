"""All jobs of one provider move by one command: within one limit, past those that cannot, and nothing bought twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from command_line import Cli
from ftbridge import Bridge, Job, Status
from ftbridge.errors import OverBudget
from ftbridge.mock.vendors import MockVendors
from hosted_helpers import asked
from small_data import write_rows

OPENAI = "openai:gpt-4.1-mini-2025-04-14"
REASONING = "openai:o4-mini-2025-04-16"
QWEN = "together:Qwen/Qwen3-8B"
CHATS = [
    {"messages": [{"role": "user", "content": f"Say {n}."}, {"role": "assistant", "content": f"{n}"}]}
    for n in range(12)
]
TASKS = [{"messages": [{"role": "user", "content": f"Say {n}."}], "reference": {"answer": f"{n}"}} for n in range(12)]
CHECK = {
    "type": "string_check",
    "name": "right",
    "input": "{{sample.output_text}}",
    "reference": "{{ item.answer }}",
    "operation": "eq",
}
FORM = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": {"type": "object"}}}


@pytest.fixture
def chats(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "work" / "chats.jsonl", CHATS)


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "work" / "tasks.jsonl", TASKS)


@pytest.fixture
def jobs(chats: Path, tasks: Path, ftbridge_mock: MockVendors) -> list[Job]:
    """Three that can be moved to Together, and one by reinforcement, which cannot."""
    with Bridge() as bridge:
        made = [bridge.submit(chats, to=OPENAI, epochs=epochs) for epochs in (1, 2, 3)]
        rft: dict[str, Any] = {"validation": tasks, "method": "rft", "grader": CHECK, "response_format": FORM}
        made.append(bridge.submit(tasks, to=REASONING, epochs=1, **rft))
        return [bridge.wait(job) for job in made]


def created(vendors: MockVendors) -> int:
    return asked(vendors["together"], "create_job")


def test_a_line_for_each_job_and_a_total_and_nothing_is_sent(
    jobs: list[Job], here: Cli, ftbridge_mock: MockVendors
) -> None:
    ran = here("migrate", "--all-from", "openai", "--to", QWEN, "--json")
    assert ran.code == 1
    lines = ran.json["jobs"]
    assert [line["job"] for line in lines] == [job.id for job in jobs]
    assert [line["examples"] for line in lines] == [12] * 4
    assert [line["blocked_by"] is None for line in lines] == [True, True, True, False]
    assert lines[3]["blocked_by"].startswith("together has no rft")
    assert lines[3]["changes"].count("no grader") == 1
    one, two, three = (line["training_usd"] for line in lines[:3])
    assert (two, three) == (pytest.approx(2 * one), pytest.approx(3 * one))
    assert ran.json["total_usd"] == pytest.approx(6 * one)
    assert ran.json["total_usd_high"] >= ran.json["total_usd"]
    assert created(ftbridge_mock) == 0


@pytest.mark.parametrize("columns", [80, 200])
def test_people_see_a_table_that_fits(jobs: list[Job], here: Cli, columns: int) -> None:
    ran = here("migrate", "--all-from", "openai", "--to", QWEN, columns=columns)
    assert max(map(len, ran.out.splitlines())) <= columns
    assert "3 of 4 jobs can be moved, for $0." in ran.out
    assert "together has no" in ran.out
    assert "--yes submits 3 jobs" in ran.err


def test_all_that_can_be_moved_are_and_the_same_command_again_buys_nothing(
    jobs: list[Job], here: Cli, ftbridge_mock: MockVendors
) -> None:
    ran = here("migrate", "--all-from", "openai", "--to", QWEN, "--yes", "--json")
    assert ran.code == 1
    made = [line["moved_to"] for line in ran.json["jobs"]]
    assert made[3] is None
    assert created(ftbridge_mock) == len(set(made[:3])) == 3
    with Bridge() as bridge:
        for old, new in zip(jobs, made[:3], strict=False):
            assert bridge.moves(new).moved_from == old.id
            assert bridge.job(new).spec.hyperparameters.epochs == old.spec.hyperparameters.epochs

    again = here("migrate", "--all-from", "openai", "--to", QWEN, "--yes", "--json").json
    assert [line["job"] for line in again["jobs"]] == [jobs[3].id]
    assert [line["moved_to"] for line in again["moved_before"]] == made[:3]
    assert created(ftbridge_mock) == 3
    elsewhere = here("migrate", "--all-from", "openai", "--to", "nebius:Qwen/Qwen3-8B", "--json").json
    assert len(elsewhere["jobs"]) == 4  # another target is another move


@pytest.mark.parametrize("where", ["ftbridge.migration.plan.write_move", "ftbridge.migration.all_jobs.migrate"])
def test_broken_off_it_goes_on_where_it_stopped(
    jobs: list[Job], ftbridge_mock: MockVendors, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    module, _, name = where.rpartition(".")
    real = getattr(__import__(module, fromlist=[name]), name)
    calls = []

    def second_dies(*given: Any, **named: Any) -> Any:
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*given, **named)

    with Bridge() as bridge:
        plan = bridge.plan_all("openai", QWEN)
        with monkeypatch.context() as dying:
            dying.setattr(where, second_dies)
            with pytest.raises(KeyboardInterrupt):
                list(bridge.migrate_all(plan))
        before = created(ftbridge_mock)
        left = bridge.plan_all("openai", QWEN)
        assert len(left.done) == 1
        list(bridge.migrate_all(left))
        assert created(ftbridge_mock) == 3 >= before >= 1
        assert all(len(bridge.moves(job).moved_to) == 1 for job in jobs[:3])


def test_the_limit_is_over_all_and_judged_before_the_first(jobs: list[Job], ftbridge_mock: MockVendors) -> None:
    with Bridge() as bridge:
        plan = bridge.plan_all("openai", QWEN)
        total, one = plan.total_usd_high, plan.ready[0].training_usd_high
        assert total
        assert one
        with pytest.raises(OverBudget, match="3 jobs may cost"):
            list(bridge.migrate_all(plan, max_cost=total * 0.9))
        assert created(ftbridge_mock) == 0
        assert total * 0.9 > one  # each alone would have been within it
        moves = list(bridge.migrate_all(plan, max_cost=1.0))
        assert [bool(move.moved_to) for move in moves] == [True, True, True, False]


def test_a_limit_where_a_price_is_unknown_is_refused(jobs: list[Job], here: Cli) -> None:
    ran = here("migrate", "--all-from", "openai", "--to", "nebius:no/such-model", "--max-cost", "5", "--yes")
    assert ran.code == 2
    assert "is not known" in ran.err


def test_one_that_the_vendor_refuses_hinders_no_other(jobs: list[Job], here: Cli, ftbridge_mock: MockVendors) -> None:
    ftbridge_mock["together"].faults.add("create_job=422")
    ran = here("migrate", "--all-from", "openai", "--to", QWEN, "--yes", "--json")
    assert ran.code == 1
    assert [bool(line["moved_to"]) for line in ran.json["jobs"]] == [False, True, True, False]
    assert ran.json["jobs"][0]["blocked_by"]
    again = here("migrate", "--all-from", "openai", "--to", QWEN, "--yes", "--json").json
    assert [bool(line["moved_to"]) for line in again["jobs"]] == [True, False]


def test_what_has_not_succeeded_is_moved_only_when_asked_for(
    chats: Path, here: Cli, ftbridge_mock: MockVendors
) -> None:
    with Bridge() as bridge:
        ftbridge_mock["openai"].faults.add("create_job=fail")
        failed = bridge.wait(bridge.submit(chats, to=OPENAI, epochs=1))
    assert failed.status is Status.FAILED
    assert here("migrate", "--all-from", "openai", "--to", QWEN, "--json").json["jobs"] == []
    [line] = here("migrate", "--all-from", "openai", "--to", QWEN, "--any-status", "--json").json["jobs"]
    assert line["job"] == failed.id


def test_an_account_without_jobs_is_told_how_to_have_them(here: Cli, ftbridge_mock: MockVendors) -> None:
    ran = here("migrate", "--all-from", "openai", "--to", QWEN)
    assert ran.code == 0
    assert "ftbridge import openai" in ran.err
    assert here("migrate", "--all-from", "opnai", "--to", QWEN).code == 2


@pytest.mark.parametrize("lost", [False, True], ids=["from the ledger", "from its vendor"])
def test_reinforcement_is_carried_with_its_grader_and_form(
    jobs: list[Job], home: Path, ftbridge_mock: MockVendors, lost: bool
) -> None:
    if lost:
        (home / "ledger.sqlite").unlink()
    name = f"openai:{jobs[3].remote_id}"
    with Bridge() as bridge:
        plan = bridge.plan_migration(name, REASONING, epochs=2)
        assert plan.blocking == ()
        assert (plan.spec.grader, plan.spec.response_format) == (CHECK, FORM)
        output = {
            name: [field for field in plan.fields if field.name == name] for name in ("grader", "response_format")
        }
        assert {field.value for field in output["grader"]} == set(CHECK.values())
        for fields in output.values():
            assert fields
            assert {field.outcome for field in fields} == {"carried"}
        rows = [json.loads(line) for line in plan.spec.data.read_text("utf-8").splitlines()]
        assert rows == TASKS
        done = bridge.wait(bridge.migrate(plan))
        assert done.status is Status.SUCCEEDED
        assert done.spec.grader == CHECK
    bodies = [seen.call.body for seen in ftbridge_mock["openai"].seen if seen.operation == "create_job"]
    before, after = bodies[-2]["method"]["reinforcement"], bodies[-1]["method"]["reinforcement"]
    assert (after["grader"], after["response_format"]) == (before["grader"], before["response_format"])
    assert after["hyperparameters"]["n_epochs"] == 2


def test_the_plan_says_which_jobs_train_the_same(
    chats: Path, tmp_path: Path, ftbridge_mock: MockVendors, here: Cli
) -> None:
    copy = write_rows(tmp_path / "work" / "copy.jsonl", CHATS)
    with Bridge() as bridge:
        first = bridge.wait(bridge.submit(chats, to=OPENAI, epochs=1, name="one"))
        twin = bridge.wait(bridge.submit(copy, to=OPENAI, epochs=1, name="two", again=True))
        other = bridge.wait(bridge.submit(chats, to=OPENAI, epochs=2))
    lines = {line["job"]: line for line in here("migrate", "--all-from", "openai", "--to", QWEN, "--json").json["jobs"]}
    assert [lines[job.id]["same_as"] for job in (first, twin, other)] == [None, first.id, None]
    shown = here("migrate", "--all-from", "openai", "--to", QWEN, columns=200).out
    assert f"trains the same as {first.id}: both would be paid for" in shown


def test_a_note_that_goes_for_all_jobs_is_given_once(here: Cli, jobs: list[Job]) -> None:
    ran = here("migrate", "--all-from", "openai", "--to", QWEN, "--yes")
    notes = [line for line in ran.err.splitlines() if line.startswith("note: ")]
    assert sum("Qwen/Qwen3-8B is a reasoning model" in note for note in notes) == 1
    assert len(set(notes)) == len(notes)
