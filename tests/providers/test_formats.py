"""What a single row cannot show: limits, models, methods, and what a provider says of itself."""

from __future__ import annotations

import base64
from pathlib import Path

import msgspec
import pytest

from ftbridge.dataset.canonical.example import Assistant, Chat, Example, ImagePart, ImageUrl, Preference, Text, User
from ftbridge.dataset.converter import Converter
from ftbridge.dataset.findings import Diagnostics
from ftbridge.errors import SpecError
from ftbridge.model import Hyperparameters, Method, Spec
from ftbridge.provider import Provider
from ftbridge_providers.azure.adapter import AzureProvider
from ftbridge_providers.mistral.adapter import MistralProvider
from ftbridge_providers.mistral.format import MistralFormat
from ftbridge_providers.mistral.tool_ids import rewritten_ids
from ftbridge_providers.nebius.adapter import NebiusProvider
from ftbridge_providers.openai.adapter import OpenAIProvider
from ftbridge_providers.openai.format import OpenAIFormat
from ftbridge_providers.together.adapter import TogetherProvider
from ftbridge_providers.together.format import TogetherFormat

PROVIDERS = [OpenAIProvider, AzureProvider, TogetherProvider, NebiusProvider, MistralProvider]
VISION = "gpt-4o-2024-08-06"


def findings(converter: Converter, example: Example) -> list[tuple[str, str, str]]:
    diagnostics = Diagnostics()
    converter.convert(example, diagnostics)
    return [(found.level, found.code, found.path) for found in diagnostics.findings]


def chat(question: str) -> Chat:
    return Chat([User(question), Assistant("Yes.")])


def image(data: bytes = b"x", kind: str = "png") -> ImagePart:
    return ImagePart(ImageUrl(f"data:image/{kind};base64,{base64.b64encode(data).decode()}"))


def openai(model: str = "gpt-4.1-mini-2025-04-14", method: Method = Method.SFT) -> OpenAIFormat:
    return OpenAIFormat(f"openai:{model}", model, method)


def test_openai_warns_of_an_example_that_it_would_cut_off() -> None:
    assert findings(openai(), chat("word " * 60_000)) == [("warning", "likely_truncated", "$")]
    assert findings(openai(), chat("word " * 50_000)) == []


def test_length_is_in_bytes_so_that_other_scripts_count() -> None:
    assert findings(openai(), chat("你好" * 50_000)) == [("warning", "likely_truncated", "$")]


def test_tools_count_towards_the_length() -> None:
    tools = [{"type": "function", "function": {"name": "f", "description": "word " * 30_000}}]
    row = {"messages": [{"role": "user", "content": "word " * 30_000}, {"role": "assistant", "content": "A"}]}
    example = msgspec.convert({**row, "tools": tools}, Chat)
    assert findings(openai(), example) == [("warning", "likely_truncated", "$")]


def test_the_longer_output_of_a_preference_counts() -> None:
    example = Preference(Chat([User("Hi")]), [Assistant("a")], [Assistant("word " * 60_000)])
    assert findings(openai(method=Method.DPO), example) == [("warning", "likely_truncated", "$")]


def test_a_model_of_unknown_context_is_not_warned_about() -> None:
    assert findings(openai("gpt-9"), chat("word " * 60_000)) == []


@pytest.mark.parametrize("model", [VISION, f"ft:{VISION}:acme::9abc"])
def test_openai_trains_images_on_the_one_documented_model_and_its_fine_tunes(model: str) -> None:
    assert findings(openai(model), Chat([User([image()]), Assistant("A")])) == []


def test_openai_refuses_images_for_other_models() -> None:
    refused = ("error", "model_without_images", "$.messages[0].content[0].image_url.url")
    assert findings(openai("gpt-4o-mini-2024-07-18"), Chat([User([image()]), Assistant("A")])) == [refused]


def test_mistral_refuses_images_for_text_models_only() -> None:
    example = Chat([User([image()]), Assistant("A")])
    refused = ("error", "model_without_images", "$.messages[0].content[0].image_url.url")
    assert findings(MistralFormat("t", "open-mistral-nemo"), example) == [refused]
    assert findings(MistralFormat("t", "pixtral-12b-latest"), example) == []


