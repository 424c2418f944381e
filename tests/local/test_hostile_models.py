"""Model folders that are not what they seem: a sentence each, within seconds and without the machine's memory."""

from __future__ import annotations

import json
import os
import resource
import shutil
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ftbridge.errors import ModelNotFound
from ftbridge_local.models.find import find
from ftbridge_local.models.tiny import base as tiny
from ftbridge_local.tokenizing.bounds import TooMuchError
from ftbridge_local.tokenizing.template import ChatTemplate, TemplateError
from ftbridge_local.tokenizing.tokenizer import Tokenizer

EMPTY = struct.pack("<Q", 2) + b"{}"
SECONDS, MEGABYTES = 10.0, 300


def tensors(header: object, size: int | None = None) -> bytes:
    """A safetensors file of that header, which says that it has `size` bytes."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text


def file(name: str, content: bytes | str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    return write


def value(name: str, **fields: Any) -> Callable[[Path], None]:
    """Set fields of a JSON file."""

    def write(folder: Path) -> None:
        known = json.loads((folder / name).read_bytes()) if (folder / name).exists() else {}
        (folder / name).write_text(json.dumps({**known, **fields}))

    return write


def template(content: object) -> Callable[[Path], None]:
    """The template in the tokenizer's config, which counts where it has no file of its own."""

    def write(folder: Path) -> None:
        (folder / "chat_template.jinja").unlink()
        value("tokenizer_config.json", chat_template=content)(folder)

    return write


def replaced(name: str, by: Callable[[Path], object]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        by(folder / name)

    return write


def adapter(base: object, **more: Any) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        for path in list(folder.iterdir()):
            path.unlink()
        named = str(folder) if base is ... else base
        (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": named, **more}))
        (folder / "adapter_model.safetensors").write_bytes(EMPTY)

    return write


def two_adapters(folder: Path) -> None:
    other = folder.with_name("other")
    other.mkdir()
    adapter(str(other))(folder)
    (other / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(folder)}))


def instead(make: Callable[[Path], object]) -> Callable[[Path], None]:
    """Something else in the place of the folder."""

    def write(folder: Path) -> None:
        shutil.rmtree(folder)
        make(folder)

    return write


def sparse(size: int) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        with path.open("wb") as new:
            new.truncate(size)

    return make


