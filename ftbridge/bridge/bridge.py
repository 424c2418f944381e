"""Submit, watch, fetch and talk to fine-tuning jobs, at any provider."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import structs

from ftbridge.bridge.compare import Machine, Offer, compare
from ftbridge.bridge.evaluate import Evaluation, evaluate, tuned_model
from ftbridge.bridge.fetching import fetch_whole
from ftbridge.bridge.guard import check_cost, check_open, cost_of
from ftbridge.bridge.intent import make_intent, object_of, place_of, request_hash
from ftbridge.bridge.lifecycle import Ending, endings
from ftbridge.bridge.migrate import Migration, Moves, carry_out, moves_of, plan_migration
from ftbridge.bridge.prepare import prepare, sent_files, sentence
from ftbridge.bridge.queue import advance, with_queue
from ftbridge.bridge.rebuilding import Found, adopt_listed
from ftbridge.bridge.submitting import submit
from ftbridge.bridge.watch import Watch, look_once
from ftbridge.bridge.workplace import Workplace
from ftbridge.capabilities import ExportForm
from ftbridge.catalogue import Catalogue, Load
from ftbridge.config import Config, load_config
from ftbridge.dataset import Conversion, Converter, Report, TokenCount, advise, check, convert, count_tokens
from ftbridge.dataset.example import Chat, System, User
from ftbridge.errors import FtbridgeError, JobFailed, RateLimited, SpecError, UsageError
from ftbridge.home import find_home
from ftbridge.ledger import Prepared, Record
from ftbridge.model import Event, Job, Result, Spec, Status, make_spec, now
from ftbridge.provider import Deployment, Provider, Reply
from ftbridge.target import Target, parse_target

_NO_LOAD, _UNPRICED = Load(), Machine()


class Bridge:
    """One dataset, one job, any provider.

    >>> bridge = Bridge()                                            # doctest: +SKIP
    >>> job = bridge.submit("support.jsonl", to="local:tiny", epochs=3)
    >>> job = bridge.wait(job)
    >>> print(bridge.chat(job, "Where is my order?"))

    State lives in `home` ($FTBRIDGE_HOME, or the platform's user data folder); any number of
    bridges and processes may share one. `warn` gets each sentence that has to be said before
    something is done; by default they are collected in `said`.
    """

    def __init__(
        self,
        home: Path | None = None,
        *,
        config: Config | None = None,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        self.home = home or find_home()
        self.config = config or load_config()
        self.said: list[str] = []
        self._warn = warn or self.said.append
        self._place = Workplace(self.home, self.config, self._warn)
        self._ledger = self._place.ledger

    def close(self) -> None:
        """Let go of connections and of the ledger's file; `with Bridge() as bridge:` does it at the block's end."""
        self._place.close()

    def __enter__(self) -> Bridge:
        return self

    def __exit__(self, *_problem: object) -> None:
        self.close()

    def check(
        self,
        data: str | Path,
        to: Sequence[str] = (),
        *,
        validation: str | Path | None = None,
        near: bool = False,
        workers: int = 1,
        method: str = "sft",
        grader: Mapping[str, Any] | str | Path | None = None,
        format: str | None = None,  # noqa: A002 - the word users know
    ) -> Report:
        """All findings in `data`: by ftbridge's own rules, by those of each target in `to`, and what to think about.

        The targets' rules are those for `method`, and, with `grader`, for what that reads of each row. With
        `validation`, examples that are in both files are found; with `near`, near duplicates as well.
        """
        converters = [self._rules(_sketch(data, text, method, grader)) for text in to]
        report = check(data, format=format, converters=converters, workers=workers)
        advice = advise(data, validation=validation, near=near, format=format) if report.examples else ()
        return structs.replace(report, warnings=report.warnings + len(advice), findings=(*report.findings, *advice))

    def convert(
        self,
        data: str | Path,
        to: str,
        out: str | Path,
        *,
        method: str = "sft",
        grader: Mapping[str, Any] | str | Path | None = None,
        format: str | None = None,  # noqa: A002 - as above
        workers: int = 1,
    ) -> Conversion:
        """Write `data` as the target wants it to the file `out`, whole or not at all."""
        return convert(data, self._rules(_sketch(data, to, method, grader)), out, format=format, workers=workers)

    def count_tokens(
        self,
        data: str | Path,
        to: str,
        *,
        exact: bool = False,
        vocabulary: Path | None = None,
        format: str | None = None,  # noqa: A002 - as above
    ) -> TokenCount:
        """The tokens of `data` by the tokenizer of the target's model, or the nearest that is at hand.

        `vocabulary` is a file of that tokenizer: o200k_base.tiktoken for OpenAI, elsewhere a tokenizer.json.
        """
        target = self._target(to)
        provider = self._provider(target)
        return count_tokens(
            data, provider.counter(provider.resolve(target.model), vocabulary), exact=exact, format=format
        )

    @property
    def catalogue(self) -> Catalogue:
        """What is known of the vendors' models: the rows of all installed providers, and the user's own."""
        return self._place.catalogue

    def compare(
        self,
        data: str | Path,
        to: Sequence[str],
        *,
        validation: str | Path | None = None,
        method: str = "sft",
        load: Load = _NO_LOAD,
        machine: Machine = _UNPRICED,
        live: bool = False,
        measure: bool = False,
        format: str | None = None,  # noqa: A002 - as above
        **hyperparameters: Any,
    ) -> list[Offer]:
        """What training on `data`, and then serving `load`, costs at each target; cheapest first.

        By the catalogue, offline; with `live` the vendors are asked for their dates and limits. A target on
        this machine is priced by `machine`, and with `measure` a few rows are trained there to learn its speed.
        """
        held = Path(validation) if validation else None
        spec = make_spec(target="", data=Path(data), validation=held, method=method, hyperparameters=hyperparameters)
        train = partial(self._try_out, method=method) if measure else None
        return compare(self._place, spec, to, load, machine=machine, live=live, measure=train, format=format)

    def submit(
        self,
        data: str | Path,
        to: str,
        *,
        validation: str | Path | None = None,
        method: str = "sft",
        grader: Mapping[str, Any] | str | Path | None = None,
        response_format: Mapping[str, Any] | str | Path | None = None,
        name: str | None = None,
        key: str | None = None,
        max_cost: float | None = None,
        allow_ignored: bool = False,
        format: str | None = None,  # noqa: A002 - as above
        **hyperparameters: Any,
    ) -> Job:
        """Check, convert, upload and start one job; returns as soon as the provider has it.

        With `key`, asking again for the same gives the same job instead of another one. `grader` and
        `response_format`, of reinforcement, are objects in the vendor's own words, or files that hold them.
        Raises `UsageError` or `DataError` before anything leaves this machine, `OverBudget` among them where
        the job may cost more than `max_cost`, in US dollars, or the month's budget.
        """
        target = self._place.target(to)
        provider = self._provider(target)
        spec = make_spec(
            target=str(target),
            data=place_of(data),
            validation=place_of(validation) if validation else None,
            method=method,
            grader=object_of(grader),
            response_format=object_of(response_format),
            name=name,
            max_cost_usd=max_cost,
            hyperparameters=hyperparameters,
        )
        warnings, spec = provider.check_spec(spec, allow_ignored=allow_ignored)
        check_open(self._place, target, spec.method)
        prepared, more = self._prepare(spec, provider.rules(spec, target.model), format)
        for said in [*warnings, *more, *self._advice(spec, format)]:
            self._warn(said)
        cost = cost_of(self._place, target, spec, *sent_files(prepared, self.home))
        check_cost(self._place, target, cost, max_cost)
        record = self._ledger.add(make_intent(spec, prepared, key, cost))
        if record.request_hash != request_hash(spec, prepared):
            raise SpecError(
                f"the key {key!r} stands for another request: job {record.job.id}",
                hint="Use another key, or ask for the same data, target and hyperparameters.",
            )
        return self._send(record)

    def _send(self, record: Record) -> Job:
        """Send the job to its provider, those before it in the queue first; it may have to wait here."""
        job_id = record.job.id
        try:
            advance(self._place, record.provider, before=job_id)
        except FtbridgeError as problem:
            self._warn(f"jobs that wait for {record.provider} could not be sent: {problem.message}")
        try:
            provider, most = self._provider_of(record), self._place.places(record.provider)
            sent = submit(record, provider, self._ledger, self.home, most=most)
        except RateLimited as problem:
            self._warn(f"{problem.message}; job {job_id} waits here, and `ftbridge watch` sends it again")
            return self.job(job_id)
        if sent.job.status is Status.SUBMITTING and sent.posted_at is None:
            self._warn(
                f"{record.provider} runs {most} jobs at once; job {job_id} waits here, and `ftbridge watch` sends it"
            )
        return self.job(job_id)

    def recover(self) -> list[Job]:
        """Finish what a crash or an unclear answer left `submitting`, and send what waits; the jobs that moved on."""
        waiting = self._ledger.jobs(Status.SUBMITTING)
        for name in {record.provider for record in waiting}:
            advance(self._place, name)
        after = [self.job(record.job.id) for record in waiting]
        return [job for job in after if job.status is not Status.SUBMITTING]

    def recover_from_vendors(self, to: Sequence[str] = ()) -> Iterator[Found]:
        """Take into the ledger every job that its vendor lists with ftbridge's tag, vendor by vendor.

        `to` names providers; without it all that are installed and can be asked are.
        """
        return adopt_listed(self._place, to)

    def plan_migration(self, job: Job | str, to: str, **given: Any) -> Migration:
        """What doing a job again at another target would mean: what is carried, changed, or left behind.

        `job` is one of the ledger, or `provider:id` of one that ftbridge never saw. `given` are `data` and
        `validation`, where the vendor does not give its files back, and hyperparameters to have instead.
        """
        return plan_migration(self._place, job if isinstance(job, str) else job.id, to, **given)

    def migrate(self, plan: Migration) -> Job:
        """Submit the job of a plan, and link it to the old one, which is taken into the ledger if need be."""
        return carry_out(self._place, plan, submit=self.submit, refresh=self.refresh)

    def moves(self, job: Job | str) -> Moves:
        """Which job this one was moved from, and which to."""
        return moves_of(self._place, self._record(job).job.id)

    def lifecycle(self, *, offline: bool = False) -> list[Ending]:
        """Every job and tuned model that is going to end, soonest first: in the ledger, and at the vendors."""
        return endings(self._place, offline=offline)

    def jobs(self) -> list[Job]:
        """All jobs as the ledger has them, oldest first."""
        records = self._ledger.jobs()
        return with_queue(records, self._place.places)

    def job(self, job: Job | str) -> Job:
        """One job as the ledger has it, by its id, an unambiguous beginning of it, or "last"."""
        record = self._record(job)
        if record.job.status is not Status.SUBMITTING:
            return record.job
        return next(queued for queued in self.jobs() if queued.id == record.job.id)

    def refresh(self, *jobs: Job | str) -> list[Job]:
        """Ask the providers once, and return the jobs as they are then; without arguments, all of them."""
        records = [self._record(job) for job in jobs] if jobs else self._ledger.jobs()
        problems = look_once(self._place, [record.job.id for record in records])
        if problems and jobs:
            raise problems[0]
        for problem in problems:
            self._warn(problem.message)
        return [self.job(record.job.id) for record in records] if jobs else self.jobs()

    def events(self, job: Job | str) -> list[Event]:
        """Everything that is known to have happened to the job, oldest first."""
        return [event for _number, event in self._ledger.events(self._record(job).job.id)]

    def watch(
        self,
        *jobs: Job | str,
        history: bool = True,
        fetch_to: str | Path | None = None,
        listen: int | None = None,
    ) -> Iterator[tuple[Job, Event | None]]:
        """Yield each job with each of its events, from the beginning, until all the jobs are over.

        Without `history` what the ledger holds already is left out. A job that changed, and one job at
        every round, is yielded with `None`, so that a caller can draw, or stop. Jobs that wait for a
        place are sent when there is one, in order; hooks are told. With `fetch_to`, what a job gives is
        fetched into `fetch_to`/ID as soon as it has succeeded; with `listen`, a loopback port, vendors'
        webhooks at /PROVIDER are taken as a wake-up.
        """
        watch = Watch(self._place, fetch_to=Path(fetch_to) if fetch_to else None, listen=listen)
        known = [self._record(job).job.id for job in jobs]
        yield from watch.follow({job_id: 0 if history else len(self._ledger.events(job_id)) for job_id in known})

    def wait(self, job: Job | str, *, timeout: float | None = None) -> Job:
        """Return when the job is over. Raises `TimeoutError` after `timeout` seconds; the job goes on."""
        deadline = time.monotonic() + timeout if timeout is not None else None
        for current, event in self.watch(job):
            if event is None and deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"job {current.id} is still {current.status} after {timeout} s")
        return self.job(job)

    def cancel(self, job: Job | str) -> Job:
        """Stop the job for good. A job that is over stays as it is."""
        return self._steer(job, lambda provider, remote_id: provider.cancel(remote_id))

    def pause(self, job: Job | str) -> Job:
        """Stop the job so that `resume` can go on with it."""
        return self._steer(job, lambda provider, remote_id: provider.pause(remote_id))

    def resume(self, job: Job | str) -> Job:
        """Let a paused job, or a failed one where the provider can, go on from its last checkpoint."""
        record = self._record(job)
        if not record.job.remote_id:
            raise UsageError(
                f"job {record.job.id} never reached the provider, so there is nothing to go on with",
                hint="Submit it again.",
            )
        if record.job.status not in (Status.PAUSED, Status.FAILED):
            raise UsageError(
                f"job {record.job.id} is {record.job.status}; only a paused or failed job can be resumed",
                hint=f"`ftbridge show {record.job.id}` tells more.",
            )
        self._provider_of(record).resume(record.job.remote_id)
        event = Event(at=now(), kind="status", status=Status.QUEUED, message="resumed")
        self._ledger.change(record, [event], status=Status.QUEUED, error=None, finished_at=None)
        return self.refresh(record.job.id)[0]

    def fetch(self, job: Job | str, out: str | Path) -> Result:
        """Write what the finished job gives as the folder `out`. Raises `JobFailed` if it gives nothing.

        Raises `InputError` where the folder holds anything else than this job's result.
        """
        record = self._succeeded(job)
        return fetch_whole(record.job, self._provider_of(record).fetch, Path(out).absolute())

    def export(self, job: Job | str, out: str | Path, *, form: ExportForm = "merged") -> Result:
        """Write the result as the folder `out` in a form that other programs take, with a model card.

        Raises as `fetch` does, and `Unsupported` for a provider whose results stay with it.
        """
        record = self._succeeded(job)
        provider = self._provider_of(record)
        return fetch_whole(record.job, lambda job, folder: provider.package(job, form, folder), Path(out).absolute())

    def deploy(self, job: Job | str, *, tier: str | None = None) -> Deployment:
        """Have the vendor serve the tuned model until `undeploy`, and return when it answers.

        Only for vendors that do not serve it by themselves. What it costs is said before it is asked for.
        """
        record = self._succeeded(job)
        provider = self._provider_of(record)
        if cost := provider.hosting(tier):
            self._warn(cost)
        return provider.deploy(tuned_model(record.job), tier=tier)

    def undeploy(self, job: Job | str) -> None:
        """Stop serving the tuned model, and paying for that; the vendor keeps the model."""
        record = self._succeeded(job)
        self._provider_of(record).undeploy(tuned_model(record.job))

    def chat(self, job: Job | str, prompt: str | Chat, *, system: str | None = None, **options: Any) -> Reply:
        """The tuned model's answer to one prompt, or to a whole chat."""
        record = self._succeeded(job)
        if isinstance(prompt, str):
            prompt = Chat(messages=[*([System(content=system)] if system else []), User(content=prompt)])
        return self._provider_of(record).chat(tuned_model(record.job), prompt, **options)

    def evaluate(
        self,
        job: Job | str,
        data: str | Path,
        *,
        baseline: bool = False,
        against: Job | str | None = None,
        margin: float = 0.05,
    ) -> Evaluation:
        """Score the tuned model on held-out chats, and its base beside it with `baseline`.

        With `against`, another job, on the same rows, and whether this one is as good: not worse by more
        than `margin`, a share of exact answers.
        """
        record = self._succeeded(job)
        other = self._succeeded(against).job if against else None
        return evaluate(self._place, record.job, Path(data), baseline=baseline, against=other, margin=margin)

    def _try_out(self, data: Path, to: str, method: str) -> None:
        self.wait(self.submit(data, to, method=method, name="speed", epochs=1))

    def _steer(self, job: Job | str, ask: Callable[[Provider, str], None]) -> Job:
        [current] = self.refresh(job)
        if current.status.final:
            self._warn(f"job {current.id} is over already: it {_ENDED[current.status]}")
            return current
        if not current.remote_id:
            raise UsageError(
                f"job {current.id} is still being submitted", hint="`ftbridge recover` finishes that; then try again."
            )
        provider = self._provider_of(self._record(current))
        ask(provider, current.remote_id)
        for _look in range(10):  # many take a moment to obey
            [after] = self.refresh(current)
            if after.status is not current.status:
                return after
            time.sleep(min(0.5, provider.poll_seconds))
        return after

    def _succeeded(self, job: Job | str) -> Record:
        record = self._record(self.refresh(job)[0])
        if record.job.status is not Status.SUCCEEDED:
            why = f": {record.job.error}" if record.job.error else ""
            raise JobFailed(
                f"job {record.job.id} is {record.job.status}{why}",
                hint=f"`ftbridge watch {record.job.id}` follows it." if not record.job.status.final else "",
            )
        return record

    def _advice(self, spec: Spec, format: str | None) -> list[str]:  # noqa: A002 - as above
        """What to think about before paying; standard input has been read by now, and is not looked at again."""
        if str(spec.data) == "-":
            return []
        return [sentence(finding) for finding in advise(spec.data, validation=spec.validation, format=format)]

    def _prepare(self, spec: Spec, converter: Converter, format: str | None) -> tuple[Prepared, list[str]]:  # noqa: A002 - as above
        training, said = prepare(spec.data, converter, spec, self.home, format)
        if spec.validation is None:
            return Prepared(training=training), said
        validation, more = prepare(spec.validation, converter, spec, self.home, format)
        return Prepared(training=training, validation=validation), [*said, *more]

    def _rules(self, spec: Spec) -> Converter:
        target = self._target(spec.target)
        provider = self._provider(target)
        return provider.rules(spec, provider.resolve(target.model))

    def _record(self, job: Job | str) -> Record:
        return self._ledger.job(job if isinstance(job, str) else job.id)

    def _target(self, text: str) -> Target:
        return parse_target(text, self.config.targets)

    def _provider_of(self, record: Record) -> Provider:
        return self._place.named(record.provider)

    def _provider(self, target: Target) -> Provider:
        return self._place.provider(target)


_ENDED = {Status.SUCCEEDED: "succeeded", Status.FAILED: "failed", Status.CANCELLED: "was cancelled"}


def _sketch(data: str | Path, to: str, method: str, grader: Mapping[str, Any] | str | Path | None) -> Spec:
    """As much of a spec as the rules for a file go by."""
    return make_spec(target=to, data=Path(data), method=method, grader=object_of(grader), hyperparameters={})
