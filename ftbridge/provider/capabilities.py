"""What a provider can do, and whether a spec fits into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ftbridge.errors import SpecError, Unsupported
from ftbridge.model import Frozen, Hyperparameters, Method, Result, Spec

Verb = Literal[
    "cancel",
    "pause",
    "resume",
    "checkpoints",
    "deploy",
    "chat",
    "losses",
    "list_models",
    "delete",
    "export",
    "renderer",
    "verifier",
]

ExportForm = Literal["adapter", "merged", "gguf", "ollama"]


_COMMANDS: Mapping[Verb, tuple[str, ...]] = {
    "cancel": ("cancel",),
    "pause": ("pause",),
    "resume": ("resume",),
    "deploy": ("deploy", "undeploy"),
    "checkpoints": ("checkpoints",),
    "chat": ("chat", "evaluate"),
    "delete": ("delete",),
    "export": ("export",),
    "renderer": ("check --show-mask",),
}


class Handling(Frozen):
    """What a provider does with one hyperparameter; `to` is the vendor's own name for it.

    `minimum`, `maximum` and `greater_than` are the vendor's own limits.
    `choices` are the allowed values of a hyperparameter that is a word; empty where all are.
    `methods` are the methods that have the hyperparameter; empty where all do.
    """

    how: Literal["applied", "renamed", "converted", "refused"]
    to: str = ""
    note: str = ""
    methods: frozenset[Method] = frozenset()
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    greater_than: float | None = None


APPLIED = Handling(how="applied")
_NEEDS_VALIDATION = ("eval_interval", "early_stopping")
_UNKNOWN = Handling(how="refused")


class Capabilities(Frozen):
    """What is not named here is unsupported. `gives_weights` is true where `fetch` downloads the weights, and
    `gives_tool_calls` where an answer has the model's tool calls apart from its text.

    `keeps` says, by the kind of an `Artifact`, why `delete` cannot delete it, and what to do instead. `continues` is
    what names a result as the start of another job: its model, or the id of its job; None where it can be none.
    """

    methods: frozenset[Method]
    hyperparameters: Mapping[str, Handling]
    verbs: frozenset[Verb] = frozenset()
    gives_weights: bool = False
    gives_tool_calls: bool = True
    continues: Literal["model", "job"] | None = None
    keeps: Mapping[str, str] = {}

    @property
    def commands(self) -> list[str]:
        """The commands for the offered verbs, beyond those that work with every provider."""
        return [command for verb, commands in _COMMANDS.items() if verb in self.verbs for command in commands]


def unsupported(verb: str, capabilities: Capabilities, provider: str) -> Unsupported:
    """The error for a verb that the provider does not offer."""
    hint = f"Beyond what all take, it offers: {', '.join(capabilities.commands) or 'nothing'}."
    return Unsupported(f"{provider} does not offer {verb}", provider=provider, hint=hint)


def unnamed(provider: str, model: str) -> SpecError:
    """The error for a model of which nobody knows what it is called elsewhere."""
    return SpecError(
        f"{provider} has names of its own for models, and {model} may be none at the hub",
        hint="Name the model for the other trainer: --model ORGANISATION/NAME, or a folder.",
    )


def start_of_next(capabilities: Capabilities, provider: str, model: str, remote_id: str, result: Result) -> str:
    """What names the start of a job that goes on from `result`. Raises `Unsupported` where no job can."""
    start = {"model": result.model, "job": remote_id, None: None}[capabilities.continues]
    if start is None:
        raise Unsupported(
            f"{provider} does not train a tuned model further",
            provider=provider,
            hint=f"Train {model} again, on the rows of both files in one.",
        )
    return start


def fit_spec(spec: Spec, capabilities: Capabilities, provider: str, *, allow_ignored: bool) -> tuple[list[str], Spec]:
    """The warnings about `spec` at a provider with these capabilities, and the spec as it will run.

    Raises `SpecError` for a method or hyperparameter that is not offered, for a value that the vendor does not take,
    and for a hyperparameter that needs a validation file where there is none. With `allow_ignored`, a hyperparameter
    that cannot be used is left out of the returned spec, with a warning.
    """
    check_method(spec.method, capabilities, provider)
    _check_needs(spec)
    warnings: list[str] = []
    used: dict[str, Any] = {}
    for name, value in spec.hyperparameters.given().items():
        handling = capabilities.hyperparameters.get(name, _UNKNOWN)
        if not (problem := _unusable(name, spec, capabilities, provider)):
            _check_range(name, value, handling, provider)
            used[name] = value
            if handling.how == "converted":  # a different name for the same value needs no warning
                warnings.append(f"{name} is converted to {handling.to or 'its own setting'} at {provider}")
        elif allow_ignored:
            warnings.append(f"{name} = {value} is ignored: {problem.message}")
        else:
            raise problem
    return warnings, spec.model_copy(update={"hyperparameters": Hyperparameters(**used)})


def check_method(method: Method, capabilities: Capabilities, provider: str) -> None:
    """Raises `SpecError` for a method that is not offered."""
    if method not in capabilities.methods:
        raise SpecError(f"{provider} has no {method}", hint=f"It offers: {', '.join(sorted(capabilities.methods))}.")


def _check_needs(spec: Spec) -> None:
    """Reinforcement needs a grader, and distillation a teacher; no other method takes one."""
    if spec.method is Method.RFT and spec.grader is None:
        raise SpecError("rft needs a grader, which scores the model's answers", hint="Give a grader, in a JSON file.")
    if spec.method is Method.DISTILL and spec.teacher is None:
        raise SpecError(
            "distill needs a teacher, from whose probabilities the model learns",
            hint="Give --teacher JOB, or --teacher local:MODEL.",
        )
    for name, method in (("grader", Method.RFT), ("response_format", Method.RFT), ("teacher", Method.DISTILL)):
        if getattr(spec, name) is not None and spec.method is not method:
            raise SpecError(
                f"{name} is a setting of {method}, and this job is {spec.method}",
                hint=f"Choose the method {method}, or leave it out.",
            )


def _unusable(name: str, spec: Spec, capabilities: Capabilities, provider: str) -> SpecError | None:
    """Why a hyperparameter cannot be used, whatever its value; `None` where it can."""
    handling = capabilities.hyperparameters.get(name, _UNKNOWN)
    if handling.how == "refused":
        offered = sorted(other for other, known in capabilities.hyperparameters.items() if known.how != "refused")
        what, hint = f"{provider} has no {name}", handling.note or f"It takes: {', '.join(offered)}."
    elif handling.methods and spec.method not in handling.methods:
        those = " or ".join(sorted(handling.methods))
        what, hint = f"{name} is a setting of {those}, and this job is {spec.method}", f"Choose the method {those}."
    elif (
        name in _NEEDS_VALIDATION and spec.validation is None and spec.method is not Method.RFT
    ):  # rft always needs one
        what, hint = f"{name} needs a validation file, and there is none", "Give one."
    else:
        return None
    return SpecError(what, hint=f"{hint} Leave it out, or pass --allow-ignored.")


def _check_range(name: str, value: float | str, handling: Handling, provider: str) -> None:
    """Raises `SpecError` for a value outside the vendor's limits; the hint names the nearest allowed value."""
    minimum, maximum, greater_than = handling.minimum, handling.maximum, handling.greater_than
    if isinstance(value, str):
        if handling.choices and value not in handling.choices:
            raise SpecError(f"{provider} has no {name} = {value}", hint=f"It takes: {', '.join(handling.choices)}.")
        return
    if minimum is not None and value < minimum:
        hint = f"The nearest it takes is {minimum:g}."
    elif maximum is not None and value > maximum:
        hint = f"The nearest it takes is {maximum:g}."
    elif greater_than is not None and value <= greater_than:
        hint = f"Give it a value above {greater_than:g}."
    else:
        return
    limits = (("from", minimum), ("more than", greater_than), ("to", maximum))
    takes = " ".join(f"{word} {limit:g}" for word, limit in limits if limit is not None)
    raise SpecError(f"{name} = {value:g} is outside the range of {provider}: {takes}", hint=hint)
