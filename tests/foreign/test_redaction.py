"""Keys and passwords are masked however they are spelled, and ordinary text stays as it is."""

from __future__ import annotations

import json
import time
from urllib.parse import quote

import pytest

from ftbridge.errors import InvalidRequest
from ftbridge.foreign import redaction
from ftbridge.foreign.redaction import is_secret_name, redact, register, register_url, without_keys_in_use
from ftbridge.foreign.values import MOST_CHARACTERS
from ftbridge.model import Event, now
from ftbridge.provider.answers import error_from

PLAIN = "5cf1e9d0b7a84e2f9d3c6b1a"
ODD = 'Pa"ss/w0rd\\+x'
SHAPED = "sk-proj-abcDEF0123456789abcDEF"


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_in_use", set())
    monkeypatch.setattr(redaction, "_keys_in_use", None)


@pytest.mark.parametrize("key", [PLAIN, ODD, SHAPED])
def test_a_key_in_use_is_masked_in_every_spelling(key: str) -> None:
    register(key)
    in_json = json.dumps(key)[1:-1]
    spellings = [key, key.upper(), quote(key, safe=""), quote(quote(key, safe=""), safe=""), in_json]
    spellings += [json.dumps(in_json)[1:-1], "".join(f"\\u{ord(sign):04X}" for sign in key)]
    spellings += [f"{key[:7]}\n{key[7:]}", f"{key[:7]}\\n{key[7:]}"]
    for spelled in spellings:
        assert redact(f"Incorrect API key provided: {spelled}.") == "Incorrect API key provided: ***."
        assert without_keys_in_use(f"[{spelled}]") == "[***]"


def test_masked_json_is_still_json() -> None:
    register(ODD, PLAIN)
    document = {"message": f'your key "{ODD}" and\n{PLAIN}', "path": f"C:\\{PLAIN}"}
    read = json.loads(without_keys_in_use(json.dumps(document)))
    assert read == {"message": 'your key "***" and\n***', "path": "C:***"}


@pytest.mark.parametrize("placeholder", ["mock-key", "EMPTY", "none", "lm-studio", "not-needed", "k1", ""])
def test_a_short_key_or_a_placeholder_masks_no_words(placeholder: str) -> None:
    register(placeholder)
    text = f"export OPENAI_API_KEY={placeholder} is not needed, none is empty: k1"
    assert redact(text) == text


def test_a_key_of_medium_length_is_masked_only_as_a_word_of_its_own() -> None:
    register("token123")
    assert redact("token123, (token123) but not mytoken1234") == "***, (***) but not mytoken1234"


@pytest.mark.parametrize(
    "key",
    [
        SHAPED,
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_" + "a1B2" * 9,
        "github_pat_" + "a1B2" * 12,
        "hf_" + "a1" * 17,
        "AIza" + "x1" * 17 + "y",
        "xoxb-123456789012",
        "whsec_" + "A1b+" * 8,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.dBjftJeZ4CVP-mB92K27",
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----",
    ],
)
def test_what_has_the_shape_of_a_key_is_masked_though_nobody_uses_it(key: str) -> None:
    assert redact(f"upstream said: {key} is wrong") == "upstream said: *** is wrong"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://me:hunter2@host/x", "https://me:***@host/x"),
        ("postgresql+psycopg://me:p@ss@host:5432/jobs", "postgresql+psycopg://me:***@host:5432/jobs"),
        ("https://me:pa/s#s?@host/x", "https://me:***@host/x"),
        ("https://tokentoken1@host/x", "https://***@host/x"),
        ("https://host/x?api_key=abc&page=2", "https://host/x?api_key=***&page=2"),
        ("https://host/x?page=2&X-Amz-Signature=abc", "https://host/x?page=2&X-Amz-Signature=***"),
        (r"https://host/x?page=2\u0026sig=abc", r"https://host/x?page=2\u0026sig=***"),
        ("Authorization: Bearer abcdefgh12345678", "Authorization: Bearer ***"),
    ],
)
def test_passwords_and_keys_in_urls_and_headers_are_masked(text: str, masked: str) -> None:
    assert redact(f"at {text} there") == f"at {masked} there"
    assert redact(redact(text)) == masked


@pytest.mark.parametrize(
    "text",
    [
        "The job task-abcdefghijklmnopqrstuvwxyz has 3 epochs; see https://host:8080/@me?after=x&limit=2",
        "http://127.0.0.1:8080/openai and http://[::1]:80/@x",
        "ssh://git@github.com and ann@example.org",
        "Bearer authentication failed: use Basic authentication",
        "Write it as postgresql+psycopg://user:password@host:5432/database.",
        "Incorrect API key provided: sk-abc***wxyz",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_the_password_of_a_url_is_masked_where_it_stands_alone() -> None:
    register_url("https://me:hunter2-%2Fx@host")
    assert redact("hunter2-%2Fx hunter2-/x Basic bWU6aHVudGVyMi0veA==") == "*** *** Basic ***"


def test_errors_and_events_are_masked_when_they_are_made() -> None:
    register(PLAIN)
    parts = {"hint": PLAIN, "code": PLAIN, "param": PLAIN, "request_id": PLAIN}
    error = InvalidRequest(f"no: {PLAIN}", provider="acme", status=400, **parts)
    assert PLAIN not in f"{error!r} {error} {vars(error)} {error.describe()}"
    assert Event(at=now(), kind="message", message=f"no: {PLAIN}").message == "no: ***"


def test_a_text_that_is_cut_shows_no_part_of_a_key_at_its_end() -> None:
    register(PLAIN)
    for before in (MOST_CHARACTERS - 40, MOST_CHARACTERS - 20):
        assert PLAIN[:12] not in str(Event(at=now(), kind="message", message="." * before + PLAIN + "." * 99).message)
    assert PLAIN[:12] not in error_from("acme", 400, "." * 1990 + PLAIN).message


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "HF_TOKEN", "api_key", "DB_PASSWORD", "FTBRIDGE_HOOK_SECRET"])
def test_a_secret_is_recognised_by_its_name(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["TOKENIZERS_PARALLELISM", "MONKEY", "KEYBOARD", "PATH", "max_tokens"])
def test_other_names_are_not_secret(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "part", ["\\", "://a:", "?key=", "bearer ", "sk-", "%25", "eyJ", "http://", "a-", "-----BEGIN PRIVATE KEY-----"]
)
def test_a_long_hostile_text_is_read_in_linear_time(part: str) -> None:
    register(PLAIN)
    started = time.process_time()
    redact(part * (100_000 // len(part)))
    assert time.process_time() - started < 2
