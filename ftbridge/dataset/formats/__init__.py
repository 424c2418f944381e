"""The formats that rows are read from, one module per family, and which of them a row is in."""

from __future__ import annotations

from ftbridge.dataset.formats import bedrock, flat, gemini, mistral, sharegpt, trl
from ftbridge.dataset.formats.base import Format, Keys

CANONICAL = (
    Format("preference", "preference", lambda row: "preferred_output" in row or "non_preferred_output" in row),
    Format("chat", "chat", lambda row: "messages" in row),
    Format("text", "text", lambda row: "text" in row),
)
_PREFERENCE, CHAT, _TEXT = CANONICAL

# A row is in the first of these that fits it, so the more particular ones come first.
_ORDER = (*bedrock.FORMATS, _PREFERENCE, CHAT, *sharegpt.FORMATS, *gemini.FORMATS, *trl.FORMATS, *flat.FORMATS, _TEXT)
FORMATS = {known.name: known for known in (*_ORDER, *mistral.FORMATS)}


def recognise(row: Keys) -> Format | None:
    """The format that the row's keys announce."""
    if mistral.speaks_mistral(row):
        return FORMATS["mistral"]
    return next((known for known in _ORDER if known.fits(row)), None)
