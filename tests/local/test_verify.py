"""`verify` on a job that was trained here, served by transformers with one fault at a time: each is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import pytest

from command_line import Cli
from ftbridge import Bridge
from ftbridge.errors import BadAnswer, NetworkError, NotFound, UsageError
from ftbridge.model import Job
from ftbridge.verification.findings import Verification
from ftbridge_local.models.tiny import base as tiny
from local.lab import Data
from local.served_models import Served, serving

SYSTEM = "You are a painter."


class Trained:
    """A bridge with a job that has learned its rows, and the job's exports."""

    def __init__(self, bridge: Bridge, job: Job, folder: Path) -> None:
        self.bridge, self.job, self.home = bridge, job, bridge.home
        self.merged, self.gguf = folder / "merged", folder / "gguf" / "model.gguf"
        bridge.export(job, self.merged)
        bridge.export(job, self.gguf.parent, form="gguf")

    def verify(self, served: Served | None = None, **options: Any) -> Verification:
        """Two rows, by default those of the job itself."""
        options = {"limit": 2, "max_tokens": 20, **options}
        if served is None:
            return self.bridge.verify(self.job, **options)
        with serving(served) as url:
            if served.speaks != "ollama":
                return self.bridge.verify(self.job, at=url, **options)
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("OLLAMA_HOST", url)
                return self.bridge.verify(self.job, ollama="tuned", **options)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_home: Path, small_data: Data) -> Iterator[Trained]:
    folder = tmp_path_factory.mktemp("verify")
    shutil.copytree(tiny_home / "local", folder / "home" / "local")
    with Bridge(folder / "home") as bridge:
        job = bridge.submit(small_data.training, to="local:tiny", epochs=12, batch_size=4, seed=3)
        yield Trained(bridge, bridge.wait(job, timeout=280), folder)


def codes(found: Verification, *, decisive: bool = True) -> list[str]:
    return [cause.code for cause in found.causes if cause.decisive is decisive]


@pytest.mark.parametrize("speaks", ["vllm", "llama.cpp", "openai", "ollama"])
def test_what_is_served_as_it_was_trained_is_the_same(trained: Trained, speaks: str) -> None:
    found = trained.verify(Served(trained.merged, speaks))
    assert found.same
    assert found.causes == ()
    assert [(row.prompt, row.answer) for row in found.rows] == [("same", "same")] * 2
    if speaks != "ollama":
        assert max(row.logprob_gap or 0.0 for row in found.rows) < 1e-3
    compared = ["Token ids of prompts: the server does not tell them, so only their number is compared."]
    assert list(found.not_compared) == (compared if speaks == "openai" else [])


@pytest.mark.parametrize("speaks", ["vllm", "llama.cpp", "openai", "ollama"])
def test_a_system_message_that_the_server_adds_is_a_matter_of_its_template(trained: Trained, speaks: str) -> None:
    found = trained.verify(Served(trained.merged, speaks, system=SYSTEM))
    assert codes(found) == ["template"]
    assert not found.same
    if speaks in ("llama.cpp", "ollama"):
        assert SYSTEM in found.causes[0].message
    first = found.rows[0].first
    if speaks == "openai":
        return
    assert first
    assert first.where == "prompt"
    assert (first.index, first.trained and first.trained.text) == (0, "<|user|>")
    assert first.served
    assert first.served.id == 2  # <|system|>
    assert found.causes[0].lines == (1, 2)


def test_another_template_that_renders_as_many_tokens_is_found_by_the_trained_prompt(trained: Trained) -> None:
    other = tiny.TEMPLATE.replace("<|assistant|>", "<|end|>")
    found = trained.verify(Served(trained.merged, "openai", template=other))
    assert codes(found) == ["template"]
    assert "sent as it is" in found.causes[0].message


@pytest.mark.parametrize("speaks", ["vllm", "llama.cpp", "ollama"])
def test_an_opening_token_that_was_not_there_in_training(trained: Trained, speaks: str) -> None:
    found = trained.verify(Served(trained.merged, speaks, opening=2))
    assert codes(found) == ["bos_added"]


