"""The contract of a provider: small verbs, each doing one thing, all synchronous.

A provider subclasses `Provider`, names what it can do in `capabilities`, and registers its
class in the entry-point group `ftbridge.providers`. What it does not define is unsupported,
and says so. `ftbridge.testing` is the suite that every provider passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from ftbridge.catalogue import Row, read_room
from ftbridge.dataset import Converter, TokenCounter, guess, tokenizer_json
from ftbridge.dataset.canonical.example import Chat
from ftbridge.errors import NotFound, Unsupported
from ftbridge.model import Checkpoint, Event, Result, Spec
from ftbridge.provider.capabilities import APPLIED, Capabilities, ExportForm, Handling, Verb, fit_spec
from ftbridge.provider.connection import Connection
from ftbridge.provider.remote import (
    Deployment,
    Files,
    HostingTerms,
    ImportedJob,
    Listed,
    RemoteJob,
    Reply,
    TunedModel,
    Usage,
)

# whoever writes a provider finds all of the contract here
__all__ = [
    "APPLIED",
    "Capabilities",
    "Deployment",
    "Files",
    "Handling",
    "HostingTerms",
    "ImportedJob",
    "Listed",
    "Provider",
    "RemoteJob",
    "Reply",
    "TunedModel",
    "Usage",
    "Verb",
]


class Provider:
    """Base of every provider; `home` is ftbridge's own folder, for those that keep files.

    A hosted provider talks to `connection`, or, where none is given, to the one its environment
    variables name. Constructing one is cheap and touches no network: SDKs are imported by the verbs.
    """

    name: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    poll_seconds: float = 10.0
    """How long a watcher waits between two looks while something happens."""
    slowest_poll_seconds: float = 300.0
    """How long it waits where nothing happens for long."""
    stall_seconds: float = 7200.0
    """After how long without anything new a running job may be taken to have stalled."""
    concurrency_limit: int | None = None
    """How many jobs the provider runs at once, where that is known; more wait in the ledger."""
    listing_lag_seconds: ClassVar[float] = 0.0
    """How long a new job may stay out of the vendor's listing, and so out of `find`."""
    in_flight_seconds: ClassVar[float] = 0.0
    """How long the vendor may still be at a request whose sender is gone, or has heard only of a gateway's trouble."""

    offline: bool = False
    """Whether rules and counters must do with what is on this machine."""
    transitional_statuses: ClassVar[frozenset[str]] = frozenset()
    """The vendor's words for a job that it has been asked to cancel, pause or resume, and that is not so yet."""

    def __init__(self, home: Path, connection: Connection | None = None) -> None:
        self.home = home
        self._given = connection

    @property
    def connects_to_vendor(self) -> bool:
        """Whether jobs go to the vendor itself, and not to a mock or another service that speaks its API."""
        return self._given is None

    @property
    def account(self) -> str:
        """Whose files and jobs these are: one word for each key and place, which does not tell the key."""
        return self._given.account if self._given else self.name

    def vendor_time(self) -> datetime | None:
        """The time by the vendor's clock, where it has told it."""
        return None

    def close(self) -> None:
        """Let go of connections; the provider may be used again and then opens new ones."""

    def resolve(self, model: str) -> str:
        """The model's name made independent of the working folder; most providers have nothing to do."""
        return model

    def converter(self, spec: Spec, model: str) -> Converter:
        """How this provider reads an example of `spec`'s data for `model`. Pure: no network."""
        self._unsupported("converter")

    def token_counter(self, model: str, vocabulary: Path | None = None) -> TokenCounter:
        """How to count the tokens of an example for `model`, by the tokenizer in `vocabulary` if that is given.

        A labelled guess where no tokenizer is at hand; nothing is ever downloaded.
        """
        return tokenizer_json(vocabulary) if vocabulary else guess()

    def catalogue(self) -> tuple[Row, ...]:
        """What is known of the models and their prices: catalogue.toml in the provider's own package. No network."""
        package = type(self).__module__.rpartition(".")[0]
        return read_room(package, self.name) if package else ()

    def base_model(self, model: str) -> str:
        """The model by whose facts `model` goes: itself, unless its name tells what it was tuned from."""
        return model

    def live_catalogue(self, model: str) -> tuple[Row, ...]:
        """What the vendor itself says of `model` now, which wins over the catalogue; most say nothing."""
        return ()

    def estimate_cost(self, spec: Spec, model: str, files: Files) -> float | None:
        """The vendor's own estimate in US dollars, now that it has the files; most give none."""
        return None

    def list_tuned_models(self) -> list[TunedModel]:
        """The tuned models that the account has; most vendors cannot tell."""
        return []

    def check_limits(self, spec: Spec, model: str) -> None:
        """Raises `SpecError` for what the vendor's own limits for `model` forbid.

        Called before there is a job, and may ask the vendor; most providers have nothing to ask.
        """

    def preloading(self, spec: Spec, model: str) -> AbstractContextManager[None]:
        """Within it a job of `spec` is prepared and asked for: what takes time may begin, and ends if no job comes.

        Returns at once; most providers have nothing to begin.
        """
        return nullcontext()

    def upload(self, file: Path, *, key: str) -> str:
        """The vendor's id of the file, once the vendor has accepted it; `key` is the hash of its content."""
        self._unsupported("upload")

    def create(self, spec: Spec, model: str, files: Files, *, tag: str) -> RemoteJob:
        """Start the job: one request, never retried, carrying `tag` so that `find` can see it."""
        self._unsupported("create")

    def find(self, tag: str) -> list[RemoteJob]:
        """The jobs that carry `tag`, each once, oldest first: none or one, unless something went badly wrong.

        Raises `ListingUnfinished` where it found none and the vendor's list was not read to its end: that is no
        proof of absence.
        """
        self._unsupported("find")

    def start(self, job: RemoteJob, spec: Spec) -> RemoteJob:
        """What is left to be done for a job of `spec` that `find` has found; at most vendors it runs by itself.

        For those that make a job in two steps, of which the second costs; sending that again is safe. Raises
        `OverBudget`, having cancelled the job, where the vendor asks more for it than `spec.max_cost_usd`.
        """
        return job

    def jobs(self) -> Iterable[Listed]:
        """Every fine-tuning job of the account, whoever made it, each once, newest first.

        Raises `ListingUnfinished`, after the jobs that it has, where the vendor's list breaks off.
        """
        self._unsupported("jobs")

    def find_job_of_model(self, name: str) -> str:
        """The vendor's id of the job that made the tuned model `name`, or a checkpoint of that name, or is called so.

        By the vendor's list of jobs. Raises `NotFound` where no job in it did.
        """
        for listed in self.jobs():
            result = listed.remote.result
            if name in (listed.remote.remote_id, result and result.model):
                return listed.remote.remote_id
        raise NotFound(
            f"{self.name} lists no job that made {name}",
            provider=self.name,
            hint="It may be deleted, or another account's: `ftbridge submit DATA --to TARGET` trains its data anew.",
        )

    def poll(self, remote_ids: Sequence[str]) -> Iterable[RemoteJob]:
        """The jobs as they stand. Reads only; a job the vendor does not know is left out."""
        self._unsupported("poll")

    def events(self, remote_id: str, since: str) -> Iterable[Event]:
        """What happened after the event whose cursor is `since` ("" is the beginning), oldest first."""
        self._unsupported("events")

    def check_webhook(self, headers: Mapping[str, str], body: bytes) -> None:
        """Return if the vendor has signed this webhook; raises `AuthenticationFailed` if not."""
        self._unsupported("webhooks")

    def checkpoints(self, remote_id: str) -> list[Checkpoint]:
        """The checkpoints that the vendor keeps of the job, oldest first."""
        self._unsupported("checkpoints")

    def cancel(self, remote_id: str) -> None:
        """Ask the vendor, once, to stop the job for good; what comes of it is seen by `poll`."""
        self._unsupported("cancel")

    def pause(self, remote_id: str) -> None:
        """Ask the vendor, once, to stop the job so that it can go on later."""
        self._unsupported("pause")

    def resume(self, remote_id: str) -> None:
        """Ask the vendor, once, to let a paused or failed job go on from its last checkpoint."""
        self._unsupported("resume")

    def fetch(self, remote_id: str, folder: Path) -> Result:
        """Write what the finished job gives into `folder`, whole files only."""
        self._unsupported("fetch")

    def import_job(self, remote_id: str, folder: Path) -> ImportedJob:
        """A job of the account, made by ftbridge or not, whole; its files are written into `folder`."""
        self._unsupported("import_job")

    def export(self, remote_id: str, form: ExportForm, folder: Path) -> Result:
        """Write what the finished job gives into `folder` in a form that other programs take, with a model card."""
        self._unsupported("export")

    def hosting_terms(self, tier: str | None = None) -> HostingTerms:
        """What it costs to have a model deployed in `tier`. No network. Raises `UsageError` for an unknown tier."""
        return HostingTerms()

    def deployments(self) -> list[Deployment]:
        """The tuned models that the vendor serves for this account now, whoever deployed them.

        Those being deployed are among them, and those that failed but are still there. Raises `Unsupported` where
        the vendor cannot tell: an empty list says that nothing is deployed.
        """
        self._unsupported("deployments")

    def deploy(self, model: str, *, tier: str | None = None) -> Deployment:
        """Have the vendor serve a tuned model, and return when it answers; one that is deployed stays as it is.

        Only for vendors that do not serve what they tuned by themselves. It may cost money by the hour,
        so nothing else in ftbridge calls it. `tier` is the vendor's word for how it is served.
        """
        self._unsupported("deploy")

    def undeploy(self, model: str) -> None:
        """Stop serving a tuned model, which the vendor keeps; nothing happens where it is not deployed."""
        self._unsupported("undeploy")

    def chat(self, model: str, chat: Chat, **options: Any) -> Reply:
        """The model's answer to the messages of `chat`."""
        self._unsupported("chat")

    def list_models(self) -> list[str]:
        """The ids of the models that this account can call, its tuned ones among them."""
        self._unsupported("list_models")

    def delete(self, model: str) -> None:
        """Delete a tuned model for good."""
        self._unsupported("delete")

    def replies(self, model: str, chats: Iterable[Chat], **options: Any) -> Iterator[Reply]:
        """The answers to many chats, in order; one after the other unless the provider knows better."""
        for chat in chats:
            yield self.chat(model, chat, **options)

    def loss(self, model: str, chats: Iterable[Chat]) -> float:
        """The mean loss per trained token over `chats`, in nats."""
        self._unsupported("loss")

    def check_spec(self, spec: Spec, *, allow_ignored: bool = False) -> tuple[list[str], Spec]:
        """What has to be said about `spec` before it runs, and the spec as it will run.

        Raises `SpecError` for a method, or a hyperparameter, that this provider does not offer;
        with `allow_ignored` a hyperparameter is left out of the returned spec instead, and said.
        """
        return fit_spec(spec, self.capabilities, self.name, allow_ignored=allow_ignored)

    def _unsupported(self, verb: str) -> NoReturn:
        raise Unsupported(
            f"{self.name} does not offer {verb}",
            provider=self.name,
            hint=f"Beyond what all take, it offers: {', '.join(self.capabilities.commands) or 'nothing'}.",
        )