JUNK: dict[str, bytes] = {
    "empty": b"",
    "cut off": b'{"a": ',
    "null": b"null",
    "a list": b"[]",
    "a number": b"7",
    "not UTF-8": b"\xff\xfe{}",
    "NULs": b"\0" * 100,
    "deep": b"[" * 100_000,
}
CASES: dict[str, Callable[[Path], object]] = {
    **{
        f"{name}: {what}": file(name, content)
        for name in ("tokenizer.json", "config.json", "tokenizer_config.json", "generation_config.json")
        for what, content in JUNK.items()
    },
    "tokenizer.json: another object": file("tokenizer.json", '{"model": {"type": "BPE", "vocab": [], "merges": 3}}'),
    "tokenizer.json: a link to itself": replaced("tokenizer.json", lambda path: path.symlink_to(path)),
    "tokenizer.json: a folder": replaced("tokenizer.json", Path.mkdir),
    "tokenizer.json: a pipe": replaced("tokenizer.json", os.mkfifo),
    "tokenizer.json: /dev/zero": replaced("tokenizer.json", lambda path: path.symlink_to("/dev/zero")),
    "tokenizer.json: 10 GB": replaced("tokenizer.json", sparse(10**10)),
    "config.json: 10 GB": replaced("config.json", sparse(10**10)),
    "eos_token: a list": value("tokenizer_config.json", eos_token=["a"]),
    "eos_token: an object": value("tokenizer_config.json", eos_token={"text": "a"}),
    "template: a number": template(7),
    "template: a list of nothing": template([None]),
    "template: not Jinja": file("chat_template.jinja", "{% for %}"),
    "template: not UTF-8": file("chat_template.jinja", b"\xff\xfe"),
    "template: deep": file("chat_template.jinja", "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}"),
    "template: blocks": file("chat_template.jinja", "{% if 1 %}" * 200 + "{% endif %}" * 200),
    "weights: empty": file("model.safetensors", b""),
    "weights: a lying length": file("model.safetensors", tensors({}, 2**62)),
    "weights: longer than the file": file("model.safetensors", tensors({}, 1000)),
    "weights: no JSON": file("model.safetensors", tensors(b"{oops")),
    "weights: a list": file("model.safetensors", tensors([])),
    "weights: no shape": file("model.safetensors", tensors({"a": {"dtype": "F32"}})),
    "weights: a huge shape": file(
        "model.safetensors", tensors({"a": {"dtype": "F32", "shape": [10**18, 10**18], "data_offsets": [0, 4]}})
    ),
    "weights: negative": file(
        "model.safetensors", tensors({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}})
    ),
    "weights: outside": file(
        "model.safetensors", tensors({"a": {"dtype": "F32", "shape": [1], "data_offsets": [10**9, 10**9 + 4]}})
    ),
    "weights: missing": lambda folder: (folder / "model.safetensors").unlink(),
    "weights: only a pickle": lambda folder: (folder / "model.safetensors").rename(folder / "model.bin"),
    "adapter: no JSON": lambda folder: file("adapter_config.json", "{")(folder),
    "adapter: a list": lambda folder: file("adapter_config.json", "[]")(folder),
    "adapter: no base": adapter(None),
    "adapter: a number as base": adapter(7),
    "adapter: a base that is gone": adapter("/nowhere/at/all"),
    "adapter: NUL in its base": adapter("/a\0b"),
    "adapter: a base with a long name": adapter("/" + "x" * 5000),
    "adapter: based on itself": adapter(...),
    "adapter: a circle of two": two_adapters,
    "folder: a file": instead(lambda folder: folder.write_text("I am a file")),
    "folder: a link to itself": instead(lambda folder: folder.symlink_to(folder)),
    "folder: gone": shutil.rmtree,
    "folder: empty": instead(Path.mkdir),
}
HARMLESS: dict[str, Callable[[Path], object]] = {
    "context: a text": value("config.json", max_position_embeddings="many"),
    "context: negative": value("config.json", max_position_embeddings=-5),
    "context: 1e30": value("tokenizer_config.json", model_max_length=1e30),
    "context: NaN": file("config.json", '{"max_position_embeddings": NaN, "text_config": null}'),
    "eos ids: out of range": value("generation_config.json", eos_token_id=[-1, 10**30, "a", None, 1.5]),
}


@pytest.fixture
def folder(tmp_path: Path, home: Path) -> Path:
    made = tmp_path / "model"
    shutil.copytree(tiny.tokenizer_folder(home), made)
    (made / "model.safetensors").write_bytes(EMPTY)
    return made


@pytest.fixture(autouse=True)
def within_bounds() -> Any:
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    yield
    assert time.process_time() - began < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEGABYTES * 1024


@pytest.mark.parametrize("case", CASES)
def test_a_broken_model_is_a_sentence(case: str, folder: Path, home: Path) -> None:
    CASES[case](folder)
    with pytest.raises(ModelNotFound) as problem:
        Tokenizer(find(str(folder), home, weights=False).base)
    assert "\n" not in problem.value.message
    assert len(problem.value.message) < 6000
    assert problem.value.hint


@pytest.mark.parametrize("case", HARMLESS)
def test_what_does_no_harm_is_left_out(case: str, folder: Path, home: Path) -> None:
    HARMLESS[case](folder)
    tokenizer = Tokenizer(find(str(folder), home, weights=False).base)
    assert tokenizer.context > 0
    assert tokenizer.end_ids


