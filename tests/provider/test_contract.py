"""What a provider need not define: defaults that follow from its listing, its class and OpenAI's shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ftbridge.dataset.canonical.example import Chat, User
from ftbridge.errors import InputError, JobFailed, ListingUnfinished, NotFound, Unsupported
from ftbridge.model import Method, Result, Spec, Status
from ftbridge.provider import Capabilities, Files, Listed, Provider, RemoteJob, Usage, completion
from ftbridge.provider.completions import as_chunk, chunks_of, read_chat, read_reply, text_of_chunk
from ftbridge.provider.paging import unfinished

AT = datetime(2026, 11, 29, tzinfo=UTC)
SPEC = Spec(target="acme:small", data=Path("rows.jsonl"), name="tickets")


class AcmeProvider(Provider):
    capabilities = Capabilities(methods=frozenset({Method.SFT, Method.DPO}), hyperparameters={})
    breaks_off = False

    def jobs(self) -> Iterator[Listed]:
        for number, status in enumerate([Status.SUCCEEDED, Status.RUNNING, Status.SUCCEEDED]):
            result = Result(model=f"tuned-{number}") if status.final else None
            remote = RemoteJob(remote_id=str(number), status=status, raw_status="", result=result)
            at = AT - timedelta(hours=number)
            yield Listed.of(remote, SPEC, "small", Files(training="f"), tag="even" * (number % 2 == 0), created_at=at)
        if self.breaks_off:
            raise unfinished("acme", "it is a test")

    def complete(self, model: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return completion(model, f"{len(body['messages'])} {body.get('max_tokens')}")


class BetterAcmeProvider(AcmeProvider):
    capabilities = Capabilities(methods=frozenset({Method.SFT}), hyperparameters={})


@pytest.fixture
def acme(tmp_path: Path) -> AcmeProvider:
    return AcmeProvider(tmp_path)


def test_the_name_is_that_of_the_class_and_a_subclass_keeps_it() -> None:
    assert AcmeProvider.name == "acme"
    assert BetterAcmeProvider.name == "acme"
    assert not hasattr(Provider, "name")


def test_jobs_are_found_by_tag_oldest_first_and_polled_by_id(acme: AcmeProvider) -> None:
    assert [job.remote_id for job in acme.find("even")] == ["2", "0"]
    assert acme.find("odd") == []
    assert [job.remote_id for job in acme.poll(["1", "2", "9"])] == ["1", "2"]


def test_a_list_that_breaks_off_proves_nothing_absent(acme: AcmeProvider) -> None:
    acme.breaks_off = True
    assert [job.remote_id for job in acme.find("even")] == ["2", "0"]
    assert [job.remote_id for job in acme.poll(["1", "9"])] == ["1"]
    with pytest.raises(ListingUnfinished):
        acme.find("odd")


def test_a_job_is_found_by_its_id_and_by_its_model(acme: AcmeProvider) -> None:
    assert acme.get_job("2").created_at == AT - timedelta(hours=2)
    assert [acme.find_job_of_model(name) for name in ("tuned-2", "1")] == ["2", "1"]
    for look_up in (acme.get_job, acme.find_job_of_model):
        with pytest.raises(NotFound, match="tuned-9"):
            look_up("tuned-9")


def test_a_result_without_files_is_the_model_and_a_running_job_has_none(acme: AcmeProvider, tmp_path: Path) -> None:
    assert acme.fetch("0", tmp_path / "out") == Result(model="tuned-0")
    with pytest.raises(JobFailed, match="it is running"):
        acme.fetch("1", tmp_path / "out")


@pytest.mark.parametrize(("method", "shape"), [(Method.SFT, "chat"), (Method.DPO, "preference")])
def test_rows_of_the_methods_shape_are_sent_as_they_are(acme: AcmeProvider, method: Method, shape: str) -> None:
    assert acme.converter(SPEC.model_copy(update={"method": method}), "small").shapes == {shape}


def test_there_are_no_events_and_no_upload_until_they_are_defined(acme: AcmeProvider, tmp_path: Path) -> None:
    assert list(acme.events("0", "")) == []
    with pytest.raises(Unsupported, match="acme does not offer upload"):
        acme.upload(tmp_path / "rows.jsonl", key="k")


def test_chat_and_stream_are_made_of_complete(acme: AcmeProvider) -> None:
    chat = Chat(messages=[User(content="Hi.")])
    assert acme.chat("small", chat, max_tokens=5).text == "1 5"
    [chunk] = acme.stream("small", {"messages": [{"role": "user", "content": "Hi."}]})
    assert (text_of_chunk(chunk), chunk["object"]) == ("1 None", "chat.completion.chunk")


def test_a_reply_is_read_from_text_and_from_parts_and_from_a_call_without_text() -> None:
    whole = completion("m", "Hello", usage=Usage(prompt_tokens=3, completion_tokens=1))
    assert read_reply(whole).usage == Usage(prompt_tokens=3, completion_tokens=1)
    for content, text in (([{"type": "text", "text": "He"}, {"type": "text", "text": "llo"}], "Hello"), (None, "")):
        whole["choices"][0]["message"]["content"] = content
        assert read_reply(whole).text == text


def test_the_calls_in_a_chunk_are_numbered() -> None:
    whole = completion("m", "")
    whole["choices"][0]["message"]["tool_calls"] = [{"id": "a"}, {"id": "b"}]
    assert as_chunk(whole)["choices"][0]["delta"]["tool_calls"] == [{"index": 0, "id": "a"}, {"index": 1, "id": "b"}]


def test_chunks_name_the_role_once_and_end_with_a_reason() -> None:
    first, second, last = chunks_of("m", ["He", "llo"])
    assert [chunk["choices"][0]["delta"] for chunk in (first, second, last)] == [
        {"role": "assistant", "content": "He"},
        {"content": "llo"},
        {},
    ]
    assert last["choices"][0]["finish_reason"] == "stop"
    assert len({chunk["id"] for chunk in (first, second, last)}) == 1


def test_messages_are_read_leniently_about_null_and_strictly_about_the_rest() -> None:
    read = read_chat({"messages": [{"role": "assistant", "content": "Hi.", "tool_calls": None}], "max_tokens": 3})
    assert read.messages[0].content == "Hi."
    with pytest.raises(InputError, match="the messages cannot be read") as problem:
        read_chat({"messages": [{"role": "robot", "content": "Hi."}]})
    assert problem.value.hint
