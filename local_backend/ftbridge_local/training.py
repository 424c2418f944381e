"""What the providers of our own trainer share: what a job is, and what is reported of it; a runner runs it."""

from __future__ import annotations

import shutil
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ftbridge.dataset import Converter, Renderer, TokenCounter
from ftbridge.dataset.canonical.example import Chat
from ftbridge.errors import JobFailed, JobNotFound, ListingUnfinished, NetworkError, ProviderError
from ftbridge.files import make_folder, replacing
from ftbridge.home import usable
from ftbridge.model import Checkpoint, Event, Result, RowLoss, Spec, Status
from ftbridge.provider import Capabilities, Listed, Provider, RemoteJob, Reply, completion
from ftbridge.provider.artifacts import Artifact
from ftbridge.provider.capabilities import ExportForm
from ftbridge.provider.completions import chunks_of, read_chat
from ftbridge.provider.offline import is_offline
from ftbridge.provider.served import Verifier
from ftbridge.provider.unreadable import whole_list
from ftbridge_local.artifacts import checkpoints_of, leftovers_in
from ftbridge_local.capabilities import CAPABILITIES
from ftbridge_local.job_documents import EVENTS, parse_events
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.packages import check_packages
from ftbridge_local.remote_job import as_result, listed_job, remote_job
from ftbridge_local.runners.runner import JobReport, Runner

if TYPE_CHECKING:
    from ftbridge_local.generation import Generator
    from ftbridge_local.models.source import Source
    from ftbridge_local.tokenizing.cache import TokenizedExamples


