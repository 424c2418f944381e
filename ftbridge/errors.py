"""Every error that ftbridge raises on purpose.

    FtbridgeError
    ├── UsageError                  what was asked cannot be done as asked           exit 2
    │   ├── TargetError             the config string names nothing
    │   ├── SpecError               a hyperparameter or method is out of range or not offered
    │   ├── ConfigError             ftbridge.toml or an environment variable is wrong
    │   ├── MissingExtra            an optional package is not installed
    │   ├── InputError              a file cannot be opened or read
    │   ├── ModelNotFound           the model is not where the target says
    │   ├── OverBudget              the job may cost more than was allowed
    │   └── JobNotFound             no such job in the ledger, or at the vendor
    ├── StateError                  the home folder or the ledger cannot be used     exit 2
    │   └── LedgerError             the ledger cannot be read or written, for now
    │       └── LedgerDamaged       its file is cut off, overwritten or empty
    ├── DataError                   the dataset has findings                         exit 1
    ├── JobFailed                   the job ended, but not well                      exit 1
    ├── ProviderError               the vendor refused or answered nonsense          exit 3
    │   ├── Unsupported             the provider does not offer this verb
    │   ├── AuthenticationFailed    401: the key is missing, wrong or revoked
    │   ├── AccessDenied            403: the key may not do this
    │   ├── TrainingNotAvailable    403 of that code: this account can make no new jobs
    │   ├── ProviderRetired         410, 501, or known from its catalogue: the vendor has closed this
    │   ├── NotFound                404
    │   ├── Conflict                409
    │   ├── InvalidRequest          400, 413, 422: the vendor will not have it as it is
    │   ├── RateLimited             429: later; `retry_after` seconds, where the vendor said
    │   ├── QuotaExceeded           402, or 429 for money: not until somebody pays
    │   ├── ServerTrouble           5xx
    │   ├── NotStarted              the job is made, and not known to be started
    │   └── BadAnswer               not JSON, cut short, or without what must be in it
    │       └── ListingUnfinished   a list that breaks off or repeats itself
    └── NetworkError                the connection broke, or no answer came          exit 4
        └── NotReached              there was no connection: nothing was sent
            └── ConnectionRefused   nobody listens at that address

Each carries a `hint`: what to do next, in one sentence. Vendor errors also carry the
provider, HTTP status, vendor code, parameter and request id, where the vendor gave them;
they are told apart by status and code, never by prose.
"""

from __future__ import annotations

from typing import Any, ClassVar


class FtbridgeError(Exception):
    """Root of the tree. `str(error)` is the sentence, `hint` is what to do about it."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", line: int | None = None, path: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.line = line
        self.path = path

    def describe(self) -> dict[str, Any]:
        """The error as `--json` prints it: type, message, hint, and what else is known."""
        known = {name: value for name, value in vars(self).items() if value not in (None, "") and name in _DESCRIBED}
        return {"type": type(self).__name__, "message": self.message, "hint": self.hint, **known}


class UsageError(FtbridgeError):
    """What was asked cannot be done as asked; nothing was changed."""

    exit_code = 2


class TargetError(UsageError):
    """The config string is malformed, or names a provider that is not installed."""


class SpecError(UsageError):
    """A hyperparameter or method is out of range, or not offered by the provider."""


class ConfigError(UsageError):
    """ftbridge.toml, or an environment variable, holds something that cannot be used."""


class MissingExtra(UsageError):
    """An optional package is not installed; the hint is the command that installs it."""


class InputError(UsageError):
    """A file cannot be opened or read at all."""


class ModelNotFound(UsageError):
    """The model is not where the target says it is."""


class OverBudget(UsageError):
    """The job may cost more than --max-cost, or the month's budget, allows."""


class JobNotFound(UsageError):
    """No job of that id."""


class StateError(FtbridgeError):
    """The home folder or the ledger cannot be used."""

    exit_code = 2


class LedgerError(StateError):
    """The ledger cannot be read or written for now: a full disk, a server that is away, another writer."""


class LedgerDamaged(LedgerError):
    """The ledger's file is cut off, overwritten or empty: nothing in it can be relied on."""


class DataError(FtbridgeError):
    """The dataset has findings that forbid going on; line and path are the first one's."""


class JobFailed(FtbridgeError):
    """The job ended as failed or cancelled where a success was needed."""


class ProviderError(FtbridgeError):
    """The vendor refused, or answered something that makes no sense."""

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
        self.code = code
        self.param = param
        self.request_id = request_id


class Unsupported(ProviderError):
    """The provider does not offer this verb."""


class AuthenticationFailed(ProviderError):
    """401: the key is missing, wrong or revoked."""


class AccessDenied(ProviderError):
    """403: the key is known, and may not do this."""


class TrainingNotAvailable(ProviderError):
    """403 that no other key ends: the vendor takes no new jobs from this account, and others still may."""


class ProviderRetired(ProviderError):
    """The vendor has closed this for good: 410, 501, or its catalogue says so."""


class NotFound(ProviderError):
    """404: the vendor has no such thing."""


class Conflict(ProviderError):
    """409: what is there already stands against it."""


class InvalidRequest(ProviderError):
    """400, 413 or 422: the vendor will not have the request as it is."""


class RateLimited(ProviderError):
    """429: too many requests for now. `retry_after` is in seconds, `None` where the vendor did not say."""

    def __init__(self, message: str, *, retry_after: float | None = None, **known: Any) -> None:
        super().__init__(message, **known)
        self.retry_after = retry_after


class QuotaExceeded(ProviderError):
    """402, or a 429 that only money ends: trying again is of no use."""


class ServerTrouble(ProviderError):
    """5xx: the vendor failed, and may have done what was asked or not."""


class NotStarted(ProviderError):
    """The vendor has made the job, which costs nothing yet, and it is not known to be started."""


class BadAnswer(ProviderError):
    """The answer is not JSON, is cut short, or lacks what must be in it; it may have been done or not."""


class ListingUnfinished(BadAnswer):
    """A list that breaks off, repeats itself or says that it is longer: what is not in it may be there."""


class NetworkError(FtbridgeError):
    """The connection to the vendor broke, or no answer came in time; what was asked may have been done or not."""

    exit_code = 4


class NotReached(NetworkError):
    """No connection to the vendor was made, and so nothing was sent."""


class ConnectionRefused(NotReached):
    """Nobody listens at the vendor's address. `given_up` is set once that has been tried often enough."""

    given_up: bool = False


_DESCRIBED = ("provider", "status", "code", "param", "request_id", "retry_after", "line", "path")