@pytest.mark.parametrize("speaks", ["vllm", "llama.cpp", "openai", "ollama"])
def test_a_server_that_does_not_stop_at_the_trained_end(trained: Trained, speaks: str) -> None:
    found = trained.verify(Served(trained.merged, speaks, end_ids=[1023]))
    assert codes(found) == ["stop_tokens"]
    assert "<|end|>" in found.causes[0].message
    first = found.rows[0].first
    assert first
    assert (first.where, first.trained) == ("answer", None)


@pytest.mark.parametrize("speaks", ["vllm", "llama.cpp", "ollama"])
def test_a_server_that_samples_unless_it_is_told_not_to(trained: Trained, speaks: str) -> None:
    found = trained.verify(Served(trained.merged, speaks, temperature=3.0))
    assert codes(found) == ["sampling_defaults"]
    assert all(row.answer == "same" for row in found.rows)
    if speaks != "vllm":
        assert "temperature 3" in found.causes[0].message
    assert trained.verify(Served(trained.merged, speaks, temperature=3.0), greedy_only=True).same


@pytest.mark.parametrize("speaks", ["vllm", "llama.cpp", "ollama"])
def test_a_penalty_on_repeated_tokens_changes_greedy_answers_too(trained: Trained, speaks: str) -> None:
    found = trained.verify(Served(trained.merged, speaks, repetition_penalty=20.0))
    assert codes(found) == ["penalties"]


def test_another_tokenizer_is_told_from_another_template(trained: Trained, tmp_path: Path) -> None:
    other = tmp_path / "tokenizer"
    shutil.copytree(trained.merged, other)
    content = json.loads((other / "tokenizer.json").read_text("utf-8"))
    content["model"]["merges"] = content["model"]["merges"][:100]
    (other / "tokenizer.json").write_text(json.dumps(content), "utf-8")
    for speaks in ("vllm", "llama.cpp"):
        found = trained.verify(Served(trained.merged, speaks, tokenizer_folder=other))
        assert codes(found)[0] == "tokenizer"


