# SPDX-License-Identifier: GPL-3.0-or-later
"""The one tree of errors. ``str(error)`` is the sentence that the panel shows and the command line prints."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of ``blender --command holdfast``; all below 126, as farm engines expect."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    VERDICT_FAIL = 10
    VERDICT_REVIEW = 11
    INPUT = 20
    STORAGE = 21
    BUSY = 30
    REFUSED = 31
    REJECTED = 32
    CANCELLED = 40


class HoldfastError(Exception):
    """Something that a person can understand and act on.

    ``what`` says what happened, ``where`` which file, part or frame, ``todo`` what to do about it.
    """

    exit_code = ExitCode.INTERNAL

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        self.what, self.where, self.todo = what, where, todo
        sentence = f"{what.rstrip('.')} ({where})" if where else what.rstrip(".")
        super().__init__(f"{sentence}. {todo}".strip() if todo else f"{sentence}.")

    def to_json(self) -> dict[str, str]:
        """As it travels from the worker process; ``from_json`` turns it back."""
        return {"type": type(self).__name__, "what": self.what, "where": self.where, "todo": self.todo}


class UsageError(HoldfastError):
    """The command or a setting makes no sense."""

    exit_code = ExitCode.USAGE


class InputError(HoldfastError):
    """A file, part, camera or earlier stage is missing, damaged or not what the stage needs."""

    exit_code = ExitCode.INPUT


class StorageError(HoldfastError):
    """The output can't be written: disk full, folder read-only."""

    exit_code = ExitCode.STORAGE


class ProviderBusy(HoldfastError):
    """A provider failed in passing; the same request may go through later, after ``after_s`` seconds if it says so."""

    exit_code = ExitCode.BUSY
    after_s: float | None = None


class Refused(HoldfastError):
    """Budget, consent or online access does not allow it."""

    exit_code = ExitCode.REFUSED


class ProviderRejected(HoldfastError):
    """A provider said no for good: a bad request or its policy."""

    exit_code = ExitCode.REJECTED


class Uncertain(HoldfastError):
    """A request was sent and no answer came: the provider may be at work, and may bill. Never sent again by itself."""

    exit_code = ExitCode.BUSY


class Cancelled(HoldfastError):
    """A person or the farm stopped the stage; what is finished stays."""

    exit_code = ExitCode.CANCELLED

    def __init__(self, what: str = "Cancelled", *, where: str = "", todo: str = "") -> None:
        super().__init__(what, where=where, todo=todo)


_KINDS: dict[str, type[HoldfastError]] = {
    kind.__name__: kind
    for kind in (
        UsageError,
        InputError,
        StorageError,
        ProviderBusy,
        Refused,
        ProviderRejected,
        Uncertain,
        Cancelled,
    )
}


def from_json(record: dict[str, str]) -> HoldfastError:
    """The error that ``HoldfastError.to_json`` described; an unknown type becomes a plain HoldfastError."""
    kind = _KINDS.get(record.get("type", ""), HoldfastError)
    return kind(
        record.get("what", "Unknown error"), where=record.get("where", ""), todo=record.get("todo", "")
    )
