"""The formats that rows are read from, one module per family, and how a row's format is recognised."""

from __future__ import annotations

from ftbridge.dataset.formats import bedrock, columns, gemini, glaive, kto, mistral, openai, preferences, sharegpt
from ftbridge.dataset.formats.base import Format, JsonObject, has_keys

_PREFERENCE = Format("preference", "preference", lambda row: "preferred_output" in row or "non_preferred_output" in row)
_TASK = Format("task", "task", has_keys("messages", "reference"))
CHAT = Format("chat", "chat", has_keys("messages"))
_TEXT = Format("text", "text", has_keys("text"))

# A row has the first of these formats that fits it, so the more specific ones come first.
_ORDER = (
    *bedrock.FORMATS,
    _PREFERENCE,
    *preferences.FORMATS,
    *(_TASK, CHAT),
    *sharegpt.FORMATS,
    *glaive.FORMATS,
    *gemini.FORMATS,
    *columns.FORMATS,
    _TEXT,
)


def recognise(row: JsonObject) -> Format | None:
    """The format that the row's keys indicate."""
    first = next((known for known in _ORDER if known.fits(row)), None)
    return FORMATS["mistral"] if first in (None, CHAT) and mistral.is_mistral(row) else first


_NAMED = (*mistral.FORMATS, *openai.FORMATS, *kto.formats(recognise))
FORMATS = {known.name: known for known in (*_ORDER, *_NAMED)}
