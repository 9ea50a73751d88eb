# SPDX-License-Identifier: GPL-3.0-or-later
"""The job protocol that every provider speaks: put -> submit -> poll -> fetch -> cancel.

Synchronous services answer ``submit`` with a handle whose first ``poll`` is already terminal. Nothing here knows a
network; an adapter turns these calls into requests, and only that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol


class State(StrEnum):
    """Where a job is, whatever word the provider has for it."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"

    @property
    def terminal(self) -> bool:
        """True if polling again can't change it. UNKNOWN is not: a record may be late."""
        return self in (State.SUCCEEDED, State.FAILED, State.CANCELLED, State.EXPIRED)


class FailureKind(StrEnum):
    """Why a job failed, in words that decide what may be done next."""

    AUTH = "auth"
    QUOTA = "quota"
    RATE_LIMITED = "rate_limited"
    CONCURRENCY = "concurrency"
    INVALID_REQUEST = "invalid_request"
    MEDIA_REJECTED = "media_rejected"
    MODERATED = "moderated"
    PROVIDER_INTERNAL = "provider_internal"
    TIMEOUT_AMBIGUOUS = "timeout_ambiguous"
    NOT_FOUND = "not_found_or_expired"
    UNSUPPORTED = "unsupported"


class CancelOutcome(StrEnum):
    """What came of asking a provider to stop."""

    REQUESTED = "requested"
    TOO_LATE = "too_late"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True)
class MediaRef:
    """A file as a provider knows it. ``kind``: path, https, data_uri, vendor_uri, asset_id or job_output;
    ``role``: what it is to the job (truth, outline, picture, mask, ...); ``expires_at``: POSIX seconds."""

    kind: str
    value: str
    role: str
    expires_at: float | None = None


@dataclass(frozen=True)
class JobSpec:
    """What is asked for. ``options`` are the model's own, as its descriptor lists them; ``own_id`` our name of the job,
    for services that let a client name it (letters, digits and dashes, a UUID)."""

    provider: str
    model: str
    inputs: tuple[MediaRef, ...]
    prompt: str = ""
    seed: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    own_id: str = ""

    def all(self, role: str) -> tuple[MediaRef, ...]:
        """Every input in a role, in order."""
        return tuple(ref for ref in self.inputs if ref.role == role)

    def input(self, role: str) -> MediaRef | None:
        """The first input in a role."""
        return next((ref for ref in self.inputs if ref.role == role), None)


@dataclass(frozen=True)
class Handle:
    """A submitted job; plain data, so that it survives a restart. ``created_at``: POSIX seconds."""

    provider: str
    job_id: str
    poll_ref: str
    created_at: float
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """Why a job failed; ``says`` is a sentence for the person, ``billed`` whether it costs all the same (None: unknown)."""

    kind: FailureKind
    says: str
    billed: bool | None = None


@dataclass(frozen=True)
class Output:
    """One result of a job, still at the provider."""

    name: str
    ref: MediaRef
    media_type: str


@dataclass(frozen=True)
class Snapshot:
    """A job at one moment. ``progress`` 0..1 if the provider tells; ``cost_micros`` of ``currency``."""

    state: State
    progress: float | None = None
    queue_position: int | None = None
    retry_after_s: float | None = None
    outputs: tuple[Output, ...] = ()
    failure: Failure | None = None
    cost_micros: int | None = None
    currency: str = "USD"
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fetched:
    """A result on disk, with the SHA-256 (hex) of its bytes."""

    path: Path
    sha256: str


class Provider(Protocol):
    """An adapter for one service. Made with the models it may use and the running task's context."""

    def put(self, path: Path, role: str) -> MediaRef:
        """Makes a local file known to the provider. Raises InputError, ProviderBusy, ProviderRejected."""
        ...

    def submit(self, job: JobSpec) -> Handle:
        """Starts the job, once. Raises ProviderRejected, ProviderBusy, Refused, Cancelled."""
        ...

    def poll(self, handle: Handle) -> Snapshot:
        """Where the job is now; safe to repeat."""
        ...

    def fetch(self, output: Output, folder: Path) -> list[Fetched]:
        """Brings a result into ``folder``; called at once after success, since links die."""
        ...

    def cancel(self, handle: Handle) -> CancelOutcome:
        """Asks the provider to stop; never called for a job that has ended."""
        ...

    def find(self, job: JobSpec, since: float) -> Handle | None:
        """Looks for a job whose ``submit`` got no answer (begun at POSIX second ``since``); None if there is none.
        Raises Refused if the provider can't be asked."""
        ...
