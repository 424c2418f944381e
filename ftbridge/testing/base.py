"""What all parts of the suite share: a small uploaded dataset, a finished job, and waiting for a status."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Collection, Iterator
from typing import Any, ClassVar, NamedTuple, Protocol

import pytest

from ftbridge.dataset import convert
from ftbridge.errors import FtbridgeError, ProviderError
from ftbridge.model import FINAL, Event, Hyperparameters, Spec, Status
from ftbridge.provider import Files, Provider, RemoteJob, Verb

_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
ROWS = [
    {"messages": [{"role": "user", "content": f"Say {word}."}, {"role": "assistant", "content": word}]}
    for word in _WORDS
]
TAG = "ftb_contract0001"
"""The tag of the finished job."""


class Faults(Protocol):
    """A way to make the vendor misbehave, as the fixture `faults` may give one.

    Verbs are those of `Provider`, and "content", the request that carries a file's bytes. Kinds are
    those of `ftbridge.mock.faults.Kind`.
    """

    @property
    def kinds(self) -> Collection[str]:
        """The kinds that it can cause."""
        ...

    def inject(self, verb: str, kind: str, *, seconds: float = 1.0) -> None:
        """Make the next request of `verb` fail in this way; `seconds` is for the kinds that need it."""
        ...

    def remaining(self) -> int:
        """How many faults have not happened yet."""
        ...

    def clear(self) -> None:
        """Remove all faults."""
        ...

    def jobs(self) -> int:
        """How many jobs the vendor has, which is how many are billed."""
        ...


class Finished(NamedTuple):
    """A job that was followed to its end: the statuses on the way, and all its events."""

    remote: RemoteJob
    seen: list[Status]
    events: list[Event]

    @property
    def model(self) -> str:
        """The tuned model's id."""
        assert self.remote.result is not None
        assert self.remote.result.model is not None
        return self.remote.result.model


class SuiteBase:
    """`hyperparameters` are those of the small jobs, `long_hyperparameters` of one long enough to be interrupted.

    `seconds` is how long any wait may take. `secret` is the provider's key, which must not appear anywhere.
    """

    model: ClassVar[str]
    hyperparameters: ClassVar[dict[str, Any]] = {"epochs": 1}
    long_hyperparameters: ClassVar[dict[str, Any]] = {"epochs": 200}
    seconds: ClassVar[float] = 120.0
    secret: ClassVar[str] = ""

    @pytest.fixture(scope="class")
    @classmethod
    def faults(cls) -> Faults | None:
        """None, unless the subclass can make the vendor misbehave."""
        return None

    @pytest.fixture(scope="class")
    @classmethod
    def impatient(cls) -> Provider | None:
        """The provider with a timeout below half a second, where the subclass has one."""
        return None

    @pytest.fixture(scope="class")
    @classmethod
    def spec(cls, tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Spec:
        """A small job on twelve rows."""
        data = tmp_path_factory.mktemp("data") / "rows.jsonl"
        data.write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
        target = f"{provider.name}:{cls.model}"
        return Spec(target=target, data=data, hyperparameters=Hyperparameters(**cls.hyperparameters))

    @pytest.fixture(scope="class")
    @classmethod
    def files(cls, tmp_path_factory: pytest.TempPathFactory, provider: Provider, spec: Spec) -> Files:
        """The rows, converted for the provider and uploaded."""
        out = tmp_path_factory.mktemp("converted") / "rows.jsonl"
        conversion = convert(spec.data, provider.converter(spec, cls.model), out)
        assert not conversion.impossible
        remote_file = provider.upload(out, key=conversion.key)
        return Files(training=remote_file, validation=remote_file)

    @pytest.fixture(scope="class")
    @classmethod
    def finished(cls, provider: Provider, spec: Spec, files: Files) -> Finished:
        """One job, followed to its end."""
        made = provider.create(spec, cls.model, files, tag=TAG)
        return cls.follow(provider, made.remote_id)

    @pytest.fixture(scope="class")
    @classmethod
    def served(cls, provider: Provider, finished: Finished) -> str:
        """The tuned model, deployed where the vendor requires that."""
        if "deploy" in provider.capabilities.verbs:
            provider.deploy(finished.model)
        return finished.model

    @pytest.fixture(autouse=True)
    def clear_faults(self, faults: Faults | None) -> Iterator[None]:
        """No fault outlives its test."""
        yield
        if faults is not None:
            faults.clear()

    def start_long(self, provider: Provider, spec: Spec, files: Files, faults: Faults | None) -> RemoteJob:
        """Create a job that takes long enough to be interrupted."""
        return provider.create(self.long(spec), self.model, files, tag=new_tag())

    def long(self, spec: Spec) -> Spec:
        """The spec of a long job."""
        return spec.model_copy(update={"hyperparameters": Hyperparameters(**self.long_hyperparameters)})

    def until_step(self, provider: Provider, remote_id: str) -> None:
        """Poll a job until it has made a step: some vendors cannot pause it before that."""
        deadline = time.monotonic() + self.seconds
        while not any(event.kind == "metric" for event in provider.events(remote_id, "")):
            assert time.monotonic() < deadline, "the job makes no step"
            time.sleep(0.05)

    @classmethod
    def follow(cls, provider: Provider, remote_id: str) -> Finished:
        """Poll a job until it has ended."""
        seen: list[Status] = []
        remote = cls.until(provider, remote_id, *FINAL, seen=seen)
        return Finished(remote, seen, list(provider.events(remote_id, "")))

    @classmethod
    def until(
        cls, provider: Provider, remote_id: str, *statuses: Status, seen: list[Status] | None = None
    ) -> RemoteJob:
        """Poll a job until it has one of `statuses`; `seen` gets each status on the way."""
        seen = [] if seen is None else seen
        deadline = time.monotonic() + cls.seconds
        while time.monotonic() < deadline:
            [remote] = provider.poll([remote_id])
            if not seen or seen[-1] is not remote.status:
                seen.append(remote.status)
            if remote.status in statuses:
                return remote
            assert not remote.status.final, f"the job has ended as {remote.status}: {remote.error}"
            time.sleep(0.05)
        raise AssertionError(f"the job was still {seen[-1]} after {cls.seconds} s")

    def check_error(self, problem: FtbridgeError, provider: Provider, kind: type[FtbridgeError]) -> None:
        """The error has exactly this class, says what to do, and reveals no secret."""
        assert type(problem) is kind
        assert problem.message
        assert problem.hint
        if isinstance(problem, ProviderError):
            assert problem.provider == provider.name
        if self.secret:
            assert self.secret not in f"{problem!r} {problem.describe()} {problem.__cause__!r}"


def require_faults(faults: Faults | None, *kinds: str) -> Faults:
    """The faults, if they can cause `kinds`; otherwise the test is skipped."""
    if faults is None:
        pytest.skip("no fixture `faults` is given")
    if missing := [kind for kind in kinds if kind not in faults.kinds]:
        pytest.skip(f"the faults given cannot cause {', '.join(missing)}")
    return faults


def require_verbs(provider: Provider, *verbs: Verb) -> None:
    """Skip the test unless the provider offers `verbs`."""
    if missing := [verb for verb in verbs if verb not in provider.capabilities.verbs]:
        pytest.skip(f"{provider.name} does not offer {', '.join(missing)}")


def require_events(provider: Provider) -> None:
    """Skip the test unless the provider tells what happens to a job."""
    if type(provider).events is Provider.events:
        pytest.skip(f"{provider.name} tells no events")


def new_tag() -> str:
    """A new tag."""
    return f"ftb_{secrets.token_hex(6)}"
