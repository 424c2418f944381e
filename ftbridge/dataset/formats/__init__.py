"""The formats that rows are read from, one module per family, and how a row's format is recognised."""

from __future__ import annotations

from ftbridge.dataset.formats import bedrock, columns, gemini, mistral, openai, sharegpt, trl
from ftbridge.dataset.formats.base import Format, JsonObject

_PREFERENCE = Format("preference", "preference", lambda row: "preferred_output" in row or "non_preferred_output" in row)
_TASK = Format("task", "task", lambda row: "messages" in row and "reference" in row)
CHAT = Format("chat", "chat", lambda row: "messages" in row)
_TEXT = Format("text", "text", lambda row: "text" in row)

# A row has the first of these formats that fits it, so the more specific ones come first.
_ORDER = (
    *bedrock.FORMATS,
    *(_PREFERENCE, _TASK, CHAT),
    *sharegpt.FORMATS,
    *gemini.FORMATS,
    *trl.FORMATS,
    *columns.FORMATS,
    _TEXT,
)
FORMATS = {known.name: known for known in (*_ORDER, *mistral.FORMATS, *openai.FORMATS)}


def recognise(row: JsonObject) -> Format | None:
    """The format that the row's keys indicate."""
    if mistral.is_mistral(row):
        return FORMATS["mistral"]
    return next((known for known in _ORDER if known.fits(row)), None)
