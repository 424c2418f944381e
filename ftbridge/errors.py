"""Every error that ftbridge raises on purpose.

    FtbridgeError
    ├── UsageError                  what was asked cannot be done as asked           exit 2
    │   ├── TargetError             the config string names nothing
    │   ├── SpecError               a hyperparameter or method is out of range or not offered
    │   ├── ConfigError             ftbridge.toml or an environment variable is wrong
    │   ├── MissingExtra            an optional package is not installed
    │   ├── InputError              a file cannot be opened or read
    │   ├── ModelNotFound           the model is not where the target says
    │   └── JobNotFound             no such job in the ledger, or at the vendor
    ├── StateError                  the home folder or the ledger cannot be used     exit 2
    ├── DataError                   the dataset has findings                         exit 1
    ├── JobFailed                   the job ended, but not well                      exit 1
    ├── ProviderError               the vendor refused or answered nonsense          exit 3
    │   └── Unsupported             the provider does not offer this verb
    └── NetworkError                the vendor could not be reached                  exit 4

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


class JobNotFound(UsageError):
    """No job of that id."""


class StateError(FtbridgeError):
    """The home folder or the ledger cannot be used."""

    exit_code = 2


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


class NetworkError(FtbridgeError):
    """The vendor could not be reached, or the connection broke."""

    exit_code = 4


_DESCRIBED = ("provider", "status", "code", "param", "request_id", "line", "path")
