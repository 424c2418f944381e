"""What mocks have seen and answered, checked against the vendors' SDKs and their own OpenAPI documents.

    check_operations("together", "adapter", mock.seen, prefix="/v1")

The installed SDKs' types are a witness that every clone has (`sdk_check`). The documents are a second one,
where they are at hand.

A request may hold nothing that its document does not name. Answers may hold more than is
documented, never less; of error answers the documents list few, so those they do not list pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from ftbridge.mock import Seen
from sdk_check import check_by_sdk

SPECS = Path(__file__).parents[2] / "shared" / "specs"

_CREATE = "/paths/~1fine-tunes/post/requestBody/content/application~1json/schema"

AMENDMENTS: dict[str, dict[str, tuple[Any, str]]] = {
    "openai": {
        "/components/schemas/GraderMulti/properties/graders": (
            {"type": "object"},
            "it describes one grader, where the guide to reinforcement has several by name, for the formula",
        ),
    },
    "together": {
        "/components/schemas/TrainingMethodSFT/properties/train_on_inputs/type": (
            None,
            "it demands a boolean beside its own choice of a boolean or 'auto', which is its default",
        ),
        "/components/schemas/LinearLRSchedulerArgs/additionalProperties": (
            False,
            "else the cosine's arguments are the linear's too, and a choice of one has two",
        ),
        f"{_CREATE}/required": (["training_file"], "SDK 3.1.1 sends a model or from_checkpoint, never both"),
        f"{_CREATE}/properties/early_stopping_enabled": ({"type": "boolean"}, "SDK 3.1.1 sends it always"),
    },
}
"""Where a vendor's document is wrong or old: what stands at a JSON pointer instead (None: nothing), and why."""

DEVIATIONS: dict[str, dict[str, str]] = {
    "openai": {
        "* answer $.status: 'paused' is not one of *": "the document's own example of a paused job says it",
    },
    "mistral": {
        "POST /v1/chat/completions answer $: 'data' is a required property": "it is required, and described nowhere",
    },
    "together": {
        "POST /files: no such operation": "what SDK 3.1.1 uploads by; the document has only POST /files/upload",
        "POST /files/*/preprocess: no such operation": "the last step of that upload",
        "GET /finetune/download answer: status 206 is not documented": "SDK 3.1.1 downloads by ranges, and checks them",
        "PUT /storage/*: no such operation": "the storage that an upload is sent to is no part of the API",
    },
}
"""What we do against a vendor's document, and why: patterns of the sentences of `_violations`.

In a pattern `*` stands for the indices of a path, since a square bracket has a meaning of its own.
"""


OPERATIONS = {
    "openai": {"adapter": (14, 13), "reinforcement": (8, 7), "sdk": (12, 11)},
    "together": {"adapter": (14, 14), "sdk": (18, 15)},
    "mistral": {"adapter": (10, 5), "sdk": (17, 12)},
}
"""How many distinct operations are seen in the whole life of a job, by who calls them: documented, and in the SDK."""


def check_operations(vendor: str, who: str, seen: Iterable[Seen], *, prefix: str = "") -> None:
    """`check_seen`, and the numbers of distinct operations as `OPERATIONS` has them."""
    seen = list(seen)
    documented, in_sdk = OPERATIONS[vendor][who]
    operations = check_by_sdk(vendor, seen)
    assert len(operations) == in_sdk, sorted(operations)
    if has_document(vendor):
        operations = check_by_document(vendor, seen, prefix=prefix)
        assert len(operations) == documented, sorted(operations)


def check_seen(vendor: str, seen: Iterable[Seen], *, prefix: str = "") -> set[str]:
    """The operations among `seen` that the SDK has.

    Raises `AssertionError` naming each operation that breaks the SDK's types or the document, and how; `prefix` is
    what the document's paths leave out.
    """
    seen = list(seen)
    if has_document(vendor):
        assert check_by_document(vendor, seen, prefix=prefix)
    return check_by_sdk(vendor, seen)


def has_document(vendor: str) -> bool:
    """Whether the vendor's document is at hand, which is no part of the project."""
    return (SPECS / f"{vendor}.json").exists()


def document_takes(vendor: str, schema: str, value: Any) -> bool:
    """Whether a value is valid by a schema of the vendor's document, which may take keys that it does not name."""
    return bool(_validator(vendor, f"/components/schemas/{schema}", False).is_valid(value))


def check_by_document(vendor: str, seen: Iterable[Seen], *, prefix: str = "") -> set[str]:
    """The documented operations among `seen`, as "METHOD /path"."""
    known, broken = set(), set()
    for one in seen:
        operation = _operation(vendor, one, prefix)
        known |= {operation} if operation else set()
        broken |= set(_violations(vendor, one, operation, prefix))
    allowed = DEVIATIONS.get(vendor, {})
    broken = {sentence for sentence in broken if not any(fnmatchcase(sentence, pattern) for pattern in allowed)}
    assert not broken, "against the vendor's document:\n" + "\n".join(sorted(broken))
    return known


