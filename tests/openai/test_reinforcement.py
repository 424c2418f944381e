"""Reinforcement at OpenAI: graders, tasks, rewards, and what is refused before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftbridge import Bridge
from ftbridge.dataset import check, convert
from ftbridge.dataset.canonical.example import Chat, User
from ftbridge.dataset.findings import Finding
from ftbridge.errors import InputError, SpecError
from ftbridge.model import Hyperparameters, Method, Spec, Status
from ftbridge.provider import Files
from ftbridge_providers.openai.adapter import OpenAIProvider
from ftbridge_providers.openai.mock.vendor import OpenAIMock
from ftbridge_providers.together.adapter import TogetherProvider
from hosted_helpers import finished, sent
from small_data import write_rows
from spec_check import check_operations, check_seen

MODEL = "o4-mini-2025-04-16"
TAG = "ftb_0123456789ab"
CHECK = {
    "type": "string_check",
    "name": "right",
    "input": "{{sample.output_text}}",
    "reference": "{{ item.answer }}",
    "operation": "eq",
}
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4o-2024-08-06",
    "input": [{"role": "user", "type": "message", "content": "Is {{sample.output_text}} like {{item.answer}}?"}],
}
BOTH = {
    "type": "multi",
    "name": "both",
    "graders": {"right": CHECK, "judge": JUDGE},
    "calculate_output": "0.5 * right + min(0.5, 5e-1 * judge)",
}
FORM = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": {"type": "object"}}}


def written(folder: Path, *rows: dict[str, Any]) -> Path:
    return write_rows(folder / "tasks.jsonl", rows)


def task(question: str, **reference: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}], "reference": reference}


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    return written(tmp_path, *(task(f"q{n}", answer=f"a{n}") for n in range(12)))


@pytest.fixture
def spec(tasks: Path) -> Spec:
    hyperparameters = Hyperparameters(epochs=2, batch_size=1, seed=7, reasoning_effort="high", eval_interval=4)
    return Spec(
        target=f"openai:{MODEL}",
        data=tasks,
        validation=tasks,
        method=Method.RFT,
        grader=CHECK,
        hyperparameters=hyperparameters,
    )


@pytest.fixture
def files(provider: OpenAIProvider, spec: Spec, tmp_path: Path) -> Files:
    convert(spec.data, provider.converter(spec, MODEL), tmp_path / "sent.jsonl")
    file = provider.upload(tmp_path / "sent.jsonl", key="k1")
    return Files(training=file, validation=file)


def test_a_whole_life_brings_rewards_and_agrees_with_the_vendors_document(
    provider: OpenAIProvider, mock: OpenAIMock, spec: Spec, files: Files, tmp_path: Path
) -> None:
    job = provider.create(spec, MODEL, files, tag=TAG)
    done = finished(provider, job.remote_id)
    assert done.status is Status.SUCCEEDED, done.error
    metrics = [event for event in provider.events(job.remote_id, "") if event.kind == "metric"]
    assert [event.step for event in metrics] == list(range(1, 25))
    assert all(event.train_reward is not None and event.train_loss is None for event in metrics)
    assert [event.step for event in metrics if event.valid_reward is not None] == [4, 8, 12, 16, 20, 24]
    assert "validation reward" in str(metrics[3])
    kept = provider.checkpoints(job.remote_id)
    assert [checkpoint.step for checkpoint in kept] == [16, 20, 24]
    assert all(checkpoint.valid_reward for checkpoint in kept)
    result = provider.fetch(job.remote_id, tmp_path / "out")
    assert result.model
    assert provider.chat(result.model, Chat(messages=[User(content="q3")])).text == "a3"
    [csv] = (tmp_path / "out").glob("*.csv")
    assert csv.read_text("utf-8").startswith("step,train_mean_reward,full_valid_mean_reward")
    check_operations("openai", "reinforcement", mock.seen, prefix="/v1")


@pytest.mark.parametrize("grader", [CHECK, JUDGE, BOTH], ids=lambda grader: grader["type"])
def test_what_is_asked_for_is_what_is_sent(
    provider: OpenAIProvider, mock: OpenAIMock, spec: Spec, files: Files, grader: dict[str, Any]
) -> None:
    asked = spec.model_copy(update={"grader": grader, "response_format": FORM})
    texts, kept = provider.check_spec(asked)
    assert texts == []
    provider.create(kept, MODEL, files, tag=TAG)
    [body] = sent(mock, "create_job")
    settings = {"n_epochs": 2, "batch_size": 1, "reasoning_effort": "high", "eval_interval": 4}
    assert body["method"] == {
        "type": "reinforcement",
        "reinforcement": {"grader": grader, "response_format": FORM, "hyperparameters": settings},
    }
    assert body["seed"] == 7
    check_seen("openai", mock.seen, prefix="/v1")


def test_the_reference_stands_beside_the_messages_where_graders_read_it(
    provider: OpenAIProvider, spec: Spec, tmp_path: Path
) -> None:
    row = {
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "q"}],
        "reference": {"answer": "a", "why": ["because"]},
    }
    made = convert(written(tmp_path, *[row] * 10), provider.converter(spec, MODEL), tmp_path / "sent.jsonl")
    assert made.changed == {"reference_beside_messages": (10, 1), "system_role_renamed": (10, 1)}
    assert json.loads((tmp_path / "sent.jsonl").read_text("utf-8").splitlines()[0]) == {
        "messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "q"}],
        "answer": "a",
        "why": ["because"],
    }


def findings(provider: OpenAIProvider, spec: Spec, *rows: dict[str, Any]) -> list[Finding]:
    found = check(written(spec.data.parent, *rows), converters=[provider.converter(spec, MODEL)]).findings
    return [finding for finding in found if finding.line]


def test_a_row_without_what_the_grader_reads_is_told(provider: OpenAIProvider, spec: Spec) -> None:
    [found] = findings(provider, spec, task("q", answer="a"), task("q", solution="a"))
    assert (found.line, found.code) == (2, "reference_key_missing")
    assert "item.answer" in found.message


def test_a_reference_hides_no_message(provider: OpenAIProvider, spec: Spec) -> None:
    [found] = findings(provider, spec, task("q", answer="a", messages=[]))
    assert (found.code, found.path) == ("reference_key_taken", "$.reference.messages")


def test_chats_do_not_train_by_reinforcement(provider: OpenAIProvider, spec: Spec) -> None:
    messages = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    [found] = findings(provider, spec, {"messages": messages})
    fix = "By this method it takes task rows; chat rows are for --method sft."
    assert (found.code, found.fix) == ("shape", fix)


BAD_GRADERS: dict[str, tuple[dict[str, Any], str]] = {
    "no kind": ({"name": "x"}, "grader: unable to extract tag"),
    "an unknown kind": ({**CHECK, "type": "guess"}, "string_check"),
    "an unknown operation": ({**CHECK, "operation": "is"}, r"grader\.operation: input should be 'eq'"),
    "an unknown key": ({**CHECK, "weight": 1}, r"grader\.weight"),
    "a part that is none": (
        {**BOTH, "graders": {"right": {**CHECK, "name": 3}}},
        r"grader\.graders\.right\.name: input",
    ),
    "labels alone": (
        {**JUDGE, "type": "label_model", "labels": ["a"], "passing_labels": ["a"]},
        "label_model grader only as part of a multi grader",
    ),
    "an unknown namespace": ({**CHECK, "reference": "{{row.answer}}"}, r"reads \{\{row\.answer\}\}"),
    "a bare namespace": ({**CHECK, "reference": "{{item}}"}, r"reads \{\{item\}\}"),
    "a formula about others": ({**BOTH, "calculate_output": "right + wrong"}, "refers to 'wrong'"),
}


@pytest.mark.parametrize("name", BAD_GRADERS)
def test_a_grader_that_openai_does_not_take_is_refused(provider: OpenAIProvider, spec: Spec, name: str) -> None:
    grader, texts = BAD_GRADERS[name]
    with pytest.raises(SpecError, match=texts) as problem:
        provider.check_spec(spec.model_copy(update={"grader": grader}))
    assert problem.value.hint


def test_python_that_grades_is_not_read_as_a_template(provider: OpenAIProvider, spec: Spec) -> None:
    source = 'def grade(sample, item):\n    return float(f"{{{item}}}" == "{{x}}")\n'
    provider.check_spec(spec.model_copy(update={"grader": {"type": "python", "name": "own", "source": source}}))


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no grader": ({"grader": None}, "rft needs a grader", "Give a grader"),
    "no validation": ({"validation": None}, "needs a validation file", "--validation"),
    "another model": ({"target": "openai:gpt-4.1-2025-04-14"}, "does not train gpt-4.1-2025-04-14 by rft", "o4-mini"),
    "another method": (
        {"method": Method.SFT, "grader": None, "hyperparameters": Hyperparameters()},
        f"does not train {MODEL} by sft",
        "o4-mini",
    ),
    "a grader for sft": ({"method": Method.SFT}, "grader is a setting of rft, and this job is sft", "method rft"),
    "too much compute": (
        {"hyperparameters": Hyperparameters(compute_multiplier=11)},
        "compute_multiplier = 11 is outside the range of openai: more than 1e-05 to 10",
        "nearest it takes is 10",
    ),
    "too little compute": (
        {"hyperparameters": Hyperparameters(compute_multiplier=1e-5)},
        "compute_multiplier = 1e-05 is outside the range of openai",
        "above 1e-05",
    ),
    "beta": ({"hyperparameters": Hyperparameters(beta=0.1)}, "beta is a setting of dpo", "method dpo"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_belong_together_is_refused_before_anything_is_sent(
    provider: OpenAIProvider, mock: OpenAIMock, spec: Spec, name: str
) -> None:
    change, texts, hint = REFUSED[name]
    with pytest.raises(SpecError) as problem:
        provider.check_spec(spec.model_copy(update=change))
    assert texts in problem.value.message
    assert hint in problem.value.hint
    assert mock.seen == []


def test_other_vendors_have_no_reinforcement(spec: Spec, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="together has no rft") as problem:
        TogetherProvider(tmp_path).check_spec(spec)
    assert problem.value.hint == "It offers: dpo, sft."


def test_the_mock_refuses_what_openai_would(provider: OpenAIProvider, mock: OpenAIMock, files: Files) -> None:
    import openai

    method: Any = {"type": "reinforcement", "reinforcement": {"grader": CHECK}}
    for asked in (
        {"model": "gpt-4.1-2025-04-14", "method": method, "validation_file": files.training},
        {"model": MODEL},
        {"model": MODEL, "method": method},
        {"model": MODEL, "method": {"type": "reinforcement"}, "validation_file": files.training},
    ):
        with pytest.raises(openai.BadRequestError):
            provider.client.fine_tuning.jobs.create(training_file=files.training, **asked)


def test_a_job_by_reinforcement_goes_all_the_way_from_files(
    tasks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_MOCK_SPEED", "600")
    (tmp_path / "grader.json").write_text(json.dumps(BOTH), "utf-8")
    with Bridge(tmp_path) as bridge:
        target = f"mock+openai:{MODEL}"
        job = bridge.submit(tasks, to=target, validation=tasks, method="rft", grader=tmp_path / "grader.json", epochs=1)
        assert job.spec.grader == BOTH
        job = bridge.wait(job)
        assert job.status is Status.SUCCEEDED
        assert job.latest.train_reward
        assert job.latest.train_loss is None
        assert str(bridge.chat(job, "q7")) == "a7"
        with pytest.raises(InputError, match="is not JSON"):
            bridge.submit(tasks, to=target, validation=tasks, method="rft", grader=tasks)
