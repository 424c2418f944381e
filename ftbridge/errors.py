"""Every error that ftbridge raises deliberately.

    FtbridgeError
    ├── UsageError                  the request cannot be carried out                exit 2
    │   ├── TargetError             the target string is not valid
    │   ├── SpecError               a hyperparameter or method is out of range or not offered
    │   ├── ConfigError             ftbridge.toml or an environment variable is wrong
    │   ├── MissingExtra            an optional package is not installed
    │   ├── BrokenPlugin            an installed plugin raises where it is loaded or opened
    │   ├── InputError              a file cannot be opened or read
    │   ├── ModelNotFound           the target's model does not exist
    │   ├── OverBudget              the job may cost more than was allowed
    │   └── JobNotFound             no such job in the ledger, or at the vendor
    ├── StateError                  the home folder or the ledger cannot be used     exit 2
    │   └── LedgerError             the ledger cannot be read or written, for now
    │       └── LedgerDamaged       its file is cut off, overwritten or empty
    ├── DataError                   the dataset has errors                           exit 1
    ├── JobFailed                   the job failed or was cancelled                  exit 1
    ├── ProviderError               the vendor refused, or its answer is not valid   exit 3
    │   ├── Unsupported             the provider does not offer this verb
    │   ├── AuthenticationFailed    401: the key is missing, wrong or revoked
    │   ├── AccessDenied            403: the key lacks the permission
    │   ├── TrainingNotAvailable    403 with that code: this account cannot create jobs
    │   ├── ProviderRetired         410, 501, or by the catalogue: the vendor has closed this
    │   ├── NotFound                404
    │   ├── Conflict                409
    │   ├── InvalidRequest          400, 413, 422: the request is not valid
    │   ├── AskedToWait             wait `retry_after` seconds, where the vendor says so
    │   │   ├── RateLimited         429
    │   │   └── ServerTrouble       5xx
    │   ├── QuotaExceeded           402, or 429 with a billing code: add credit first
    │   ├── NotStarted              the job exists, and may not have started
    │   └── BadAnswer               not JSON, cut off, or incomplete
    │       └── ListingUnfinished   a list that breaks off or repeats itself
    └── NetworkError                the connection broke, or no answer came          exit 4
        └── NotReached              there was no connection, so nothing was sent
            └── ConnectionRefused   nobody listens at that address

Each carries a `hint`: what to do next, in one sentence. Vendor errors also carry the
provider, HTTP status, vendor code, parameter and request id, where the vendor gave them;
the status and the code decide the class, never the message. Vendors' errors may repeat the key
that they got, so keys and passwords are masked in all of these texts.
"""

from __future__ import annotations

from typing import Any, ClassVar

from ftbridge.foreign.redaction import redact


class FtbridgeError(Exception):
    """Base of all. `message` says what is wrong and `hint` what to do; `str(error)` has both."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", line: int | None = None, path: str | None = None) -> None:
        self.message = redact(message)
        super().__init__(self.message)
        self.hint = redact(hint)
        self.line = line
        self.path = path

    def __str__(self) -> str:
        return f"{self.message}\n→ {self.hint}" if self.hint else self.message

    def describe(self) -> dict[str, Any]:
        """The error as `--json` prints it: type, message, hint, and what else is known."""
        known = {name: value for name, value in vars(self).items() if value not in (None, "") and name in _DESCRIBED}
        return {"type": type(self).__name__, "message": self.message, "hint": self.hint, **known}


class UsageError(FtbridgeError):
    """The request cannot be carried out; nothing was changed."""

    exit_code = 2


class TargetError(UsageError):
    """The target string is malformed, or names a provider that is not installed."""


class SpecError(UsageError):
    """A hyperparameter or method is out of range, or not offered by the provider."""


class ConfigError(UsageError):
    """A value in ftbridge.toml, or in an environment variable, is not valid."""


class MissingExtra(UsageError):
    """An optional package is not installed; the hint is the command that installs it."""


class BrokenPlugin(UsageError):
    """An installed plugin (a provider, a mock, a tracker) raises where it is loaded or opened, or is something else."""


class InputError(UsageError):
    """A file cannot be opened or read."""


class ModelNotFound(UsageError):
    """The target's model does not exist."""


class OverBudget(UsageError):
    """The job may cost more than --max-cost, or the month's budget, allows."""


class JobNotFound(UsageError):
    """No job of that id."""


class StateError(FtbridgeError):
    """The home folder or the ledger cannot be used."""

    exit_code = 2


class LedgerError(StateError):
    """The ledger cannot be read or written now: a full disk, a server that is down, another writer."""


class LedgerDamaged(LedgerError):
    """The ledger's file is truncated, overwritten or empty."""


class DataError(FtbridgeError):
    """The dataset has errors; line and path are those of the first."""


class JobFailed(FtbridgeError):
    """The job failed or was cancelled, or has no result yet."""


class ProviderError(FtbridgeError):
    """The vendor refused, or its answer is not valid."""

    exit_code = 3

    def __init__(
        self,
        message: str,
        *,
        provider: str,
        hint: str = "",
        status: int | None = None,
        code: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.provider = provider
        self.status = status
        self.code = _redacted(code)
        self.param = _redacted(param)
        self.request_id = _redacted(request_id)


class Unsupported(ProviderError):
    """The provider does not offer this verb."""


class AuthenticationFailed(ProviderError):
    """401: the key is missing, wrong or revoked."""


class AccessDenied(ProviderError):
    """403: the key is valid, but lacks the permission."""


class TrainingNotAvailable(ProviderError):
    """403 that a different key does not solve: this account can no longer create jobs."""


class ProviderRetired(ProviderError):
    """The vendor has closed this permanently: 410, 501, or by the catalogue."""


class NotFound(ProviderError):
    """404: it does not exist at the vendor."""


class Conflict(ProviderError):
    """409: it conflicts with something that exists."""


class InvalidRequest(ProviderError):
    """400, 413 or 422: the vendor says that the request is not valid."""


class AskedToWait(ProviderError):
    """The vendor cannot answer now. `retry_after` is in seconds; `None` where the vendor did not say."""

    def __init__(self, message: str, *, retry_after: float | None = None, **known: Any) -> None:
        super().__init__(message, **known)
        self.retry_after = retry_after


class RateLimited(AskedToWait):
    """429: too many requests."""


class QuotaExceeded(ProviderError):
    """402, or a 429 with a billing code: trying again does not help."""


class ServerTrouble(AskedToWait):
    """5xx: the vendor failed; the request may have been carried out or not."""


class NotStarted(ProviderError):
    """The job exists at the vendor, and may not have been started; until it starts it costs nothing."""


class BadAnswer(ProviderError):
    """The answer is not JSON, is cut off, or is incomplete; the request may have been carried out or not."""


class ListingUnfinished(BadAnswer):
    """A list that breaks off, repeats itself or says that it is longer: what is missing from it may exist."""


class NetworkError(FtbridgeError):
    """The connection broke, or no answer came in time; the request may have been carried out or not."""

    exit_code = 4


class NotReached(NetworkError):
    """No connection to the vendor was made, so nothing was sent."""


class ConnectionRefused(NotReached):
    """Nobody listens at the vendor's address. `given_up` is set once that has been tried often enough."""

    given_up: bool = False


_DESCRIBED = ("provider", "status", "code", "param", "request_id", "retry_after", "line", "path")


def _redacted(text: str | None) -> str | None:
    return None if text is None else redact(str(text))  # some vendors send a number or an object