def test_a_server_without_the_adapter_answers_as_the_base_does(trained: Trained, tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(tiny.complete_folder(trained.home), base)
    found = trained.verify(Served(base, "vllm"))
    assert "base_model" in codes(found)


def test_other_weights_behind_the_same_prompt(trained: Trained) -> None:
    found = trained.verify(Served(trained.merged, "vllm", noise=0.05))
    assert codes(found) == ["weights"]
    first = found.rows[0].first
    assert first
    assert first.where == "answer"


def test_a_context_that_cuts_prompts_off_silently(trained: Trained) -> None:
    found = trained.verify(Served(trained.merged, "ollama", context=8))
    assert codes(found) == ["context"]
    assert "num_ctx" in found.causes[0].fix


def test_an_answer_that_the_server_cuts_off(trained: Trained) -> None:
    assert codes(trained.verify(Served(trained.merged, "vllm", most=3))) == ["length_limit"]


def test_the_exports_are_the_same(trained: Trained) -> None:
    for found in (trained.verify(folder=trained.merged), trained.verify(gguf=trained.gguf)):
        assert found.same
        assert [(row.prompt, row.answer) for row in found.rows] == [("same", "same")] * 2


def rewritten(source: Path, file: Path, kind: gguf.GGMLQuantizationType | None = None, **fields: str) -> Path:
    """The GGUF file with matrices really quantised, and with other texts in some fields."""
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(file, "llama")
    for name, part in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        value = fields.get(name.replace(".", "_"), part.contents())
        kinds = part.types
        writer.add_key_value(name, value, kinds[0], sub_type=kinds[-1] if len(kinds) > 1 else None)
    for tensor in reader.tensors:
        matrix = kind is not None and len(tensor.shape) == 2
        data = gguf.quants.quantize(tensor.data, kind) if matrix and kind else tensor.data
        writer.add_tensor(tensor.name, data, raw_dtype=kind if matrix else tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


@pytest.mark.parametrize("kind", [gguf.GGMLQuantizationType.Q8_0, gguf.GGMLQuantizationType.Q4_0])
def test_quantised_weights_are_named_and_what_they_change_is_measured(
    trained: Trained, tmp_path: Path, kind: gguf.GGMLQuantizationType
) -> None:
    found = trained.verify(gguf=rewritten(trained.gguf, tmp_path / "small.gguf", kind))
    assert found.served.quantisation == kind.name
    assert [cause.code for cause in found.causes] == ["quantisation"]
    assert kind.name in found.causes[0].message
    assert all(row.prompt == "same" for row in found.rows)
    assert max(row.logprob_gap or 0.0 for row in found.rows) > 1e-4
    assert found.same == (not codes(found))


def test_a_gguf_file_with_another_template(trained: Trained, tmp_path: Path) -> None:
    other = tiny.TEMPLATE.replace("message.content if", "('Well: ' ~ message.content) if")
    found = trained.verify(gguf=rewritten(trained.gguf, tmp_path / "other.gguf", tokenizer_chat_template=other))
    assert codes(found) == ["template"]
    assert "'Well: '" in found.causes[0].message
    assert "--format gguf" in found.causes[0].fix


@pytest.mark.parametrize("speaks", ["openai", "ollama"])
@pytest.mark.parametrize(
    ("reply", "error", "says"),
    [
        ((404, '{"error": "model not found"}'), NotFound, "has no "),
        ((200, "<html><body>Welcome</body></html>"), BadAnswer, "HTML instead of a JSON object"),
        ((200, '{"choices": []}'), BadAnswer, "without "),
        ((200, "[]"), BadAnswer, "a list instead of a JSON object"),
    ],
)
def test_a_server_that_answers_with_something_else(
    trained: Trained, speaks: str, reply: tuple[int, str], error: type[Exception], says: str
) -> None:
    path = "/api/chat" if speaks == "ollama" else "/v1/chat/completions"
    with pytest.raises(error, match=says):
        trained.verify(Served(trained.merged, speaks, answers={path: reply}))


def test_nobody_answers(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:10")
    for kind, where, what in (("at", "127.0.0.1:9", "the server"), ("ollama", "tuned", "Ollama")):
        with pytest.raises(NetworkError, match=f"{what} could not be reached at http://127.0.0.1:9/") as problem:
            trained.verify(None, **{kind: where})
        assert problem.value.exit_code == 4
        assert problem.value.hint.startswith("Start ")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "it is not said what is served"),
        ({"at": "x", "gguf": "y"}, "at and gguf are given"),
        ({"gguf": "missing.gguf"}, "there is no file missing.gguf"),
        ({"folder": "missing"}, "there is no folder missing"),
        ({"at": "ftp://host"}, "is not the URL of a server"),
        ({"ollama": "tuned", "model": "x"}, "--model chooses among"),
    ],
)
def test_what_cannot_be_verified_is_said(trained: Trained, given: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        trained.verify(**given)


def test_a_file_that_is_no_gguf(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_text("no", "utf-8")
    with pytest.raises(UsageError, match="is no GGUF file"):
        trained.verify(gguf=tmp_path / "model.gguf")


def test_rows_that_are_gone_are_asked_for_and_rows_of_a_file_are_taken(trained: Trained, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    chat = {"messages": [{"role": "user", "content": "Paint the door red."}, {"role": "assistant", "content": "No."}]}
    rows.write_text("\n" + json.dumps(chat) + "\n", "utf-8")
    found = trained.verify(folder=trained.merged, rows=rows)
    assert [row.line for row in found.rows] == [2]
    rows.write_text(json.dumps({"text": "No question."}) + "\n", "utf-8")
    with pytest.raises(UsageError, match="no chat to ask about") as problem:
        trained.verify(folder=trained.merged, rows=rows)
    assert "--rows FILE" in problem.value.hint


def test_the_command_says_it_in_80_columns_and_by_its_exit_code(
    trained: Trained, here: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_HOME", str(trained.home))
    few = ("--limit", "2", "--max-tokens", "20")
    with serving(Served(trained.merged, "llama.cpp", system=SYSTEM)) as url:
        wrong = here("verify", trained.job.id, "--at", url, *few, columns=80)
        reported = here("verify", trained.job.id, "--at", url, *few, "--json")
    assert (wrong.code, reported.code) == (1, 1)
    assert max(map(len, wrong.out.splitlines())) <= 80
    assert f"Different: tuned (llama.cpp) is not what {trained.job.id} trained, in 2 of 2 rows." in " ".join(
        wrong.out.split()
    )
    document = json.loads(reported.out)
    assert [cause["code"] for cause in document["causes"]] == ["template"]
    assert document["rows"][0]["first"]["served"]["id"] == 2
    right = here("verify", trained.job.id, "--folder", trained.merged, *few, columns=80)
    assert right.code == 0
    assert "Same: " in right.out
