"""The local provider: each job is a folder below `$FTBRIDGE_HOME/local/jobs` and a worker process of its own."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ftbridge.dataset import Converter, TokenCounter
from ftbridge.dataset.canonical.example import Chat
from ftbridge.errors import JobFailed, JobNotFound, MissingExtra, ProviderError, SpecError
from ftbridge.files import make_folder, replacing
from ftbridge.model import Event, Method, Result, Spec, Status
from ftbridge.provider import APPLIED, Capabilities, Files, Handling, Listed, Provider, RemoteJob, Reply, completion
from ftbridge.provider.capabilities import ExportForm
from ftbridge.provider.completions import chunks_of, read_chat
from ftbridge_local.job_folder import JobFolder, JobSpec
from ftbridge_local.runners.process import Worker, start

if TYPE_CHECKING:
    from ftbridge_local.models import Source
    from ftbridge_local.trainer.generation import Generator
    from ftbridge_local.trainer.rows import Seen

_NEEDED = ("torch", "transformers", "peft", "safetensors", "tokenizers", "jinja2")
_PATIENCE = 4.0  # seconds that a worker has to honour a request to stop before it is killed


class LocalProvider(Provider):
    """LoRA on this machine; see `JobFolder` for what lies where and who may write."""

    name: ClassVar[str] = "local"
    poll_seconds: float = 0.5
    slowest_poll_seconds: float = 2.0
    capabilities: ClassVar[Capabilities] = Capabilities(
        gives_weights=True,
        methods=frozenset({Method.SFT, Method.DPO}),
        hyperparameters={
            "epochs": APPLIED,
            "batch_size": APPLIED,
            "learning_rate": APPLIED,
            "learning_rate_multiplier": Handling(how="refused", note="Leave it out; learning_rate is absolute."),
            "warmup_ratio": APPLIED,
            "weight_decay": APPLIED,
            "seed": APPLIED,
            "lora_rank": APPLIED,
            "lora_alpha": APPLIED,
            "lora_dropout": APPLIED,
            "tuning": APPLIED,
            "max_seq_length": APPLIED,
            "precision": APPLIED,
            "eval_interval": APPLIED,
            "early_stopping": APPLIED,
            "devices": APPLIED,
            "beta": Handling(how="applied", methods=frozenset({Method.DPO})),
        },
        verbs=frozenset({"cancel", "pause", "resume", "chat", "loss", "export"}),
    )

    def __init__(self, home: Path, *rest: Any, **named: Any) -> None:
        super().__init__(home, *rest, **named)
        self._speaker: Generator | None = None
        self._waiting: Worker | None = None
        self._seen: Seen | None = None

    def resolve(self, model: str) -> str:
        """Paths are made absolute."""
        _require()
        from ftbridge_local.models import resolve

        return resolve(model, self.home)

    def converter(self, spec: Spec, model: str) -> Converter:
        """Rules by the model's own tokenizer and template. Raises `ModelNotFound`."""
        source = self._source(spec, model)
        from ftbridge_local.rules import LocalRules
        from ftbridge_local.trainer.rows import Seen
        from ftbridge_local.trainer.settings import longest as longest_of
        from ftbridge_local.trainer.tokenizer import Tokenizer

        tokenizer = Tokenizer(source.base)
        longest = longest_of(spec.hyperparameters, tokenizer.context)
        if self._waiting:
            self._seen = Seen(tokenizer)
        return LocalRules(f"local:{model}", tokenizer, longest, spec.method, self._seen)

    def check_limits(self, spec: Spec, model: str) -> None:
        """Refuses more devices than this machine has."""
        if (devices := spec.hyperparameters.devices or 1) > 1:
            _require()
            from ftbridge_local.trainer.elastic import check

            check(devices)

    @contextmanager
    def preloading(self, spec: Spec, model: str) -> Iterator[None]:
        """Within it a worker waits, and what is checked is kept tokenized for it."""
        self._waiting = waiting = Worker(early=(spec.hyperparameters.devices or 1) == 1)
        try:
            yield
        finally:
            self._waiting = self._seen = None
            waiting.close()

    def token_counter(self, model: str, vocabulary: Path | None = None) -> TokenCounter:
        """By the model's own tokenizer and template, exactly."""
        _require()
        from ftbridge_local.models import find
        from ftbridge_local.rules import LocalCounter
        from ftbridge_local.trainer.tokenizer import Tokenizer

        return LocalCounter(Tokenizer(find(model, self.home, weights=False, offline=self.offline).base))

    def upload(self, file: Path, *, key: str) -> str:
        """Keep a copy below the home; its path is its id."""
        kept = self.home.absolute() / "local" / "files" / f"{key}.jsonl"
        if not kept.exists():
            make_folder(kept.parent)
            with replacing(kept) as beside:
                shutil.copyfile(file, beside)
        return str(kept)

    def create(self, spec: Spec, model: str, files: Files, *, tag: str) -> RemoteJob:
        """Set the job down and start its worker; again for the same tag, only what is missing of that is done."""
        self._source(spec, model)  # which may have gone while the job waited for a place
        if seen := self._seen:
            for file in filter(None, (files.training, files.validation)):
                seen.keep(Path(file), self.home.absolute())
        job = self._job(tag)
        while (lock := job.lock()) is None:
            if job.exists:  # a worker has the lock, and not another process that is setting the job down
                return job.snapshot()
        try:
            if not job.begun:
                validation = Path(files.validation) if files.validation else None
                job.write_order(
                    JobSpec(
                        spec=spec,
                        model=model,
                        training=Path(files.training),
                        validation=validation,
                        home=self.home.absolute(),
                    )
                )
                start(job, lock, self._waiting)
        finally:
            os.close(lock)
        return job.snapshot()

    def find(self, tag: str) -> list[RemoteJob]:
        """The job, if a worker is or has been at it."""
        job = self._job(tag)
        return [job.snapshot()] if job.begun or (job.exists and job.alive) else []

    def jobs(self) -> list[Listed]:
        """The job folders of this home."""
        folders = (self.home.absolute() / "local" / "jobs").glob("*/")
        listed = [job.listed() for job in map(JobFolder, folders) if job.exists]
        return sorted(listed, key=lambda job: job.created_at, reverse=True)

    def poll(self, remote_ids: Sequence[str]) -> Iterable[RemoteJob]:
        """The jobs as their folders tell; one whose worker died is failed."""
        jobs = map(self._job, remote_ids)
        return [job.snapshot() for job in jobs if job.exists]

    def events(self, remote_id: str, since: str) -> Iterable[Event]:
        """The lines of events.jsonl after line `since`."""
        return self._known(remote_id).events(int(since or 0))

    def cancel(self, remote_id: str) -> None:
        """Stop the worker for good; returns when it is gone, within five seconds."""
        job = self._known(remote_id)
        job.ask("cancel")
        lock = job.lock(patience=_PATIENCE)
        if lock is None and (worker := job.worker):
            os.kill(worker, signal.SIGKILL)  # it holds the lock, so the process of that id is still it
            lock = job.lock(patience=_PATIENCE)  # where it has processes of its own, they take a moment to see it gone
        if lock is None:
            raise ProviderError(f"the worker of {remote_id} does not stop", provider=self.name, hint="Try again.")
        try:
            if not job.standing().status.final:
                job.set_status(Status.CANCELLED)
        finally:
            os.close(lock)

    def pause(self, remote_id: str) -> None:
        """Ask the worker to stop after its current step, with a checkpoint."""
        self._known(remote_id).ask("pause")

    def resume(self, remote_id: str) -> None:
        """Start a worker that goes on from the newest checkpoint. Raises `ProviderError` where one is running."""
        job = self._known(remote_id)
        lock = job.lock(patience=_PATIENCE if job.request else 1.0)
        if lock is None:
            raise ProviderError(f"job {remote_id} is running", provider=self.name, hint="There is nothing to resume.")
        try:
            if job.standing().status in (Status.SUCCEEDED, Status.CANCELLED):
                raise ProviderError(
                    f"job {remote_id} is {job.standing().status.value}",
                    provider=self.name,
                    hint="Only a paused or failed job can be resumed.",
                )
            start(job, lock)
        finally:
            os.close(lock)

    def fetch(self, remote_id: str, folder: Path) -> Result:
        """Copy the result into `folder`. Raises `JobFailed` while there is none."""
        job = self._done(remote_id)
        folder = folder.absolute()
        folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(job.result.iterdir()):
            with replacing(folder / file.name) as beside:
                shutil.copyfile(file, beside)
        return job.given(folder)

    def export(self, remote_id: str, form: ExportForm, folder: Path) -> Result:
        """The result as adapter, merged model, GGUF file or with a Modelfile for Ollama."""
        job = self._done(remote_id)
        _require()
        from ftbridge_local.exporting.export import export

        export(job, form, folder)
        return job.given(folder)

    def complete(self, model: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The model's answer; options are max_tokens, temperature and seed."""
        reply = next(self.replies(model, [read_chat(body)], **_options(body)))
        return completion(model, reply.text, usage=reply.usage)

    def stream(self, model: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The answer as it is generated, with the same options."""
        return chunks_of(model, self._load(model).stream(read_chat(body), **_options(body)))

    def replies(self, model: str, chats: Iterable[Chat], **options: Any) -> Iterator[Reply]:
        """The answers in order, computed many at a time."""
        return self._load(model).replies(chats, **_options(options))

    def loss(self, model: str, chats: Iterable[Chat]) -> float:
        """The mean loss per trained token, in nats."""
        return self._load(model).loss(chats)

    def _source(self, spec: Spec, model: str) -> Source:
        """Where the model is. Raises `ModelNotFound`, and `SpecError` for settings that go against it."""
        _require()
        from ftbridge_local.models import find
        from ftbridge_local.trainer.settings import check

        source = find(model, self.home, weights=False, offline=self.offline)
        check(spec.hyperparameters, source)
        return source

    def _load(self, model: str) -> Generator:
        """The model, kept for the next call; only the last one is."""
        _require()
        from ftbridge_local.models import find

        if (speaker := self._speaker) is None or speaker.name != model:
            source = find(model, self.home, weights=True)
            from ftbridge_local.trainer.generation import Generator

            self._speaker = speaker = Generator(model, source)
        return speaker

    def _job(self, tag: str) -> JobFolder:
        return JobFolder(self.home.absolute() / "local" / "jobs" / tag)

    def _done(self, remote_id: str) -> JobFolder:
        job = self._known(remote_id)
        if job.standing().status is not Status.SUCCEEDED:
            status = job.snapshot().status.value
            raise JobFailed(f"job {remote_id} has no result: it is {status}", hint="Wait until it has succeeded.")
        return job

    def _known(self, remote_id: str) -> JobFolder:
        job = self._job(remote_id)
        if not job.exists:
            raise JobNotFound(f"there is no job {remote_id} below {self.home}", hint="`ftbridge jobs` lists them.")
        return job


def _options(body: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a completion. Raises `SpecError` for one that does nothing here."""
    options = {name: value for name, value in body.items() if name not in ("messages", "tools")}
    if unknown := sorted(set(options) - {"max_tokens", "temperature", "seed"}):
        raise SpecError(f"local has no option {unknown[0]}", hint="It takes max_tokens, temperature and seed.")
    return options


def _require() -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingExtra(
            f"training on this machine needs {', '.join(missing)}", hint="Run `pip install 'ftbridge[local]'`."
        )