class TrainingProvider(Provider):
    """Fine-tuning by our own trainer; `ftbridge_local.job_folder` describes a job's files and who writes them.

    A subclass says by which runners: each has a `host`, and a job's id is HOST/TAG, or the tag where that is "".
    """

    trains_here: ClassVar[bool] = False
    """Whether jobs run on this machine."""
    poll_seconds: float = 0.5
    slowest_poll_seconds: float = 2.0
    capabilities: ClassVar[Capabilities] = CAPABILITIES

    def __init__(self, home: Path, *rest: Any, **named: Any) -> None:
        super().__init__(home, *rest, **named)
        self._generator: Generator | None = None
        self._tokenized: TokenizedExamples | None = None
        self._preloading = False

    @abstractmethod
    def runner(self, host: str) -> Runner:
        """The runner of a host."""

    @abstractmethod
    def hosts(self, tag: str = "") -> Iterable[str]:
        """The hosts that may have jobs, or the job of that tag."""

    @property
    @abstractmethod
    def files_folder(self) -> Path:
        """The folder in the home that has this provider's uploaded files."""

    def _here(self, model: str) -> str:
        """By what name the model is read on this machine."""
        return model

    def converter(self, spec: Spec, model: str) -> Converter:
        """Rules by the model's own tokenizer and template. Raises `ModelNotFound`."""
        source = self._source(spec, model)
        from ftbridge_local.rules import LocalRules, reader
        from ftbridge_local.tokenizing.cache import TokenizedExamples

        tokenizer, length = reader(source, spec.hyperparameters)
        if self._preloading:
            self._tokenized = TokenizedExamples(tokenizer)
        return LocalRules(f"{self.name}:{model}", tokenizer, length, spec.method, self._tokenized)

    def renderer(self, spec: Spec, model: str) -> Renderer:
        """By the code that makes the rows of the trainer. Raises `ModelNotFound`."""
        source = self._source(spec, model)
        from ftbridge_local.rendering import render
        from ftbridge_local.rules import reader

        tokenizer, length = reader(source, spec.hyperparameters)
        return partial(render, tokenizer=tokenizer, max_length=length)

    def check_limits(self, spec: Spec, model: str) -> None:
        """Refuses a teacher with other tokens."""
        if spec.teacher:
            self._teacher(spec, self._source(spec, model))

    def token_counter(self, model: str, vocabulary: Path | None = None) -> TokenCounter:
        """By the model's own tokenizer and template, exactly."""
        check_packages()
        from ftbridge_local.models.find import find
        from ftbridge_local.rules import LocalCounter
        from ftbridge_local.tokenizing.tokenizer import Tokenizer

        source = find(self._here(model), self.home, weights=False, offline=is_offline())
        return LocalCounter(Tokenizer(source.tokenizer))

    def upload(self, file: Path, *, key: str) -> str:
        """Keep a copy below the home; its path is its id."""
        copy = self.files_folder / f"{key}.jsonl"
        if not copy.exists():
            make_folder(copy.parent)
            with replacing(copy) as temporary:
                shutil.copyfile(file, temporary)
        return str(copy)

    def find(self, tag: str) -> list[RemoteJob]:
        """The job, if a worker has it or has had it, or it waits for one."""
        found = [(host, report) for host in self.hosts(tag) for report in self.runner(host).report([tag])]
        return [self._job(host, of) for host, of in found if of.alive or of.state.status is not Status.SUBMITTING]

    def jobs(self) -> Iterator[Listed]:
        """All job folders, newest first.

        Raises `ListingUnfinished`, after the others, where one cannot be read, or a host cannot be reached.
        """
        listed: list[Listed] = []
        unlisted: ListingUnfinished | None = None
        for host in self.hosts():
            try:
                runner = self.runner(host)
                listed.extend(whole_list(self.name, runner.report(runner.tags()), partial(self._listed, host)))
            except ListingUnfinished as problem:
                unlisted = problem
            except NetworkError as problem:
                unlisted = ListingUnfinished(problem.message, provider=self.name, hint=problem.hint)
        yield from sorted(listed, key=lambda job: job.created_at, reverse=True)
        if unlisted:
            raise unlisted

    def poll(self, remote_ids: Sequence[str]) -> Iterator[RemoteJob]:
        """The jobs as their runners report them, one after the other; one whose worker died is failed."""
        tags, problem = defaultdict[str, list[str]](list), None
        for remote_id in remote_ids:
            host, _, tag = remote_id.rpartition("/")
            tags[host].append(tag)
        for host, some in tags.items():
            try:
                yield from [self._job(host, report) for report in self.runner(host).report(some)]
            except NetworkError as trouble:  # the other hosts' jobs are polled all the same
                problem = trouble
        if problem:
            raise problem

    def events(self, remote_id: str, since: str) -> Iterable[Event]:
        """The events after the offset `since` of events.jsonl."""
        runner, tag = self._at(remote_id)
        offset = int(since or 0)
        return parse_events(runner.read(tag, EVENTS, offset), offset)

    def cancel(self, remote_id: str) -> None:
        """Stop the worker for good; returns when it is gone, usually within five seconds."""
        runner, tag = self._at(remote_id)
        if not runner.end(tag):
            raise ProviderError(f"the worker of {remote_id} does not stop", provider=self.name, hint="Try again.")

    def pause(self, remote_id: str) -> None:
        """Ask the worker to save its state and stop; it does so after its next step."""
        runner, tag = self._at(remote_id)
        runner.ask(tag, "pause")

    def resume(self, remote_id: str) -> None:
        """Continue from the newest checkpoint. Raises `ProviderError` where that cannot be."""
        runner, tag = self._at(remote_id)
        with usable(self.home):
            resumed = runner.resume(tag)
        if resumed == "resumed":
            return
        status = self._known(remote_id).status if resumed == "over" else ""
        what, hint = {
            "running": ("is running", "There is nothing to resume."),
            "over": (f"is {status}", "Only a paused or failed job can be resumed."),
            "without data": ("has no training data any more, which was removed", "Submit the dataset again."),
        }[resumed]
        raise ProviderError(f"job {remote_id} {what}", provider=self.name, hint=hint)

    def checkpoints(self, remote_id: str) -> list[Checkpoint]:
        """The last ones and the best, with the losses at their steps."""
        runner, tag = self._at(remote_id)
        folder = runner.folder(tag).checkpoints
        return checkpoints_of(folder, runner.names(tag, folder.name), self.events(remote_id, ""))

    def artifacts(self, remote_id: str) -> list[Artifact]:
        """The files of the job, and its result."""
        runner, tag = self._at(remote_id)
        return runner.artifacts(tag)

    def leftovers(self) -> list[Artifact]:
        """The uploaded and the tokenized files."""
        return list(leftovers_in(self.files_folder.parent))

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

        source = find(self._here(model), self.home.absolute(), weights=False, offline=is_offline())
        check(spec.hyperparameters, source, here=self.trains_here)
        return source

    def _teacher(self, spec: Spec, student: Source) -> Source | None:
        from ftbridge_local.models.teacher import teacher_of

        return teacher_of(spec, student, self.home.absolute(), self._here)

    def _load(self, model: str) -> Generator:
        """The model, kept for the next call; only the last one is."""
        check_packages()
        from ftbridge_local.models.find import find

        if (generator := self._generator) is None or generator.name != model:
            source = find(self._here(model), self.home, weights=True)
            from ftbridge_local.generation import Generator

            self._generator = generator = Generator.load(model, source)
        return generator

    def _job(self, host: str, report: JobReport) -> RemoteJob:
        remote_id = f"{host}/{report.tag}" if host else report.tag
        return remote_job(report, remote_id, self.runner(host).folder(report.tag).result)

    def _listed(self, host: str, report: JobReport) -> Listed:
        return listed_job(report, self._job(host, report), self.runner(host))

    def _at(self, remote_id: str) -> tuple[Runner, str]:
        """The runner of a job, and its tag there. Raises `JobNotFound` where that runner does not have it."""
        self._known(remote_id)
        host, _, tag = remote_id.rpartition("/")
        return self.runner(host), tag

    def _known(self, remote_id: str) -> RemoteJob:
        if known := next(iter(self.poll([remote_id])), None):
            return known
        hint = f"`ftbridge show {remote_id}` names its home; `ftbridge cancel {remote_id} --give-up` ends it here."
        raise JobNotFound(f"the folder of job {remote_id} is not below {self.home}", hint=hint)

    def _finished(self, remote_id: str) -> JobFolder:
        if (status := self._known(remote_id).status) is not Status.SUCCEEDED:
            raise JobFailed(f"job {remote_id} has no result: it is {status.value}", hint="Wait until it has succeeded.")
        host, _, tag = remote_id.rpartition("/")
        return self.runner(host).pull(tag)
