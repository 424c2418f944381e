"""The contract of a provider: small verbs, each doing one thing, all synchronous.

A provider subclasses `Provider`, names what it can do in `capabilities`, and is registered in the entry-point group
`ftbridge.providers`. It defines `upload`, `create` and `jobs`; the rest has defaults. `ftbridge.testing` tests it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from ftbridge.catalogue import Row, read_room
from ftbridge.dataset import Converter, Renderer, TokenCounter, guess, tokenizer_json
from ftbridge.dataset.canonical.example import Chat
from ftbridge.errors import JobFailed
from ftbridge.model import Checkpoint, Event, Result, RowLoss, Spec, Status
from ftbridge.provider.artifacts import Artifact, artifacts_of
from ftbridge.provider.capabilities import Capabilities, ExportForm, fit_spec, start_of_next, unnamed, unsupported
from ftbridge.provider.completions import as_chunk, chat_body, read_reply
from ftbridge.provider.connection import Connection
from ftbridge.provider.paging import as_far_as_listed, first, matching
from ftbridge.provider.passthrough import PassThrough
from ftbridge.provider.remote import Deployment, Files, HostingTerms, ImportedJob, Listed, RemoteJob, Reply, TunedModel
from ftbridge.provider.served import Verifier
from ftbridge.provider.settings import Settings
from ftbridge.provider.unreadable import reading


class Provider:
    """Base of every provider; `home` is ftbridge's own folder, for providers that keep files.

    A hosted provider uses `connection`, or opens one from its settings and `environment`. Constructing one is cheap
    and touches no network: SDKs are imported by the verbs, which may be called from several threads.
    """

    name: ClassVar[str]
    """By default the class's own name in lower case, without "Provider"."""
    capabilities: ClassVar[Capabilities]
    settings_class: ClassVar[type[Settings]] = Settings
    """What `[providers.NAME]` of ftbridge.toml may hold."""
    runner_class: ClassVar[type[Settings] | None] = None
    """What `[runners.NAME]` of this provider's `kind` may hold; the provider gets those as `runners`."""
    poll_seconds: float = 10.0
    """How long a watcher waits between two polls while something happens."""
    slowest_poll_seconds: float = 300.0
    stall_seconds: float = 7200.0
    """How long it waits after a long time without news; and when a running job without any is reported as stalled."""
    concurrency_limit: int | None = None
    """How many jobs the provider runs at once, where that is known; more wait in the ledger."""
    chats_at_once: ClassVar[int] = 1
    """How many chats it is asked at once; with 1, `replies` gets all of them, and may batch them."""
    keeps_jobs_at_home: ClassVar[bool] = False
    """Whether its jobs are in the home folder, so that one that is not there any more is over."""
    listing_lag_seconds: ClassVar[float] = 0.0
    in_flight_seconds: ClassVar[float] = 0.0
    """How long a new job may be missing from the vendor's list; and how long a request without an answer may go on."""
    transitional_statuses: ClassVar[frozenset[str]] = frozenset()
    """The vendor's statuses of a job that is about to be cancelled, paused or resumed."""

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if "capabilities" in vars(cls) and not hasattr(cls, "name"):
            cls.name = cls.__name__.removesuffix("Provider").lower()

    def __init__(
        self,
        home: Path,
        connection: Connection | None = None,
        *,
        settings: Settings | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.home = home
        self._environment: Callable[[], Mapping[str, str]] = lambda: environment  # repr shows no key in it
        self.settings = settings or self.settings_class.read({}, environment)
        self._connection = connection

    @property
    def connects_to_vendor(self) -> bool:
        """Whether jobs go to the vendor itself, not to a mock or another service with the same API."""
        return self._connection is None

    @property
    def account(self) -> str:
        """Whose files and jobs these are: the same for the same key and address, without revealing the key."""
        return self._connection.account if self._connection else self.name

    def vendor_time(self) -> datetime | None:
        """The time by the vendor's clock, where an answer had it."""
        return None

    def close(self) -> None:
        """Close connections; the provider may be used again and then opens new ones."""

    # before a job

    def resolve(self, model: str, folder: Path = Path()) -> str:
        """The model's name independent of the working folder: a path is from `folder`. The same at most providers."""
        return model

    def converter(self, spec: Spec, model: str) -> Converter:
        """How this provider takes an example of `spec`'s data for `model`: as it is, by default. No network."""
        return PassThrough(spec.target, spec.method)

    def token_counter(self, model: str, vocabulary: Path | None = None) -> TokenCounter:
        """How to count tokens for `model`, by the tokenizer in `vocabulary` if given, else by a guess. No network."""
        return tokenizer_json(vocabulary) if vocabulary else guess()

    def renderer(self, spec: Spec, model: str) -> Renderer:
        """How `model` reads an example of `spec`'s data, token by token, where the trainer's own rendering is known."""
        self._unsupported("renderer")

    def catalogue(self) -> tuple[Row, ...]:
        """The known models and prices: catalogue.toml in the provider's own package. No network."""
        return read_room(package, self.name) if (package := type(self).__module__.rpartition(".")[0]) else ()

    def live_catalogue(self, model: str) -> tuple[Row, ...]:
        """What the vendor itself says about `model` now, which wins over the catalogue; nothing by default."""
        return ()

    def base_model(self, model: str) -> str:
        """The model whose facts apply to `model`: itself, unless its name says what it was tuned from."""
        return model

    def model_for_others(self, model: str) -> str:
        """What other trainers load it by: a name at the hub, or a folder. Raises `SpecError` where none is known."""
        raise unnamed(self.name, model)

    def model_from(self, model: str, remote_id: str, result: Result) -> str:
        """The model of the target at which another job goes on from this result of a job at `model`. No network."""
        return start_of_next(self.capabilities, self.name, model, remote_id, result)

    def check_spec(self, spec: Spec, *, allow_ignored: bool = False) -> tuple[list[str], Spec]:
        """The warnings about `spec`, and the spec as it will run. Raises `SpecError` for what is not offered.

        With `allow_ignored`, a hyperparameter that is not offered is left out of the returned spec, with a warning.
        """
        return fit_spec(spec, self.capabilities, self.name, allow_ignored=allow_ignored)

    def check_limits(self, spec: Spec, model: str) -> None:
        """Raises `SpecError` for what the vendor's own limits for `model` forbid. May ask the vendor."""

    def estimate_cost(self, spec: Spec, model: str, files: Files) -> float | None:
        """The vendor's own estimate in US dollars for the uploaded files, where it gives one."""

    def preloading(self, spec: Spec, model: str) -> AbstractContextManager[None]:
        """A block in which a job of `spec` is prepared: slow work may begin early, and ends if no job is created."""
        return nullcontext()

    # jobs

    def upload(self, file: Path, *, key: str) -> str:
        """The vendor's id of the file, once the vendor has accepted it; `key` is the hash of its content."""
        self._unsupported("upload")

    def create(self, spec: Spec, model: str, files: Files, *, tag: str) -> RemoteJob:
        """Start the job: one request, never retried, carrying `tag` so that `find` can see it."""
        self._unsupported("create")

    def start(self, job: RemoteJob, spec: Spec) -> RemoteJob:
        """Finish creating a job that `find` returned; safe to repeat. Raises `OverBudget`, having cancelled the job."""
        return job

    def jobs(self) -> Iterable[Listed]:
        """Every fine-tuning job of the account, by ftbridge or not, each once, newest first.

        Raises `ListingUnfinished`, after the jobs that it has, where the vendor's list breaks off.
        """
        self._unsupported("jobs")

    def find(self, tag: str) -> list[RemoteJob]:
        """The jobs that carry `tag`, each once, oldest first: one or none, unless something went badly wrong.

        Raises `ListingUnfinished` where there is none in a list that was not read to its end, which proves nothing.
        """
        return [listed.remote for listed in matching(self.jobs(), lambda listed: listed.tag == tag)][::-1]

    def poll(self, remote_ids: Sequence[str]) -> Iterable[RemoteJob]:
        """The jobs as they are now, without those it does not know; `RemoteJob.unreadable` for one it cannot read."""
        return [one.remote for one in as_far_as_listed(self.jobs()) if one.remote.remote_id in remote_ids]

    def get_job(self, remote_id: str) -> Listed:
        """The job with that id in the vendor's list. Raises `NotFound`."""
        return first(self.jobs(), lambda one: one.remote.remote_id == remote_id, self.name, f"job {remote_id}")

    def find_job_of_model(self, name: str) -> str:
        """The id of the job that made the model or checkpoint `name`, or that has this id itself. Raises `NotFound`."""
        return first(self.jobs(), lambda one: name in one.names, self.name, f"job that made {name}").remote.remote_id

    def events(self, remote_id: str, since: str) -> Iterable[Event]:
        """What happened after the event whose cursor is `since` ("" is the beginning), oldest first."""
        return ()

    def check_webhook(self, headers: Mapping[str, str], body: bytes) -> None:
        """Return if the vendor has signed this webhook; raises `AuthenticationFailed` if not."""
        self._unsupported("webhooks")

    def checkpoints(self, remote_id: str) -> list[Checkpoint]:
        """The checkpoints that the vendor keeps of the job, oldest first."""
        self._unsupported("checkpoints")

    def cancel(self, remote_id: str) -> None:
        """Ask the vendor, once, to stop the job for good; `poll` shows the outcome."""
        self._unsupported("cancel")

    def pause(self, remote_id: str) -> None:
        """Ask the vendor, once, to stop the job so that it can go on later."""
        self._unsupported("pause")

    def resume(self, remote_id: str) -> None:
        """Ask the vendor, once, to continue a paused or failed job from its last checkpoint."""
        self._unsupported("resume")

    def import_job(self, remote_id: str, folder: Path) -> ImportedJob:
        """A job of the account, by ftbridge or not, with everything about it; its files are written into `folder`."""
        self._unsupported("import_job")

    # results and models

    def fetch(self, remote_id: str, folder: Path) -> Result:
        """Write the result of a finished job into `folder`, whole files only; by default there are no files."""
        if (remote := self.get_job(remote_id).remote).status is not Status.SUCCEEDED or remote.result is None:
            raise JobFailed(f"job {remote_id} has no result: it is {remote.status}", hint="Wait until it succeeds.")
        return remote.result

    def export(self, remote_id: str, form: ExportForm, folder: Path) -> Result:
        """Write the result of a finished job into `folder` in a form for other programs, with a model card."""
        self._unsupported("export")

    def complete(self, model: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a chat completion: OpenAI's request body without `model`, and OpenAI's response body."""
        self._unsupported("chat")

    def stream(self, model: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The answer as OpenAI's chunks; a single chunk where the provider cannot stream."""
        yield as_chunk(self.complete(model, body))

    def chat(self, model: str, chat: Chat, **options: Any) -> Reply:
        """The model's answer to the messages of `chat`; options are those of a chat completion."""
        with reading(self.name):
            return read_reply(self.complete(model, chat_body(chat, options)))

    def replies(self, model: str, chats: Iterable[Chat], **options: Any) -> Iterator[Reply]:
        """The answers to many chats, in order; one after the other by default."""
        yield from (self.chat(model, chat, **options) for chat in chats)

    def losses(self, model: str, chats: Iterable[Chat]) -> list[RowLoss]:
        """The mean loss per trained token of each of `chats`, in nats."""
        self._unsupported("losses")

    def verifier(self) -> Verifier:
        """What tells token by token what its models read and answer, and asks servers the same."""
        self._unsupported("verifier")

    def list_models(self) -> list[str]:
        """The ids of the models that this account can call, its tuned ones included."""
        self._unsupported("list_models")

    def list_tuned_models(self) -> list[TunedModel]:
        """The tuned models of the account; empty where the vendor cannot list them."""
        return []

    # what is left of a job

    def artifacts(self, remote_id: str) -> list[Artifact]:
        """What the vendor keeps of a job that is over, in the order in which to delete it. Raises `NotFound`."""
        return artifacts_of(self.get_job(remote_id), self.checkpoints, self.capabilities, self.name)

    def leftovers(self) -> list[Artifact]:
        """What is kept on this machine beside the jobs' own artifacts: uploaded files, caches, temporary files."""
        return []

    def delete(self, artifact: Artifact) -> None:
        """Delete it for good. Raises `NotFound` where it is gone, and `Conflict` while a running job uses it."""
        self._unsupported("delete")

    # deployments

    def hosting_terms(self, tier: str | None = None) -> HostingTerms:
        """What a deployment in `tier` costs, and how long it lasts. No network. Raises `UsageError` for a bad tier."""
        return HostingTerms()

    def deployments(self) -> list[Deployment]:
        """The tuned models served for this account, also starting and failed ones."""
        self._unsupported("deployments")

    def deploy(self, model: str, *, tier: str | None = None) -> Deployment:
        """Have a tuned model served, unless it is, and return when it answers: this may cost money by the hour."""
        self._unsupported("deploy")

    def undeploy(self, model: str) -> None:
        """Stop serving a tuned model, which the vendor keeps; does nothing where it is not deployed."""
        self._unsupported("undeploy")

    def _unsupported(self, verb: str) -> NoReturn:
        raise unsupported(verb, self.capabilities, self.name)
