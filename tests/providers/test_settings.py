"""What each vendor takes of a spec, and what is said of the rest, before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftbridge.dataset import check
from ftbridge.errors import SpecError
from ftbridge.model import Hyperparameters, Method, Spec
from ftbridge.provider import Provider
from ftbridge_providers.mistral.adapter import MistralProvider
from ftbridge_providers.openai.adapter import OpenAIProvider
from ftbridge_providers.together.adapter import TogetherProvider

OUT_OF_RANGE = [
    (OpenAIProvider, "epochs", 51, "from 1 to 50", "50"),
    (OpenAIProvider, "batch_size", 257, "from 1 to 256", "256"),
    (OpenAIProvider, "beta", 2.5, "more than 0 to 2", "2"),
    (MistralProvider, "max_seq_length", 99, "from 100", "100"),
    (MistralProvider, "learning_rate", 1e-9, "from 1e-08 to 1", "1e-08"),
]


def asked(method: Method = Method.SFT, **hyperparameters: float) -> Spec:
    return Spec(target="any:m", data=Path("x"), method=method, hyperparameters=Hyperparameters(**hyperparameters))


@pytest.mark.parametrize(("provider", "name", "value", "takes", "nearest"), OUT_OF_RANGE)
@pytest.mark.parametrize("allow_ignored", [False, True])
def test_a_value_out_of_range_is_refused_with_the_range_and_the_nearest(
    provider: type[Provider], name: str, value: float, takes: str, nearest: str, allow_ignored: bool, tmp_path: Path
) -> None:
    method = Method.DPO if name == "beta" else Method.SFT
    with pytest.raises(SpecError, match=f"{name} = {value:g} is outside the range of .*: {takes}") as problem:
        provider(tmp_path).check_spec(asked(method, **{name: value}), allow_ignored=allow_ignored)
    assert problem.value.hint == f"The nearest it takes is {nearest}."


@pytest.mark.parametrize("provider", [OpenAIProvider, TogetherProvider])
def test_beta_belongs_to_dpo(provider: type[Provider], tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="beta is a setting of dpo, and this job is sft") as problem:
        provider(tmp_path).check_spec(asked(beta=0.1))
    assert "the method dpo" in problem.value.hint
    said, kept = provider(tmp_path).check_spec(asked(beta=0.1), allow_ignored=True)
    assert "beta = 0.1 is ignored" in said[0]
    assert kept.hyperparameters.given() == {}
    assert provider(tmp_path).check_spec(asked(Method.DPO, beta=0.1))[1].hyperparameters.beta == 0.1


def test_a_method_that_a_vendor_lacks_is_refused_with_those_it_has(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="mistral has no dpo") as problem:
        MistralProvider(tmp_path).check_spec(asked(Method.DPO))
    assert problem.value.hint == "It offers: sft."


@pytest.mark.parametrize("provider", [OpenAIProvider, TogetherProvider, MistralProvider])
def test_tasks_are_refused_by_a_method_that_does_not_take_them(provider: type[Provider], tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"messages": [{"role": "user", "content": "Hi"}], "reference": {}}\n', "utf-8")
    report = check(file, converters=[provider(tmp_path).converter(asked(), "m")])
    [found] = [finding for finding in report.findings if finding.code == "shape"]
    assert "does not train on task rows" in found.message


@pytest.mark.parametrize("rate", [0.0, 0])
def test_a_learning_rate_of_nothing_never_reaches_a_vendor_that_would_make_something_of_it(rate: float) -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        Hyperparameters(learning_rate=rate)
