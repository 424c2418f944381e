"""What graders need from outside: models to ask, and the processes of python graders."""

from __future__ import annotations

from threading import Lock
from types import TracebackType

from ftbridge.errors import UsageError
from ftbridge.graders.judge import Complete
from ftbridge.graders.python.process import PythonLimits, PythonProcess
from ftbridge.graders.similarity import Embed


class GradingContext:
    """Used by many rows, and by several threads; leaving the `with` block ends the python graders' processes.

    `complete` asks the judges of score_model and label_model, `embed` gives embeddings for the metric cosine.
    """

    def __init__(
        self,
        complete: Complete | None = None,
        embed: Embed | None = None,
        limits: PythonLimits | None = None,
    ) -> None:
        self._complete = complete
        self.embed = embed
        self._limits = limits or PythonLimits()
        self._processes: dict[str, PythonProcess] = {}
        self._lock = Lock()

    def __enter__(self) -> GradingContext:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all processes; the context may be used again, and then starts new ones."""
        with self._lock:
            processes, self._processes = self._processes, {}
        for process in processes.values():
            process.close()

    def judge(self) -> Complete:
        """How to ask another model. Raises `UsageError` where none was given."""
        if self._complete is None:
            raise UsageError(
                "this grader asks another model, and none is set", hint="Say which target judges, as in openai:gpt-4o."
            )
        return self._complete

    def python(self, source: str) -> PythonProcess:
        """The process of that source, the same for all rows. Raises `SpecError` for a source that is too long."""
        with self._lock:
            if source not in self._processes:
                self._processes[source] = PythonProcess(source, self._limits)
            return self._processes[source]
