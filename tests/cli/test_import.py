"""An account's own jobs, which ftbridge never saw, are taken into the ledger, and known by the models they made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from command_line import Cli
from ftbridge import Bridge, Status
from ftbridge.errors import JobNotFound, NotFound
from ftbridge.jobs.recovery.importing import ledger_id
from ftbridge.ledger import due
from ftbridge.mock.vendors import MockVendors
from ftbridge.model import Hyperparameters, Spec
from ftbridge.plugins import load_provider
from ftbridge.provider import Files, Provider, RemoteJob
from ftbridge.target import Target, parse_target
from hosted_helpers import asked, finished

CHAT = "openai:gpt-4.1-mini-2025-04-14"
TARGETS = [
    CHAT,
    "together:Qwen/Qwen3-8B",
    "mistral:open-mistral-nemo",
    "azure:gpt-4.1-mini-2025-04-14",
    "nebius:Qwen/Qwen3-8B",
]


class Made(NamedTuple):
    """A job that somebody has made at a vendor without ftbridge, and the provider that it was made by."""

    provider: Provider
    job: RemoteJob
    target: Target

    @property
    def name(self) -> str:
        """What ftbridge calls its model."""
        assert self.job.result
        return f"{self.target.provider}:{self.job.result.model}"


Make = Callable[..., Made]


@pytest.fixture
def make(rows: Path, home: Path, ftbridge_mock: MockVendors) -> Iterator[Make]:
    """Makes a job at a vendor, with a suffix that is nobody's tag, and waits for its end."""
    opened: list[Provider] = []

    def one(to: str, *, suffix: str = "tickets", epochs: int = 2) -> Made:
        target = parse_target(to)
        provider = load_provider(target, home)
        opened.append(provider)
        spec = Spec(target=to, data=rows, hyperparameters=Hyperparameters(epochs=epochs))
        files = Files(training=provider.upload(rows, key="k1"))
        made = provider.create(spec, target.model, files, tag=suffix)
        return Made(provider, finished(provider, made.remote_id), target)

    yield one
    for provider in opened:
        provider.close()


@pytest.mark.parametrize("to", TARGETS)
def test_every_vendors_job_is_taken_in_whole_and_only_once(make: Make, to: str, ftbridge_mock: MockVendors) -> None:
    made = make(to)
    with Bridge() as bridge:
        found = bridge.import_jobs(made.target.provider)
        [job] = found.adopted
        assert (found.known, found.broken_off) == (0, None)
        assert job.id == ledger_id(made.target.provider, made.job.remote_id)
        assert (job.target, job.remote_id, job.status) == (to, made.job.remote_id, Status.SUCCEEDED)
        assert job.result == made.job.result
        assert job.name == "tickets"
        assert job.spec.hyperparameters.epochs == 2
        assert job.finished_at
        events = bridge.events(job)
        assert "imported from" in str(events[0])
        assert events[-1].status is Status.SUCCEEDED
        assert job.latest.step == max(event.step or 0 for event in events)

        again = bridge.import_jobs(made.target.provider)
        assert (again.adopted, again.known) == ((), 1)
        assert bridge.jobs() == [job]
        assert len(bridge.events(job)) == len(events)
    assert asked(ftbridge_mock[made.target.provider], "create_job") == 1


@pytest.mark.parametrize("to", TARGETS)
def test_every_vendors_tuned_model_is_moved_by_its_name(make: Make, to: str) -> None:
    other, made = make(to, suffix="other"), make(to)
    elsewhere = TARGETS[1] if to == CHAT else CHAT
    with Bridge() as bridge:
        plan = bridge.plan_migration(made.name, elsewhere)
        assert plan.job == f"{made.target.provider}:{made.job.remote_id}"
        assert plan.model == (made.job.result.model if made.job.result else None)
        assert plan.spec.hyperparameters.epochs == 2
        new = bridge.migrate(plan)
        assert bridge.moves(made.name).moved_to == (new.id,)
        with pytest.raises(JobNotFound) as problem:
            bridge.job(other.name)
        assert f"ftbridge import {made.target.provider}" in problem.value.hint
        again = bridge.plan_migration(made.name, elsewhere)
        assert again.job == bridge.job(made.name).id
        assert bridge.migrate(again).id == new.id


@pytest.mark.parametrize("to", [to for to in TARGETS if not to.startswith("mistral")])
def test_a_checkpoint_leads_to_the_job_that_it_is_of(make: Make, to: str) -> None:
    made = make(to)
    kept = made.provider.checkpoints(made.job.remote_id)[0].model
    with Bridge() as bridge:
        plan = bridge.plan_migration(f"{made.target.provider}:{kept}", "together:Qwen/Qwen3-8B")
    assert plan.job == f"{made.target.provider}:{made.job.remote_id}"


@pytest.mark.parametrize("to", TARGETS)
def test_a_model_whose_job_is_listed_no_more_is_said_to_be_so(to: str, ftbridge_mock: MockVendors) -> None:
    provider = to.partition(":")[0]
    with Bridge() as bridge, pytest.raises(NotFound, match=f"{provider} lists no job that made lost-model") as problem:
        bridge.plan_migration(f"{provider}:lost-model", CHAT)
    assert "ftbridge submit" in problem.value.hint


def test_a_model_in_the_ledger_stands_for_its_job_in_every_command(make: Make, here: Cli, tmp_path: Path) -> None:
    made = make(CHAT)
    assert here("show", made.name).code == 2
    assert here("import", "openai").code == 0
    [job] = here("jobs", "--json").json["jobs"]
    assert here("show", made.name, "--json").json["id"] == job["id"]
    assert "succeeded" in here("events", made.name).out
    assert here("chat", made.name, "Say two.").out.strip() == "two"
    assert here("fetch", made.name, "--out", tmp_path / "out").code == 0
    assert list((tmp_path / "out").glob("file-*.csv"))
    held = Path("rows.jsonl")
    assert here("evaluate", made.name, held, "--json").json["tuned"]["exact_match"] == 1.0
    almost = made.name[:-1]
    assert here("show", almost).code == 2


