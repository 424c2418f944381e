"""What a provider does before anything leaves this machine: its name, specs, conversions and token counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from ftbridge.dataset import Conversion, convert
from ftbridge.dataset.canonical.example import Assistant, Chat, User
from ftbridge.errors import SpecError, Unsupported
from ftbridge.model import Hyperparameters, Method, Spec
from ftbridge.provider import Artifact, Provider, Verb
from ftbridge.testing.base import ROWS, SuiteBase

_ANSWERS = [{"role": "assistant", "content": text} for text in ("Yes.", "Well, no.")]
_SHAPES: dict[str, Any] = {
    "chat": ROWS[0],
    "task": {"messages": [{"role": "user", "content": "Say one."}], "reference": {"answer": "one"}},
    "text": {"text": "Once upon a time there was a small model."},
    "preference": {
        "input": {"messages": [{"role": "user", "content": "Is it so?"}]},
        "preferred_output": _ANSWERS[:1],
        "non_preferred_output": _ANSWERS[1:],
    },
}


class SpecTests(SuiteBase):
    """Nothing here creates a job."""

    def test_has_a_name_an_account_and_capabilities(self, provider: Provider) -> None:
        assert provider.name == provider.name.lower().strip()
        assert provider.account
        assert provider.poll_seconds > 0
        assert provider.capabilities.methods
        assert set(provider.capabilities.hyperparameters) <= set(Hyperparameters.model_fields)

    def test_does_not_show_its_key(self, provider: Provider) -> None:
        if not self.secret:
            pytest.skip("no `secret` is given")
        assert self.secret not in f"{provider!r} {provider.account} {vars(provider)!r} {provider.capabilities!r}"

    def test_a_model_resolved_twice_is_the_same(self, provider: Provider) -> None:
        once = provider.resolve(self.model)
        assert provider.resolve(once) == once

    def test_its_catalogue_has_sources_and_dates(self, provider: Provider) -> None:
        for row in [*provider.catalogue(), *provider.live_catalogue(self.model)]:
            assert row.provider == provider.name
            assert row.source
            assert row.as_of
        assert provider.base_model(self.model)

    def test_a_spec_that_it_offers_is_unchanged(self, provider: Provider, spec: Spec) -> None:
        warnings, checked = provider.check_spec(spec)
        assert checked == spec
        assert all(isinstance(warning, str) and warning for warning in warnings)

    def test_refuses_a_hyperparameter_it_does_not_offer_with_a_hint(self, provider: Provider, spec: Spec) -> None:
        table = provider.capabilities.hyperparameters
        refused = [name for name in Hyperparameters.model_fields if name not in table or table[name].how == "refused"]
        for name in refused:
            given = Hyperparameters.model_validate({name: _some_value(name)})
            requested = spec.model_copy(update={"hyperparameters": given})
            with pytest.raises(SpecError) as problem:
                provider.check_spec(requested)
            assert name in problem.value.message
            assert problem.value.hint
            warnings, checked = provider.check_spec(requested, allow_ignored=True)
            assert warnings
            assert checked.hyperparameters.given() == {}

    def test_refuses_a_method_it_does_not_offer(self, provider: Provider, spec: Spec) -> None:
        for method in set(Method) - provider.capabilities.methods:
            with pytest.raises(SpecError, match=method) as problem:
                provider.check_spec(spec.model_copy(update={"method": method}))
            assert problem.value.hint

    def test_verbs_it_does_not_name_are_unsupported(self, provider: Provider, spec: Spec, tmp_path: Path) -> None:
        chats = [Chat(messages=[User(content="Hi"), Assistant(content="Hello")])]
        arguments: dict[Verb, tuple[Any, ...]] = {
            "chat": ("any", chats[0]),
            "losses": ("any", chats),
            "list_models": (),
            "renderer": (spec, "any"),
            "verifier": (),
            "delete": (Artifact(kind="file", name="any"),),
            "export": ("any", "merged", tmp_path),
        }
        for verb in set(get_args(Verb)) - provider.capabilities.verbs:
            with pytest.raises(Unsupported) as problem:
                getattr(provider, verb)(*arguments.get(verb, ("any",)))
            assert verb in problem.value.message

    def test_rows_become_the_same_file_each_time(self, provider: Provider, spec: Spec, tmp_path: Path) -> None:
        first, second = (self._converted(provider, spec, tmp_path / name) for name in ("first", "second"))
        assert first.impossible == ()
        assert first.key == second.key
        if first.exact == len(ROWS):
            assert first.out.read_bytes() == spec.data.read_bytes()
        else:
            assert first.changed

    def test_reads_the_shapes_of_each_method_and_refuses_the_others(
        self, provider: Provider, spec: Spec, tmp_path: Path
    ) -> None:
        for method in provider.capabilities.methods:
            requested = spec.model_copy(update={"method": method, "data": tmp_path / "rows.jsonl"})
            shapes = provider.converter(requested, self.model).shapes
            assert shapes
            for shape, row in _SHAPES.items():
                requested.data.write_text(f"{json.dumps(row)}\n" * len(ROWS), "utf-8")
                impossible = self._converted(provider, requested, tmp_path / "out").impossible
                assert bool(impossible) is (shape not in shapes)
                assert all(finding.message and finding.fix for finding in impossible)

    def test_counts_more_tokens_for_more_words(self, provider: Provider) -> None:
        counter = provider.token_counter(self.model)
        short, long = (Chat(messages=[User(content="Say it. " * n), Assistant(content="it")]) for n in (1, 50))
        assert 0 < counter.count(short) < counter.count(long)
        assert counter.name
        assert 0 <= counter.error < 1

    def _converted(self, provider: Provider, spec: Spec, out: Path) -> Conversion:
        return convert(spec.data, provider.converter(spec, self.model), out)


def _some_value(name: str) -> Any:
    """A value that the hyperparameter may have."""
    kind = get_args(Hyperparameters.model_fields[name].annotation)[0]
    choices = get_args(kind)
    return choices[0] if choices else {float: 0.5, bool: True}.get(kind, 16)
