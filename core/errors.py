"""Everything Tailwise refuses, as one tree; each class has a stable ``code``.

TailwiseError
├── InvalidInput        the document breaks a rule          (422 at the HTTP edge)
│   └── InvalidOption   a component got an option it does not know or allow
├── NotFound            no such thing for this tenant       (404)
├── Gone                it existed and was deleted          (410)
├── Conflict            well-formed, but the state forbids  (409)
├── NotAllowed          this caller may not do it            (403)
├── NotVerified         a signature or a signed token is not good (401)
├── PreconditionFailed  somebody else changed it first      (412)
├── Unavailable         try again later                     (503)
│   └── ProviderTrouble a provider of batches did not do what it was asked
├── NotInstalled        a component needs an install step or an extra
└── JobFailed           an operation ended in a named failure
    └── Cancelled       ... because it was asked to stop

Core errors know no HTTP; ``api/errors.py`` turns them into problem documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

STORE_BUSY: Final = "store-busy"
"""The code of Unavailable where the database went away, or had no time: it will be back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One refused field: a JSON pointer, a stable code and a sentence."""

    pointer: str
    code: str
    detail: str


class TailwiseError(Exception):
    """Root of the tree.

    ``code`` is a stable slug, ``detail`` a sentence for people that never quotes
    user text, ``extras`` typed facts that a program can act on.
    """

    code: str = "internal"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        errors: Sequence[FieldError] = (),
        extras: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.errors = tuple(errors)
        self.extras = dict(extras or {})


class InvalidInput(TailwiseError):
    """The document itself breaks a rule."""

    code = "invalid-input"

    @classmethod
    def at(cls, pointer: str, detail: str, *, code: str, **extras: object) -> InvalidInput:
        """Refuse one field, naming it."""
        return cls(
            detail,
            code=code,
            errors=[FieldError(pointer=pointer, code=code, detail=detail)],
            extras=extras,
        )


class InvalidOption(InvalidInput):
    """A component got an option it does not know, or a value it does not allow."""

    code = "invalid-option"


class NotFound(TailwiseError):
    """No such thing, as far as this tenant can know."""

    code = "not-found"


class Gone(TailwiseError):
    """It existed and was deleted."""

    code = "gone"


class Conflict(TailwiseError):
    """The request is well-formed, but the present state forbids it."""

    code = "conflict"


class NotAllowed(TailwiseError):
    """Somebody else may do this, this caller may not."""

    code = "not-allowed"


class NotVerified(TailwiseError):
    """What was signed was not signed by whom it should be, or too long ago."""

    code = "signature-refused"


class PreconditionFailed(TailwiseError):
    """The revision the caller saw is not the present one."""

    code = "etag-mismatch"


class Unavailable(TailwiseError):
    """A part is missing or overloaded for now; the same request may work later."""

    code = "unavailable"


class ProviderTrouble(Unavailable):
    """A provider of batches did not do what it was asked, or nobody knows whether it did.

    ``category`` names the trouble. ``passing``: the same request may work later. ``gone``:
    there is no such batch. ``unsure``: it may have been done all the same.
    """

    code = "upstream-unavailable"

    def __init__(
        self, category: str, *, passing: bool, gone: bool = False, unsure: bool = False
    ) -> None:
        super().__init__(
            f"the provider of batches answered {category}", extras={"category": category}
        )
        self.category = category
        self.passing = passing
        self.gone = gone
        self.unsure = unsure


class NotInstalled(TailwiseError):
    """A component needs an install step or an extra; the detail names the command."""

    code = "not-installed"


class JobFailed(TailwiseError):
    """An operation ended in a named failure."""

    code = "job-failed"


class Cancelled(JobFailed):
    """An operation stopped at a step boundary because it was asked to."""

    code = "cancelled"
