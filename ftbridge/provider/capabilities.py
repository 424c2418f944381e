"""What a provider can do, and whether a spec fits into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ftbridge.errors import SpecError
from ftbridge.model import Frozen, Hyperparameters, Method, Spec

Verb = Literal["cancel", "pause", "resume", "checkpoints", "deploy", "chat", "loss", "models", "delete", "package"]

ExportForm = Literal["adapter", "merged", "gguf", "ollama"]


_COMMANDS: Mapping[Verb, tuple[str, ...]] = {
    "cancel": ("cancel",),
    "pause": ("pause",),
    "resume": ("resume",),
    "deploy": ("deploy", "undeploy"),
    "chat": ("chat", "evaluate"),
    "package": ("export",),
}


class Handling(Frozen):
    """What a provider does with one hyperparameter; `to` is the vendor's own name for it.

    `least` and `most` are the vendor's own limits, both still taken, and `above` one that is not; `words`
    are those taken, where not all are.
    `methods` are those that have the hyperparameter, where not all do.
    """

    how: Literal["applied", "renamed", "converted", "refused"]
    to: str = ""
    note: str = ""
    methods: frozenset[Method] = frozenset()
    words: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    above: float | None = None


APPLIED = Handling(how="applied")
_OF_EVALUATIONS = ("eval_interval", "early_stopping")
_UNKNOWN = Handling(how="refused")


class Capabilities(Frozen):
    """Everything is unsupported unless named here. `gives_weights` says whether `fetch` brings the model itself."""

    methods: frozenset[Method]
    hyperparameters: Mapping[str, Handling]
    verbs: frozenset[Verb] = frozenset()
    gives_weights: bool = False

    @property
    def commands(self) -> list[str]:
        """What the user types for what is offered, beyond the commands that all providers take."""
        return [command for verb, commands in _COMMANDS.items() if verb in self.verbs for command in commands]


def fit(spec: Spec, able: Capabilities, provider: str, *, allow_ignored: bool) -> tuple[list[str], Spec]:
    """What has to be said about `spec` at a provider that is `able`, and the spec as it will run.

    Raises `SpecError` for a method, or a hyperparameter, that is not offered, has another value
    than the vendor takes, or can do nothing without a validation file; with `allow_ignored` a hyperparameter
    that is not offered, or can do nothing, is left out of the returned spec instead, and said.
    """
    check_method(spec.method, able, provider)
    _check_grading(spec)
    said: list[str] = []
    kept: dict[str, Any] = {}
    for name, value in spec.hyperparameters.given().items():
        handling = able.hyperparameters.get(name, _UNKNOWN)
        if not (unfit := _unfit(name, spec, able, provider)):
            _check_range(name, value, handling, provider)
            kept[name] = value
            if handling.how == "converted":  # another name for the same is not worth a word
                said.append(f"{name} is {handling.how} to {handling.to or 'its own setting'} at {provider}")
        elif allow_ignored:
            said.append(f"{name} = {value} is ignored: {unfit.message}")
        else:
            raise unfit
    return said, spec.model_copy(update={"hyperparameters": Hyperparameters(**kept)})


def check_method(method: Method, able: Capabilities, provider: str) -> None:
    """Raises `SpecError` for a method that is not offered."""
    if method not in able.methods:
        raise SpecError(f"{provider} has no {method}", hint=f"It offers: {', '.join(sorted(able.methods))}.")


def _check_grading(spec: Spec) -> None:
    """Reinforcement has a grader, and nothing else has."""
    if spec.method is Method.RFT:
        if spec.grader is None:
            raise SpecError("rft needs a grader, which scores the model's answers", hint="Give --grader FILE.json.")
        return
    for name in ("grader", "response_format"):
        if getattr(spec, name) is not None:
            raise SpecError(
                f"{name} is a setting of rft, and this job is {spec.method}", hint="Use --method rft, or leave it out."
            )


def _unfit(name: str, spec: Spec, able: Capabilities, provider: str) -> SpecError | None:
    """Why a hyperparameter cannot be used at all, whatever its value; None where it can."""
    handling = able.hyperparameters.get(name, _UNKNOWN)
    if handling.how == "refused":
        offered = sorted(other for other, known in able.hyperparameters.items() if known.how != "refused")
        what, hint = f"{provider} has no {name}", handling.note or f"It takes: {', '.join(offered)}."
    elif handling.methods and spec.method not in handling.methods:
        those = " or ".join(sorted(handling.methods))
        what, hint = f"{name} is a setting of {those}, and this job is {spec.method}", f"Use --method {those}."
    elif (
        name in _OF_EVALUATIONS and spec.validation is None and spec.method is not Method.RFT
    ):  # which wants one always
        what, hint = f"{name} goes by the validation file, and there is none", "Give one with --validation."
    else:
        return None
    return SpecError(what, hint=f"{hint} Leave it out, or pass --allow-ignored.")


def _check_range(name: str, value: float | str, handling: Handling, provider: str) -> None:
    """The vendor's own limits; the nearest value that it takes goes into the hint."""
    least, most, above = handling.least, handling.most, handling.above
    if isinstance(value, str):
        if handling.words and value not in handling.words:
            raise SpecError(f"{provider} has no {name} = {value}", hint=f"It takes: {', '.join(handling.words)}.")
        return
    if least is not None and value < least:
        hint = f"The nearest it takes is {least:g}."
    elif most is not None and value > most:
        hint = f"The nearest it takes is {most:g}."
    elif above is not None and value <= above:
        hint = f"Give it a value above {above:g}."
    else:
        return
    limits = (("from", least), ("more than", above), ("to", most))
    takes = " ".join(f"{word} {limit:g}" for word, limit in limits if limit is not None)
    raise SpecError(f"{name} = {value:g} is out of what {provider} takes: {takes}", hint=hint)