def test_what_is_tried_first_writes_nothing(make: Make, here: Cli, home: Path) -> None:
    make(CHAT)
    tried = here("import", "openai", "--dry-run", "--json").json
    assert (tried["dry_run"], tried["complete"], tried["known"], len(tried["jobs"])) == (True, True, 0, 1)
    assert here("jobs", "--json").json == {"jobs": [], "deployments": []}
    assert [job["id"] for job in here("import", "openai", "--json").json["jobs"]] == [tried["jobs"][0]["id"]]


def test_only_jobs_since_a_day_are_taken(make: Make, here: Cli) -> None:
    make(CHAT)
    today = datetime.now(UTC).date()
    late = here("import", "openai", "--since", str(today + timedelta(days=2)), "--json").json
    assert (late["jobs"], late["complete"]) == ([], True)
    assert len(here("import", "openai", "--since", str(today - timedelta(days=1)), "--json").json["jobs"]) == 1
    assert here("import", "openai", "--since", "yesterday").code == 2


@pytest.mark.parametrize("columns", [80, 200])
def test_people_see_what_was_taken_in(make: Make, here: Cli, columns: int) -> None:
    make(CHAT)
    ran = here("import", "openai", columns=columns)
    assert max(map(len, ran.out.splitlines())) <= columns
    assert "tickets" in ran.out
    assert "openai: 1 job imported, 0 already in the ledger." in ran.err


def test_two_at_once_take_each_job_in_once(make: Make) -> None:
    made = [make(CHAT, suffix=f"n{number}") for number in range(4)]

    def take(_number: int) -> set[str]:
        with Bridge() as bridge:
            return {job.id for job in bridge.import_jobs("openai").adopted}

    with ThreadPoolExecutor() as pool:
        one, other = pool.map(take, range(2))
    assert not one & other
    with Bridge() as bridge:
        assert {job.remote_id for job in bridge.jobs()} == {one.job.remote_id for one in made}
        assert {job.id for job in bridge.jobs()} == one | other


def test_what_still_runs_is_watched_like_any_other(make: Make, ftbridge_mock: MockVendors, here: Cli) -> None:
    provider = make(CHAT).provider
    ftbridge_mock["openai"].speed = 60.0
    spec = Spec(target=CHAT, data=Path("rows.jsonl"))
    file = provider.upload(spec.data, key="k1")
    running = provider.create(spec, parse_target(CHAT).model, Files(training=file), tag="live")
    with Bridge() as bridge:
        found = {job.remote_id: job for job in bridge.import_jobs("openai").adopted}
        job = found[running.remote_id]
        assert not job.status.final
        done = bridge.wait(job)
        assert done.status is Status.SUCCEEDED
        assert done.result


def test_a_list_that_breaks_off_keeps_what_it_gave_and_says_so(
    make: Make, here: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        make(CHAT, suffix=f"n{number}")

    def short(items: list[dict[str, Any]], call: Any, _default: int) -> tuple[list[dict[str, Any]], bool]:
        return ([], True) if call.query.get("after") else (items[:2], True)

    with monkeypatch.context() as broken:
        broken.setattr("ftbridge_providers.openai_api.mock.vendor.page_of", short)
        ran = here("import", "openai", "--json")
    assert ran.code == 1
    assert not ran.json["complete"]
    assert "sends nothing new" in ran.json["broken_off"]
    assert len(ran.json["jobs"]) == len(here("jobs", "--json").json["jobs"]) == 2

    whole = here("import", "openai", "--json")
    assert (whole.code, whole.json["known"], len(whole.json["jobs"])) == (0, 2, 1)


def test_events_that_could_not_be_read_are_brought_by_the_same_command(
    make: Make, ftbridge_mock: MockVendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(CHAT)
    ftbridge_mock["openai"].faults.add("job_events=403")
    with Bridge() as bridge:
        [job] = bridge.import_jobs("openai").adopted
        assert "the events of 1 job could not be read" in bridge.warnings[-1]
        assert (job.status, len(bridge.events(job))) == (Status.SUCCEEDED, 1)
        assert bridge.import_jobs("openai").known == 1
        assert bridge.events(job)[-1].status is Status.SUCCEEDED
        assert bridge.job(job).latest.step


def test_hooks_are_not_told_of_what_was_over_before(make: Make, home: Path) -> None:
    home.mkdir()
    (home / "ftbridge.toml").write_text('[hooks.shell]\ncommand = ["true"]\n', "utf-8")
    make(CHAT)
    with Bridge() as bridge:
        assert len(bridge.import_jobs("openai").adopted) == 1
        assert bridge.hooks.callable
        assert not list(due(bridge.ledger, datetime.now(UTC) + timedelta(days=9), bridge.hooks.callable))


def test_a_job_by_a_method_nobody_knows_here_is_left_out_and_said(
    make: Make, here: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(CHAT)
    monkeypatch.setattr("ftbridge_providers.openai_api.reading._METHODS", {})
    ran = here("import", "openai")
    assert ran.code == 0
    assert "1 job skipped" in ran.err
    assert here("jobs", "--json").json == {"jobs": [], "deployments": []}


def test_a_provider_that_nobody_has_is_a_mistake(here: Cli) -> None:
    ran = here("import", "opnai")
    assert ran.code == 2
    assert "opnai" in ran.err