TOO_MUCH = {
    "a product": "{{ 'a' * 10**10 }}",
    "a list": "{{ [0] * 10000000000 }}",
    "loops in loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "much output": "{% for a in range(99999) %}{% for b in range(99999) %}aaaaaaaa{% endfor %}{% endfor %}",
    "doubling by ~": "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "doubling by +": "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "nesting": "{% set n = namespace(a=[1]) %}{% for i in range(60) %}{% set n.a = [n.a, n.a] %}{% endfor %}{{ n.a }}",
    "a filter": "{{ 'a' | center(1000000000) }}",
    "a filter of many": "{{ range(99999) | map('center', 100000) | join }}",
    "a method": "{{ 'a'.ljust(10000000000) }}",
    "a format": "{{ '%1000000000d' % 1 }}",
    "another format": "{{ '{:>1000000000}'.format(1) }}",
    "a replacement": "{% set s = 'ab' * 1000000 %}{{ s.replace('a', s) }}",
    "tabs": "{{ ('a\t' * 100000).expandtabs(100000) }}",
    "an indent": "{{ ('a\n' * 100000) | indent(100000) }}",
    "many references": "{% set s = 'ab' * 1000000 %}{{ [s] * 90000 }}",
    "many references as JSON": "{% set s = 'ab' * 1000000 %}{{ ([s] * 90000) | tojson }}",
    "a batch": "{{ range(9) | batch(1000000000, 'x') | list }}",
    "many words": "{{ ('ab ' * 5000000).split() }}",
    "a power": "{{ 99999 ** 99999 ** 9 }}",
    "a sum of lists": "{{ range(99999) | batch(1) | sum(start=[]) | length }}",
    "keeping all": "{% set n = namespace(l=[]) %}"
    "{% for i in range(9999) %}{% set n.l = n.l + ['ab' * 99999 ~ i] %}{% endfor %}",
}
REFUSED = {
    "itself": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "Python's internals": "{{ ''.__class__.__mro__ }}",
    "a range": "{% for i in range(10**8) %}{% endfor %}",
    "its own reason": "{{ raise_exception('no system messages') }}",
    "no number": "{{ 1 / 0 }}",
    "what is not there": "{{ a.b.c }}",
}


@pytest.mark.parametrize("case", TOO_MUCH)
def test_a_template_that_takes_too_much_is_stopped(case: str) -> None:
    with pytest.raises(TooMuchError):
        ChatTemplate(TOO_MUCH[case]).render(messages=[])


@pytest.mark.parametrize("case", REFUSED)
def test_a_template_that_fails_says_why(case: str) -> None:
    with pytest.raises(TemplateError) as refusal:
        ChatTemplate(REFUSED[case]).render(messages=[{"role": "user"}])
    assert 0 < len(str(refusal.value)) <= 300


def test_a_model_whose_template_takes_too_much_is_refused_with_the_first_row(folder: Path, home: Path) -> None:
    (folder / "chat_template.jinja").write_text("{{ messages[0].content * 10**9 }}")
    tokenizer = Tokenizer(folder)
    with pytest.raises(ModelNotFound, match=r"chat template of the model in .* makes values of more than"):
        tokenizer.render([{"role": "user", "content": "hello " * 10}])


def test_what_templates_do_in_practice_is_rendered_as_before() -> None:
    template = ChatTemplate(
        "{%- macro turn(m) -%}<|{{ m.role }}|>{{ m['content'] | trim }}{%- endmacro -%}"
        "{%- set ns = namespace(last='', n=0) -%}"
        "{%- for m in messages -%}{%- if m.role == 'tool' -%}{%- continue -%}{%- endif -%}{{ turn(m) }}"
        "{%- set ns.last = ns.last ~ m.role[0] -%}{%- set ns.n = ns.n + loop.index -%}{%- endfor -%}"
        "{{ ns.last }}{{ ns.n }}{{ '-' * 3 }}{{ '%s!' % 'so' }}{{ 7 % 4 }}{{ tools | tojson(indent=2) }}"
        "{{ messages | selectattr('role', 'equalto', 'user') | list | length }}"
        "{{ messages | map(attribute='role') | join(',') }}{{ messages[::-1][0].role.upper().replace('A', 'b') }}"
    )
    messages = [
        {"role": "user", "content": " hi "},
        {"role": "tool", "content": "x"},
        {"role": "assistant", "content": "é"},
    ]
    expected = '<|user|>hi<|assistant|>éua4---so!3[\n  {\n    "name": "ü"\n  }\n]1user,tool,assistantbSSISTbNT'
    assert template.render(messages=messages, tools=[{"name": "ü"}]) == expected


def test_a_long_chat_may_need_as_much_as_it_is_long() -> None:
    messages = [{"role": "user", "content": "word " * 400_000} for _number in range(10)]
    template = ChatTemplate("{% for m in messages %}{{ m.role + ': ' + m.content | trim }}\n{% endfor %}")
    assert len(template.render(messages=messages)) == 10 * (2_000_000 - 1 + 7)