@pytest.mark.parametrize("converter", [openai(VISION), TogetherFormat("t", Method.SFT)])
def test_the_eleventh_image_is_refused_once(converter: Converter) -> None:
    refused = ("error", "too_many_images", "$.messages[0].content[10].image_url.url")
    assert findings(converter, Chat([User([image()] * 10), Assistant("A")])) == []
    assert findings(converter, Chat([User([image()] * 13), Assistant("A")])) == [refused]


@pytest.mark.parametrize("converter", [openai(VISION), TogetherFormat("t", Method.SFT)])
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_an_image_over_ten_megabytes_is_refused(converter: Converter, kind: str) -> None:
    refused = ("error", "image_too_large", "$.messages[0].content[0].image_url.url")
    limit = 10 * 2**20
    assert findings(converter, Chat([User([image(bytes(limit), kind)]), Assistant("A")])) == []
    assert findings(converter, Chat([User([image(bytes(limit + 1), kind)]), Assistant("A")])) == [refused]


@pytest.mark.parametrize("method", [Method.SFT, Method.DPO, Method.RFT])
def test_only_the_shapes_of_the_method_are_trained(method: Method) -> None:
    preference = Preference(Chat([User("Hi")]), [Assistant("a")], [Assistant("b")])
    examples: dict[str, Example] = {"chat": chat("Hi"), "preference": preference, "text": Text("t")}
    for converter in (openai(method=method), TogetherFormat("t", method), MistralFormat("t", "m")):
        for shape, example in examples.items():
            refused = [("error", "shape_not_trained", "$")]
            assert findings(converter, example) == ([] if shape in converter.shapes else refused)


def test_an_empty_conversation_is_no_accident() -> None:
    assert findings(openai(), Chat([])) == []
    assert findings(TogetherFormat("t", Method.SFT), Chat([])) == []
    assert findings(MistralFormat("t", "m"), Chat([])) == [("error", "last_not_assistant", "$.messages")]


def test_ids_are_rewritten_the_same_way_each_time_and_never_onto_one_that_stays() -> None:
    first = rewritten_ids(["call_1", "call_2"])
    assert first == rewritten_ids(["call_2", "call_1"])
    taken = first["call_1"]
    second = rewritten_ids(["call_1", taken])
    assert second.keys() == {"call_1"}
    assert second["call_1"] != taken


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_hyperparameter_that_a_vendor_may_have_has_an_answer(provider: type[Provider]) -> None:
    table = provider.capabilities.hyperparameters
    assert table.keys() == set.union(*(set(one.capabilities.hyperparameters) for one in PROVIDERS))
    assert table.keys() <= Hyperparameters.model_fields.keys()
    assert all(handling.note for handling in table.values() if handling.how == "refused")
    assert all(handling.to for handling in table.values() if handling.how == "renamed")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_rules_are_those_of_the_spec(provider: type[Provider], tmp_path: Path) -> None:
    spec = Spec(target=f"{provider.name}:some-model", data=tmp_path / "train.jsonl", method=Method.SFT)
    rules = provider(tmp_path).converter(spec, "some-model")
    assert rules.target == spec.target
    assert "chat" in rules.shapes
    assert rules.limits.fewest_examples == (10 if provider in (OpenAIProvider, AzureProvider) else 1)


def test_openai_counts_examples_with_images_not_images() -> None:
    rules, diagnostics = openai(VISION), Diagnostics()
    for question in (User([image(), image()]), User([image()]), User("no image")):
        rules.convert(Chat([question, Assistant("A")]), diagnostics)
    assert diagnostics.with_images == 2
    assert rules.limits.most_with_images == 50_000


def test_a_learning_rate_is_refused_by_openai_with_what_it_takes_instead(tmp_path: Path) -> None:
    spec = Spec(target="openai:m", data=tmp_path, hyperparameters=Hyperparameters(learning_rate=1e-5))
    with pytest.raises(SpecError) as refusal:
        OpenAIProvider(tmp_path).check_spec(spec)
    assert "learning_rate_multiplier" in refusal.value.hint


def test_mistral_has_no_dpo(tmp_path: Path) -> None:
    spec = Spec(target="mistral:m", data=tmp_path, method=Method.DPO)
    with pytest.raises(SpecError):
        MistralProvider(tmp_path).check_spec(spec)
