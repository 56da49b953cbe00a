"""The whole exception tree. Every error the product raises on purpose is one of these.

    RollbookError                 what, where, why, what to do; carries the exit code of the command line
    |-- InputRefused              the user's input cannot be used (a file, a date, an option)
    |   |-- DeliveryRefused       a roster delivery is refused whole; nothing was changed
    |   |-- ProfileInvalid        an execution profile has mistakes, all of them listed
    |   `-- FileInvalid           a file has mistakes, all of them listed with their lines
    |-- ApprovalDue               a plan waits for a person; carries its fingerprint
    |-- StoreUnusable             the database is missing, locked, full, or from another version
    |-- TenantBusy                another worker holds the tenant
    |   `-- LeaseLost             another worker took the tenant over meanwhile
    |-- Interrupted               a run was asked to pause, to stop, or to let others go first
    `-- TenantError               Microsoft 365 did not do what was asked
        |-- Resting               the connection fails, and is left alone for a while
        |-- Later                 may succeed when repeated after `delay` seconds
        |-- Never                 this request will not succeed as it is; an office has to act
        `-- Stop                  no request of this run will succeed (consent, secret, unreachable)
            `-- Frozen            somebody froze the connection

The three verdicts *later / never / stop* are the only thing the executor decides on.
"""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the command line; documented in docs/exit-codes.md."""

    OK = 0
    WITH_REJECTS = 1
    USAGE = 2
    REFUSED = 3
    APPROVAL_DUE = 4
    NOT_PROVEN = 5
    CHANGES_FAILED = 6
    TENANT = 7
    STORE = 8
    BUSY = 9
    FROZEN = 10
    DEFECT = 70


class RollbookError(Exception):
    """A sentence for a person: what happened, where, why; `remedy` says what to do."""

    exit_code: Exit = Exit.DEFECT

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class InputRefused(RollbookError):
    """What the user gave cannot be used; nothing was changed."""

    exit_code = Exit.REFUSED


class DeliveryRefused(InputRefused):
    """A roster delivery is refused as a whole; nothing was changed."""


class ProfileInvalid(InputRefused):
    """An execution profile has mistakes; `mistakes` lists (path, sentence) of all of them."""

    def __init__(self, message: str, mistakes: list[tuple[str, str]], *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.mistakes = mistakes


class FileInvalid(InputRefused):
    """A file has mistakes; `mistakes` lists (line, sentence) of all of them."""

    def __init__(self, message: str, mistakes: list[tuple[int, str]], *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.mistakes = mistakes


class ApprovalDue(RollbookError):
    """A plan waits for a person; `fingerprint` is what has to be approved."""

    exit_code = Exit.APPROVAL_DUE

    def __init__(self, message: str, fingerprint: str, *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.fingerprint = fingerprint


class StoreUnusable(RollbookError):
    """The database cannot be used as it is: missing, locked, full, or of another version."""

    exit_code = Exit.STORE


class TenantBusy(RollbookError):
    """Another worker holds the tenant; one synchronization per tenant at a time."""

    exit_code = Exit.BUSY


class LeaseLost(TenantBusy):
    """Another worker took the tenant over while this one held it: whatever is left to do is the other's."""


class Interrupted(RollbookError):
    """A run ends at its next batch because it was asked to: `why` is pause, stop or yield. It can be taken up again."""

    exit_code = Exit.BUSY

    def __init__(self, message: str, why: str, *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.why = why


class TenantError(RollbookError):
    """Microsoft 365 did not do what was asked. `code` is Microsoft's own, `status` the HTTP status (0: no answer).

    `request_id` is what Microsoft's support asks for; empty where there was no answer.
    """

    exit_code = Exit.TENANT

    def __init__(
        self, message: str, *, remedy: str = "", code: str = "", status: int = 0, request_id: str = ""
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.code = code
        self.status = status
        self.request_id = request_id


class Resting(TenantError):
    """The connection fails, and is not tried again by a schedule before its time; whoever asks by hand may try at once."""


class Later(TenantError):
    """May succeed when repeated; `delay` is how many seconds the server asked to wait (None: it did not say)."""

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        code: str = "",
        status: int = 0,
        request_id: str = "",
        delay: float | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy, code=code, status=status, request_id=request_id)
        self.delay = delay


class Never(TenantError):
    """This one request will not succeed as it is, however often it is repeated."""


class Stop(TenantError):
    """No request of this run will succeed until a person acts."""


class Frozen(Stop):
    """Somebody froze the connection: nothing is written through it until it is thawed."""

    exit_code = Exit.FROZEN