def _violations(vendor: str, seen: Seen, operation: str | None, prefix: str) -> Iterator[str]:
    """A sentence for each: operation, request or answer, JSON path, what is wrong."""
    if operation is None:
        yield f"{seen.call.method} {seen.call.path.removeprefix(prefix)}: no such operation"
        return
    method, path = operation.split(" ")
    pointer = f"/paths/{path.replace('/', '~1')}/{method.lower()}"
    described = _document(vendor)["paths"][path][method.lower()]
    yield from _query_violations(operation, described, seen)
    for kind, content in described.get("requestBody", {}).get("content", {}).items():
        schema = f"{pointer}/requestBody/content/{kind.replace('/', '~1')}/schema"
        if kind == "multipart/form-data" and seen.call.form:
            form = _form(vendor, content["schema"], seen)
            yield from _against(vendor, schema, form, f"{operation} request", closed=True)
        elif kind == "application/json" and (seen.call.body is not None or described["requestBody"].get("required")):
            yield from _against(vendor, schema, seen.call.body, f"{operation} request", closed=True)
    answers, status = described["responses"], str(seen.answer.status)
    if status not in answers:
        if seen.answer.status < 400:
            yield f"{operation} answer: status {status} is not documented"
    elif seen.answer.content is None and "application/json" in answers[status].get("content", {}):
        schema = f"{pointer}/responses/{status}/content/application~1json/schema"
        yield from _against(vendor, schema, seen.answer.body, f"{operation} answer")


def _query_violations(operation: str, described: dict[str, Any], seen: Seen) -> Iterator[str]:
    """Query parameters, of which those like `metadata[key]` are one object."""
    named = {one["name"]: one for one in described.get("parameters", []) if one["in"] == "query"}
    given = {name.split("[")[0]: value for name, value in seen.call.query.items()}
    for name in given.keys() - named.keys():
        yield f"{operation} query: {name} is not documented"
    for name, one in named.items():
        if one.get("required") and name not in given:
            yield f"{operation} query: {name} is missing"
        if given.get(name) and one.get("schema", {}).get("type") == "integer" and not given[name].isdigit():
            yield f"{operation} query: {name} = {given[name]} is no integer"


def _form(vendor: str, schema: dict[str, Any], seen: Seen) -> dict[str, Any]:
    """A multipart body as an object, the file in the place of what is binary."""
    if "$ref" in schema:
        schema = _document(vendor)["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    files = [name for name, one in schema.get("properties", {}).items() if _is_binary(vendor, one)]
    return {**seen.call.form, **({files[0]: ""} if files and seen.call.file_name else {})}


def _is_binary(vendor: str, schema: dict[str, Any]) -> bool:
    if "$ref" in schema:
        schema = _document(vendor)["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema.get("format") == "binary"


def _against(vendor: str, pointer: str, instance: Any, where: str, *, closed: bool = False) -> Iterator[str]:
    for problem in _validator(vendor, pointer, closed).iter_errors(instance):
        deepest = best_match([problem])
        place = re.sub(r"\[\d+\]", "[*]", deepest.json_path)
        yield f"{where} {place}: {deepest.message[:200]}"


def _operation(vendor: str, seen: Seen, prefix: str) -> str | None:
    """The document's operation of a call; a fixed word wins over a parameter."""
    path = seen.call.path.removeprefix(prefix)
    for template in sorted(_document(vendor)["paths"], key=lambda template: template.count("{")):
        pattern = re.sub(r"\\\{.*?\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and seen.call.method.lower() in _document(vendor)["paths"][template]:
            return f"{seen.call.method} {template}"
    return None


@cache
def _validator(vendor: str, pointer: str, closed: bool) -> Draft202012Validator:
    registry: Registry[Any] = Registry().with_resource("spec:", DRAFT202012.create_resource(_document(vendor)))
    schema: dict[str, Any] = {"$ref": f"spec:#{pointer.replace('{', '%7B').replace('}', '%7D')}"}
    if closed:
        schema["unevaluatedProperties"] = False
    return Draft202012Validator(schema, registry=registry)


@cache
def _document(vendor: str) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.json.decode((SPECS / f"{vendor}.json").read_bytes())
    for pointer, (instead, _reason) in AMENDMENTS.get(vendor, {}).items():
        *way, last = (step.replace("~1", "/") for step in pointer.split("/")[1:])
        place = document
        for step in way:
            place = place[step]
        if instead is None:
            del place[last]
        else:
            place[last] = instead
    plain: dict[str, Any] = _plain(document)
    return plain


def _plain(schema: Any) -> Any:
    """OpenAPI's older words, `nullable` and a boolean `exclusiveMinimum`, in those of JSON Schema."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _plain(one) for name, one in schema.items()}
    if isinstance(plain.get("minimum"), str):  # Mistral's "1e-08", which YAML 1.1 reads as a string
        plain["minimum"] = float(plain["minimum"])
    if plain.get("exclusiveMinimum") is True:
        plain["exclusiveMinimum"] = plain.pop("minimum")
    if plain.get("nullable") is True:
        del plain["nullable"]
        return {"anyOf": [plain, {"type": "null"}]}
    return plain
