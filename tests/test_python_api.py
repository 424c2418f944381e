"""What a person meets who types Python: targets, messages and options as they come, mistakes, `repr` and help."""

from __future__ import annotations

import inspect
import pydoc
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import ftbridge
from ftbridge import Bridge, Hyperparameters, Job, Result
from ftbridge.arguments import ChatOptions, HyperparameterArguments, SweepArguments
from ftbridge.errors import FtbridgeError, InputError, SpecError, UsageError
from ftbridge.model import Event, Spec, now

MOCK = "mock+openai:gpt-4.1-mini-2025-04-14"
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say one."}]


@pytest.fixture
def done(bridge: Bridge, rows: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A job whose model answers."""
    monkeypatch.setenv("FTBRIDGE_MOCK_SPEED", "6000")
    return bridge.wait(bridge.submit(rows, MOCK))


def test_one_target_is_as_good_as_a_list_of_one(bridge: Bridge, data: Path) -> None:
    assert bridge.check(data, to="local:tiny") == bridge.check(data, to=["local:tiny"])
    assert bridge.compare(data, to="local:tiny") == bridge.compare(data, to=("local:tiny",))
    [imported] = bridge.recover_from_vendors("mock+openai")
    assert imported.provider == "mock+openai"


def test_one_job_is_as_good_as_a_list_of_one(bridge: Bridge, done: Job) -> None:
    assert bridge.jobs(done) == bridge.jobs("last") == bridge.jobs([done.id]) == [done]


def test_watch_takes_one_tracker(bridge: Bridge, done: Job) -> None:
    with pytest.raises(FtbridgeError, match="'pigeon'"):
        list(bridge.watch(done, report="pigeon:post"))


def test_a_prompt_is_a_text_or_messages(bridge: Bridge, done: Job) -> None:
    assert bridge.chat(done, MESSAGES[1:]).text == bridge.chat(done, "Say one.").text == "one"
    assert "".join(bridge.stream(done, MESSAGES[1:])) == "one"
    assert bridge.chat(done, MESSAGES[1:], system="Be brief.").text == bridge.chat(done, MESSAGES).text


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        (3, "3 is neither a text nor a list of messages"),
        ([], r"\[\] is neither"),
        (MESSAGES[1], "'user'.* is neither"),
        (["Say one."], r"Expected `object`, got `str` - at `\$.messages\[0\]`"),
        ([{"role": "usr", "content": "Hi"}], r"Invalid value 'usr' - at `\$.messages\[0\].role`"),
        ([{"role": "user"}], r"missing required field `content` - at `\$.messages\[0\]`"),
    ],
)
def test_what_is_wrong_with_a_prompt_is_said(bridge: Bridge, done: Job, prompt: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as problem:
        bridge.chat(done, prompt)
    assert problem.value.hint


@pytest.mark.parametrize(
    ("options", "sentence", "hint"),
    [
        ({"temprature": 0}, "'temprature' is not an option", "Did you mean 'temperature'?"),
        ({"max_token": 9}, "'max_token' is not an option", "Did you mean 'max_tokens'?"),
        ({"temperature": "hot"}, "temperature = 'hot' cannot be used: expected `float`, got `str`", "another value"),
        ({"temperature": float("nan")}, "temperature = nan cannot be used", "another value"),
        ({"max_tokens": 0}, "max_tokens = 0 cannot be used: expected `int` >= 1", "another value"),
        ({"top_p": 1.5}, "top_p = 1.5 cannot be used", "another value"),
    ],
)
def test_an_option_is_checked_before_anything_is_sent(
    bridge: Bridge, done: Job, options: dict[str, Any], sentence: str, hint: str
) -> None:
    for verb in (bridge.chat, bridge.stream):
        with pytest.raises(SpecError) as problem:
            verb(done, "Say one.", **options)
        assert problem.value.message.startswith(sentence)
        assert hint in problem.value.hint


def test_a_vendors_own_option_is_sent_as_it_is(bridge: Bridge, done: Job) -> None:
    assert bridge.chat(done, "Say one.", extra_body={"service_tier": "flex"}).text == "one"


@pytest.mark.parametrize(
    ("given", "sentence", "hint"),
    [
        ({"epoch": 3}, "'epoch' is not a hyperparameter", "Did you mean 'epochs'?"),
        ({"validaton": "held.jsonl"}, "'validaton' is not a hyperparameter", "Did you mean 'validation'?"),
        ({"epochs": "one"}, "epochs = 'one' cannot be used: it must be a whole number", "another value"),
        ({"epochs": 1.5}, "epochs = 1.5 cannot be used: it must be a whole number", "another value"),
        ({"learning_rate": float("nan")}, "learning_rate = nan cannot be used: it must be a finite", "another value"),
        ({"lora_dropout": 1}, "lora_dropout = 1 cannot be used: it must be less than 1", "another value"),
        ({"precision": "int8"}, "precision = 'int8' cannot be used: it must be 'float32' or", "another value"),
        (
            {"method": "stf"},
            "method = 'stf' cannot be used: it must be 'sft', 'dpo', 'rft' or 'distill'",
            "another value",
        ),
        ({"max_cost": -1}, "max_cost = -1 cannot be used: it must be at least 0", "another value"),
        ({"max_cost": float("inf")}, "max_cost = inf cannot be used: it must be a finite number", "another value"),
        ({"name": "x" * 100}, "name = 'xxx", "another value"),
    ],
)
def test_what_is_wrong_with_a_setting_is_said(
    bridge: Bridge, data: Path, given: dict[str, Any], sentence: str, hint: str
) -> None:
    with pytest.raises(SpecError) as problem:
        bridge.submit(data, "local:tiny", **given)
    assert problem.value.message.startswith(sentence)
    assert hint in problem.value.hint
    assert "--" not in problem.value.hint


def test_typed_arguments_are_those_of_the_models() -> None:
    fields_of = Hyperparameters.model_fields
    fields = {name: field.annotation for name, field in fields_of.items()}
    assert get_type_hints(HyperparameterArguments) == fields
    of_others = {"reasoning_effort", "compute_multiplier", "eval_samples", "temperature"}
    assert get_type_hints(SweepArguments).keys() == fields.keys() - of_others
    assert {
        name for name in fields if str(fields_of[name].description).startswith(("For rft", "For distill"))
    } == of_others
    assert {"max_tokens", "temperature", "seed"} < set(get_type_hints(ChatOptions))


def test_a_repr_is_short(bridge: Bridge, done: Job, data: Path) -> None:
    assert repr(done) == str(done) == f"<Job {done.id} succeeded {MOCK}>"
    assert repr(Result(model="m")) == "Result(model='m')"
    spec = Spec(target="local:tiny", data=Path("rows.jsonl"), hyperparameters=Hyperparameters(epochs=3))
    assert repr(spec).endswith("hyperparameters=Hyperparameters(epochs=3))")
    event = Event(at=now(), kind="metric", step=1, train_loss=0.5)
    assert repr(event).endswith("kind='metric', step=1, train_loss=0.5)")
    assert repr(bridge.check(data)) == f"<Report {data}: 12 examples, 0 errors, 1 warning>"
    assert repr(bridge.compare(data, "local:tiny")) == "[<Offer local:tiny price not known>]"
    plan = bridge.plan_migration(done, "local:tiny")
    assert repr(plan) == f"<MigrationPlan {done.id} {MOCK} → local:tiny>"
    assert repr(bridge) == f"<Bridge {bridge.home}>"
    assert f"{bridge.plan_all('mock+openai', 'local:tiny')}".endswith("1 of 1 job can be moved>")


def test_help_reads_as_of_any_method() -> None:
    text = pydoc.plain(pydoc.render_doc(Bridge.submit))
    assert "submit(self, data: 'Given', to: 'str | None' = None, *" in text
    assert "Check, convert, upload and start one job" in text
    for name, verb in inspect.getmembers(Bridge, inspect.isfunction):
        assert next(iter(inspect.signature(verb).parameters)) == "self", name
        assert inspect.getdoc(verb) or name.startswith("_"), name


def test_the_public_names_are_completed() -> None:
    assert set(ftbridge.__all__) < set(dir(ftbridge))


def test_the_home_is_a_path_as_people_write_it(tmp_path: Path) -> None:
    with Bridge(str(tmp_path / "home")) as bridge:
        assert (bridge.jobs(), bridge.home) == ([], tmp_path / "home")


@pytest.mark.parametrize("home", ["a\0b", "\ud800", "~nobody-of-that-name/home", 3])
def test_a_home_that_is_no_path_is_a_mistake_in_a_sentence(home: Any) -> None:
    with pytest.raises(UsageError, match=r"home = .* is no path"):
        Bridge(home)


@pytest.mark.parametrize("out", ["a\0b", "\ud800"])
def test_a_file_that_no_system_can_name_is_a_mistake_in_a_sentence(bridge: Bridge, data: Path, out: str) -> None:
    with pytest.raises(InputError, match="is no path"):
        bridge.convert(data, to="local:tiny", out=out)
