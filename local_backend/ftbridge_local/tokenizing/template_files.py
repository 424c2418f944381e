"""The files of a model that say how it writes a chat: its templates, and the special tokens that they name.

As transformers 5 reads them: chat_template.jinja and additional_chat_templates/NAME.jinja, or else chat_template in
tokenizer_config.json, which may be a list of templates by name; special_tokens_map.json, or else tokenizer_config.json.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ftbridge.errors import ModelNotFound
from ftbridge_local.model_files import check_file, reason_of
from ftbridge_local.tokenizing.bounds import TooMuchError
from ftbridge_local.tokenizing.template import ChatTemplate

DEFAULT, FOR_TOOLS = "default", "tool_use"
CHAT_TEMPLATE, ADDITIONAL = "chat_template.jinja", "additional_chat_templates"
_TOKENS = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


def template_files(folder: Path) -> list[Path]:
    """The files of templates that exist."""
    return [*folder.glob(CHAT_TEMPLATE), *sorted((folder / ADDITIONAL).glob("*.jinja"))]


def read_templates(folder: Path, config: Mapping[str, Any]) -> dict[str, ChatTemplate]:
    """The templates by name. Raises `ModelNotFound` for one that is not valid."""
    return {name: _compiled(source, folder) for name, source in template_sources(folder, config).items()}


def template_sources(folder: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """The templates' texts by name; a single one is `DEFAULT`."""
    sources: dict[str, Any] = {}
    for file in template_files(folder):
        check_file(file)
        name = file.stem if file.parent.name == ADDITIONAL else DEFAULT
        sources[name] = file.read_text("utf-8")
    if not sources:
        configured = config.get("chat_template")
        if isinstance(configured, list):
            sources = {entry["name"]: entry["template"] for entry in configured}
        elif configured is not None:
            sources = {DEFAULT: configured}
    return sources


def special_tokens(config: Mapping[str, Any], token_map: Mapping[str, Any]) -> dict[str, str]:
    """The special tokens by the names that templates have for them, such as `bos_token`; only those that exist."""
    known = {**config, **({} if "added_tokens_decoder" in config else token_map)}
    extra = known.get("extra_special_tokens")
    known |= extra if isinstance(extra, dict) else {}
    own = [name for name, token in known.items() if name.endswith("_token") and isinstance(token, str | dict)]
    named = {name: _content(known.get(name)) for name in (*_TOKENS, *own)}
    return {name: text for name, text in named.items() if text is not None}


def bad_template(folder: Path, why: str) -> ModelNotFound:
    """The error for a model whose template cannot be used."""
    return ModelNotFound(
        f"the chat template of the model in {folder} {why}",
        hint="Fix its chat_template.jinja, or chat_template in tokenizer_config.json.",
    )


def files_of(folder: Path, names: Iterable[str]) -> list[Path]:
    """Those of the named files, and of the templates', that exist."""
    return [*(folder / name for name in names if (folder / name).exists()), *template_files(folder)]


def _compiled(source: Any, folder: Path) -> ChatTemplate:
    if not isinstance(source, str):
        raise bad_template(folder, "is not a text")
    try:
        return ChatTemplate(source)
    except TooMuchError as problem:
        raise bad_template(folder, str(problem)) from problem
    except Exception as problem:  # of jinja2, or of Python, which compiles what jinja2 makes of it
        raise bad_template(folder, f"is not valid Jinja: {reason_of(problem)}") from problem


def _content(token: Any) -> str | None:
    """The text of a token, which may be an object with more about it."""
    text = token["content"] if isinstance(token, dict) else token
    if text is not None and not isinstance(text, str):
        raise TypeError("a special token is not a text")
    return text
