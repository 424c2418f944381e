"""Keeping keys and passwords out of texts: those of errors, events, logs, and whatever is stored or shown.

Masked are the keys in use, which `register` collects, however an echo spells them; what has the shape of a known kind
of key; and keys and passwords in URLs. All patterns are bounded, because a vendor may send megabytes.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import unquote

MASK = "***"
KEY_MARKS = (
    *("sk-", "AKIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    *("AIza", "hf_", "xox", "eyJ", "whsec_", "-----BEGIN "),
)
"""Each text in which `KEY_SHAPE` finds something contains one of these."""
KEY_SHAPE = re.compile(
    r"\b(?:sk-[A-Za-z0-9_-]{20,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40,}"
    r"|AIza[0-9A-Za-z_-]{35}|hf_[A-Za-z0-9]{34}|xox[abprs]-[A-Za-z0-9-]{10,}|whsec_[A-Za-z0-9+/]{24,}={0,2}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,})"
    r"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:[\s\S]{0,8192}?-----END [A-Z ]{0,40}PRIVATE KEY-----)?"
)
"""The known kinds of keys and tokens."""

_SECRET_NAME = re.compile(
    r"(?:^|_)(?:api_?key|key|passwd|credentials?)(?:_\d+)?$|(?:token|secret|password|passphrase)(?:_\d+)?$"
    r"|_(?:api|access|secret)_key_|_(?:pass|pwd|pat|auth)$|^sshpass$",  # not PWD, the working folder
    re.IGNORECASE,
)
_SECRET_URL = re.compile(r"https://(?:hooks\.slack\.com/services/|discord(?:app)?\.com/api/webhooks/)")
_BEARER = re.compile(r"(?P<scheme>\bbearer\s+)(?=[^\s\"',]{0,512}\d)[A-Za-z0-9._~+/=-]{16,}", re.IGNORECASE)
_IN_AUTHORITY, _ANYWHERE = (
    r"[^\s/?#\"'<>]{1,512}@",
    r"[^\s\"'<>]{1,512}?@",
)  # a password should be quoted, and may not be
_PASSWORD = re.compile(
    r"(?P<user>://[^\s/?#@:\"'<>\[\]]{0,256}:)"
    rf"(?!\d{{1,5}}(?:[/?#\s]|$)|password@)(?:{_IN_AUTHORITY}|{_ANYWHERE})",  # neither a port nor our own hint
    re.IGNORECASE,
)
_TOKEN_AS_USER = re.compile(r"(?P<scheme>https?://)[^\s/?#@:\"'<>]{8,512}@", re.IGNORECASE)
_PARAMETER = re.compile(
    r"(?P<name>(?:[?&;]|\\u0026)[\w.-]{0,40}(?:key|token|secret|password|passwd|credential|signature|sig)=)"
    r"[^\s&;#\"'<>\\]+",
    re.IGNORECASE,
)
_BREAK = r"(?:\\{1,4}[nrt]|[\r\n\t]){0,2}"
_ORDINARY = re.compile(r"[^\dA-Z]{0,15}|.{0,7}")  # of such a length, or words: "mock-key", "not-needed"
_in_use: set[str] = set()
_keys_in_use: re.Pattern[str] | None = None


def register(*secrets: str | None) -> None:
    """Mask these secrets in all texts from now on.

    Those that are shorter than eight characters, and placeholders such as "mock-key", are not: that would mask words.
    """
    global _keys_in_use  # one process has one set of keys
    new = {secret.strip(" \"'") for secret in secrets if secret} - _in_use
    if new := {secret for secret in new if not _ORDINARY.fullmatch(secret)}:
        _in_use.update(new)
        spelled = sorted(map(_spellings, _in_use), key=len, reverse=True)  # where one key is the beginning of another
        _keys_in_use = re.compile("|".join(spelled), re.IGNORECASE)


def register_url(url: str) -> None:
    """Mask the password in `url`, if there is one, also where it appears without its URL."""
    found = _PASSWORD.search(url)
    if found and (colon := found["user"]):
        password = found[0].removeprefix(colon)[:-1]
        both = f"{colon.removeprefix('://')}{password}"
        register(password, unquote(password), *(b64encode(text.encode()).decode() for text in (both, unquote(both))))


def register_environment(environment: Mapping[str, str]) -> None:
    """Mask the values of all variables whose name says that they are secret."""
    register(*(value for name, value in environment.items() if is_secret_name(name)))


def redact(text: str) -> str:
    """`text` with every key and password masked."""
    text = without_keys_in_use(text)
    text = _PASSWORD.sub(rf"\g<user>{MASK}@", text)
    text = _TOKEN_AS_USER.sub(rf"\g<scheme>{MASK}@", text)
    text = _PARAMETER.sub(rf"\g<name>{MASK}", text)
    text = _BEARER.sub(rf"\g<scheme>{MASK}", text)
    return KEY_SHAPE.sub(MASK, text)


def without_keys_in_use(text: str) -> str:
    """`text` with only the registered secrets masked: for what is the user's own, such as a model's answer."""
    return _keys_in_use.sub(MASK, text) if _keys_in_use else text


def is_secret_name(name: str) -> bool:
    """Whether the name of a setting or variable says that its value is secret: `api_key`, `HF_TOKEN`."""
    return bool(_SECRET_NAME.search(name))


def is_secret_value(value: str) -> bool:
    """Whether it is a registered secret, a known kind of key, or a URL with a password or known to be secret."""
    if value.strip(" \"'") in _in_use or KEY_SHAPE.fullmatch(value.strip()):
        return True
    return any(pattern.search(value) for pattern in (_PASSWORD, _TOKEN_AS_USER, _SECRET_URL))


def _spellings(secret: str) -> str:
    """A pattern for the secret as it is, in a URL, or in JSON, twice encoded too, and broken into lines."""
    pattern = _BREAK.join(map(_spelling, secret))
    return pattern if len(secret) > 15 else rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])"


def _spelling(character: str) -> str:
    code = f"{ord(character):02x}"
    in_url = "".join(f"%(?:25){{0,2}}{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    return rf"(?:\\{{0,4}}{re.escape(character)}|{in_url}|\\{{1,4}}u{code:0>4})"
