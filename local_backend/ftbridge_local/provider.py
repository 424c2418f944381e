"""The local provider: each job is a folder below `$FTBRIDGE_HOME/local/jobs` and a worker process of its own.

It decides what a job is and what is reported of it; a runner runs it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ftbridge.dataset import Converter, Renderer, TokenCounter
from ftbridge.dataset.canonical.example import Chat
from ftbridge.errors import JobFailed, JobNotFound, ProviderError
from ftbridge.files import make_folder, replacing
from ftbridge.home import usable
from ftbridge.model import Checkpoint, Event, Result, RowLoss, Spec, Status
from ftbridge.provider import Capabilities, Files, Listed, Provider, RemoteJob, Reply, completion
from ftbridge.provider.artifacts import Artifact
from ftbridge.provider.capabilities import ExportForm
from ftbridge.provider.completions import chunks_of, read_chat
from ftbridge.provider.offline import is_offline
from ftbridge.provider.served import Verifier
from ftbridge_local.artifacts import artifacts_of, checkpoints_of, delete_in, leftovers_in
from ftbridge_local.capabilities import CAPABILITIES
from ftbridge_local.job_documents import EVENTS, parse_events
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.machine import describe_devices
from ftbridge_local.packages import check_packages
from ftbridge_local.remote_job import as_result, list_jobs, remote_job
from ftbridge_local.runners.process import ProcessRunner
from ftbridge_local.runners.runner import Command, JobReport, Runner

if TYPE_CHECKING:
    from ftbridge_local.generation import Generator
    from ftbridge_local.models.source import Source
    from ftbridge_local.tokenizing.cache import TokenizedExamples

# The worker downloads the base model, where that is not here yet, and some models need a login to the hub. It starts
# before it is known whether this one does.
_HUB_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
TRAIN = Command("ftbridge_local.trainer", preload="ftbridge_local.trainer.preload:load", secrets=_HUB_TOKENS)


class LocalProvider(Provider):
    """LoRA on this machine; `ftbridge_local.job_folder` describes a job's files and who writes them."""

    name: ClassVar[str] = "local"
    keeps_jobs_at_home: ClassVar[bool] = True
    devices = staticmethod(describe_devices)
    poll_seconds: float = 0.5
    slowest_poll_seconds: float = 2.0
    capabilities: ClassVar[Capabilities] = CAPABILITIES

    def __init__(self, home: Path, *rest: Any, **named: Any) -> None:
        super().__init__(home, *rest, **named)
        self._runner: Runner = ProcessRunner(home, TRAIN)
        self._generator: Generator | None = None
        self._tokenized: TokenizedExamples | None = None
        self._preloading = False

    def resolve(self, model: str, folder: Path = Path()) -> str:
        """Paths are made absolute."""
        check_packages()
        from ftbridge_local.models.find import resolve

        return resolve(model, self.home, folder)

    def converter(self, spec: Spec, model: str) -> Converter:
        """Rules by the model's own tokenizer and template. Raises `ModelNotFound`."""
        source = self._source(spec, model)
        from ftbridge_local.rules import LocalRules, reader
        from ftbridge_local.tokenizing.cache import TokenizedExamples

        tokenizer, length = reader(source, spec.hyperparameters)
        if self._preloading:
            self._tokenized = TokenizedExamples(tokenizer)
        return LocalRules(f"local:{model}", tokenizer, length, spec.method, self._tokenized)

    def renderer(self, spec: Spec, model: str) -> Renderer:
        """By the code that makes the rows of the trainer. Raises `ModelNotFound`."""
        source = self._source(spec, model)
        from ftbridge_local.rendering import render
        from ftbridge_local.rules import reader

        tokenizer, length = reader(source, spec.hyperparameters)
        return partial(render, tokenizer=tokenizer, max_length=length)

    def model_for_others(self, model: str) -> str:
        """Its name at the hub, or its folder. Raises `SpecError` for an adapter."""
        check_packages()
        from ftbridge_local.models.find import name_for_others

        return name_for_others(model, self.home.absolute())

    def check_limits(self, spec: Spec, model: str) -> None:
        """Refuses more devices than this machine has, and a teacher with other tokens."""
        if spec.teacher:
            from ftbridge_local.models.teacher import teacher_of

            teacher_of(spec, self._source(spec, model), self.home.absolute())
        if (devices := spec.hyperparameters.devices or 1) > 1:
            check_packages()
            from ftbridge_local.trainer.distributed import check_devices

            check_devices(devices)

    @contextmanager
    def preloading(self, spec: Spec, model: str) -> Iterator[None]:
        """Within it a worker gets ready, and the tokens of the examples that are checked are kept for it."""
        with self._runner.standby(preload=(spec.hyperparameters.devices or 1) == 1):
            self._preloading = True
            try:
                yield
            finally:
                self._preloading, self._tokenized = False, None

    def token_counter(self, model: str, vocabulary: Path | None = None) -> TokenCounter:
        """By the model's own tokenizer and template, exactly."""
        check_packages()
        from ftbridge_local.models.find import find
        from ftbridge_local.rules import LocalCounter
        from ftbridge_local.tokenizing.tokenizer import Tokenizer

        return LocalCounter(Tokenizer(find(model, self.home, weights=False, offline=is_offline()).tokenizer))

    def upload(self, file: Path, *, key: str) -> str:
        """Keep a copy below the home; its path is its id."""
        copy = self.home.absolute() / "local" / "files" / f"{key}.jsonl"
        if not copy.exists():
            make_folder(copy.parent)
            with replacing(copy) as temporary:
                shutil.copyfile(file, temporary)
        return str(copy)

    def create(self, spec: Spec, model: str, files: Files, *, tag: str) -> RemoteJob:
        """Write the job folder and start its worker; repeated for the same tag, it does only what is missing."""
        source = self._source(spec, model)  # which may have disappeared while the job waited in the queue
        if tokenized := self._tokenized:
            for file in filter(None, (files.training, files.validation)):
                tokenized.store(Path(file), self.home.absolute())
        from ftbridge_local.models.teacher import teacher_of
        from ftbridge_local.preparation import prepare

        fill = prepare(spec, model, files, source, teacher_of(spec, source, self.home.absolute()), self.home.absolute())
        with usable(self.home):
            self._runner.start(tag, fill)
        return self._known(tag)

    def find(self, tag: str) -> list[RemoteJob]:
        """The job, if a worker has it or has had it."""
        reports = self._runner.report([tag])
        return [self._job(report) for report in reports if report.alive or report.state.status is not Status.SUBMITTING]

    def jobs(self) -> Iterator[Listed]:
        """The job folders of this home."""
        return list_jobs(self._runner)

    def poll(self, remote_ids: Sequence[str]) -> Iterable[RemoteJob]:
        """The jobs as their runner reports them; one whose worker died is failed."""
        return [self._job(report) for report in self._runner.report(remote_ids)]

    def events(self, remote_id: str, since: str) -> Iterable[Event]:
        """The events after the offset `since` of events.jsonl."""
        self._known(remote_id)
        offset = int(since or 0)
        return parse_events(self._runner.read(remote_id, EVENTS, offset), offset)

    def cancel(self, remote_id: str) -> None:
        """Stop the worker for good; returns when it is gone, usually within five seconds."""
        if self._known(remote_id) and not self._runner.end(remote_id):
            raise ProviderError(f"the worker of {remote_id} does not stop", provider=self.name, hint="Try again.")

    def pause(self, remote_id: str) -> None:
        """Ask the worker to stop after its current step, with a checkpoint."""
        self._known(remote_id)
        self._runner.ask(remote_id, "pause")

    def resume(self, remote_id: str) -> None:
        """Continue from the newest checkpoint. Raises `ProviderError` where that cannot be."""
        problems = {
            "running": ("is running", "There is nothing to resume."),
            "over": (f"is {self._known(remote_id).status}", "Only a paused or failed job can be resumed."),
            "without data": ("has no training data any more, which was removed", "Submit the dataset again."),
        }
        with usable(self.home):
            what, hint = problems.get(self._runner.resume(remote_id), ("", ""))
        if what:
            raise ProviderError(f"job {remote_id} {what}", provider=self.name, hint=hint)

    def checkpoints(self, remote_id: str) -> list[Checkpoint]:
        """The last ones and the best, with the losses at their steps."""
        return checkpoints_of(self._runner.folder(remote_id), self.events(remote_id, ""))

    def artifacts(self, remote_id: str) -> list[Artifact]:
        """The files of the job, and its result."""
        self._known(remote_id)
        return artifacts_of(self._runner.folder(remote_id))

    def leftovers(self) -> list[Artifact]:
        """The uploaded and the tokenized files."""
        return list(leftovers_in(self.home.absolute() / "local"))

    def delete(self, artifact: Artifact) -> None:
        """Remove it, unless its job is not over."""
        delete_in(self.home.absolute() / "local", artifact)

    def fetch(self, remote_id: str, folder: Path) -> Result:
        """Copy the result into `folder`. Raises `JobFailed` while there is none."""
        job = self._finished(remote_id)
        folder = folder.absolute()
        folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(job.result.iterdir()):
            with replacing(folder / file.name) as temporary:
                shutil.copyfile(file, temporary)
        return as_result(job.state().result, folder)

    def export(self, remote_id: str, form: ExportForm, folder: Path) -> Result:
        """The result as adapter, merged model, GGUF file or with a Modelfile for Ollama."""
        job = self._finished(remote_id)
        check_packages()
        from ftbridge_local.exporting.export import export

        export(job, self.home, form, folder)
        return as_result(job.state().result, folder)

    def complete(self, model: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The model's answer; options are max_tokens, temperature and seed."""
        generator = self._load(model)
        [its] = generator.replies([read_chat(body)], **generator.options(body))
        return completion(model, its.text, reasoning=its.reasoning, usage=its.usage, finish_reason=its.finish_reason)

    def stream(self, model: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The answer as it is generated, with the same options."""
        generator = self._load(model)
        return chunks_of(model, generator.stream(read_chat(body), **generator.options(body)))

    def replies(self, model: str, chats: Iterable[Chat], **options: Any) -> Iterator[Reply]:
        """The answers in order, computed in batches."""
        generator = self._load(model)
        return generator.replies(chats, **generator.options(options))

    def losses(self, model: str, chats: Iterable[Chat]) -> list[RowLoss]:
        """The mean loss per trained token of each."""
        return self._load(model).losses(chats)

    def verifier(self) -> Verifier:
        """By the code that answers here; what is served is asked over HTTP, or loaded by transformers."""
        from ftbridge_local.servers.verifier import LocalVerifier

        return LocalVerifier(self._load, self.home)

    def _source(self, spec: Spec, model: str) -> Source:
        """Where the model is. Raises `ModelNotFound`, and `SpecError` for settings that contradict it."""
        check_packages()
        from ftbridge_local.models.find import find
        from ftbridge_local.trainer.settings import check

        source = find(model, self.home.absolute(), weights=False, offline=is_offline())
        check(spec.hyperparameters, source)
        return source

    def _load(self, model: str) -> Generator:
        """The model, kept for the next call; only the last one is."""
        check_packages()
        from ftbridge_local.models.find import find

        if (generator := self._generator) is None or generator.name != model:
            source = find(model, self.home, weights=True)
            from ftbridge_local.generation import Generator

            self._generator = generator = Generator.load(model, source)
        return generator

    def _job(self, report: JobReport) -> RemoteJob:
        return remote_job(report, self._runner.folder(report.tag).result)

    def _known(self, remote_id: str) -> RemoteJob:
        if known := next(iter(self.poll([remote_id])), None):
            return known
        hint = f"`ftbridge show {remote_id}` names its home; `ftbridge cancel {remote_id} --give-up` ends it here."
        raise JobNotFound(f"the folder of job {remote_id} is not below {self.home}", hint=hint)

    def _finished(self, remote_id: str) -> JobFolder:
        if (status := self._known(remote_id).status) is not Status.SUCCEEDED:
            raise JobFailed(f"job {remote_id} has no result: it is {status.value}", hint="Wait until it has succeeded.")
        return self._runner.pull(remote_id)
