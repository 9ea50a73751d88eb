# SPDX-License-Identifier: GPL-3.0-or-later
"""Goes on with remote jobs: uploads, submits once, polls, downloads, cancels. A worker task.

Killed at any moment it is simply started again: what the ledger says of a job decides what may happen next. Only a job
that was being submitted may be in doubt; it is looked up where the service can be asked and else left to a person.
"""

import random
import time
from collections import defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from ..pipeline import consent
from ..pipeline.context import Context
from ..pipeline.errors import (
    Cancelled,
    HoldfastError,
    InputError,
    ProviderBusy,
    Refused,
    StorageError,
    Uncertain,
    UsageError,
)
from ..pipeline.jobs import WORKING, Job, JobStore, Step
from ..pipeline.store import read_json, write_json
from . import job_steps
from .adapter import Adapter
from .auth import auth_of
from .descriptor import Catalogue, Descriptor, Service, read_catalogue
from .hosts import base_of, plain
from .keys import KEYRING_S, keys_of
from .settings import BASE, read
from .wire import Hosts, Wire

AT_ONCE, OF_ONE = 6, 4
"""Jobs that are worked on side by side, and of one service: a slow server must not hold up the others."""
TICK_S = 0.1
LONGEST_POLL_S = 30.0
LONGEST_WAIT_S = 3600.0
"""No service is left alone for longer, whatever it asks for."""
OLDEST_S, WATCHED_S = 48 * 3600.0, 600.0
"""A job that is not done after so long never will be; but the clock may have jumped, so it was also watched for a while."""
TOO_OLD = f"{{}} has not finished it in {OLDEST_S / 3600:.0f} hours"


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """``request``: project (folder), online; optional catalogue (the person's own files), settings (by service), jobs
    (only these ids), linger (seconds to wait for new jobs when none is left). Returns {steps: {step: count}}.

    Raises StorageError; what goes wrong with one job stands in its row.
    """
    extra = tuple(Path(path) for path in request.get("catalogue", ()))
    store = JobStore(Path(request["project"]))
    runner = Runner(
        store, read_catalogue(extra), bool(request["online"]), ctx, dict(request.get("settings") or {})
    )
    try:
        runner.go(set(request.get("jobs") or ()), float(request.get("linger", 0.0)))
    finally:
        store.release()
    return {"steps": {str(step): count for step, count in store.count().items()}}


@dataclass
class Pace:
    """When a service may be asked again: its own limit, shared by all jobs there."""

    per_minute: float
    next_at: float = 0.0

    def take(self, now: float) -> float:
        """Seconds to wait from ``now``; books the turn."""
        if not self.per_minute:
            return 0.0
        at = max(now, min(self.next_at, now + 60.0))
        self.next_at = at + 60.0 / self.per_minute
        return at - now


@dataclass
class Runner:
    """Works on the jobs of a project until none is left that it can go on with."""

    store: JobStore
    catalogue: Catalogue
    online: bool
    context: Context
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._busy: dict[str, Future[None]] = {}
        self._paces: dict[str, Pace] = {}
        self._misses: defaultdict[str, int] = defaultdict(int)
        self._watched: dict[str, float] = {}
        self._of: dict[str, str] = {}
        self._going: list[Job] = []

    def go(self, only: set[str], linger: float = 0.0) -> None:
        """Until the end. Raises Cancelled; jobs stay where they are."""
        idle_since = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="job") as pool:
            try:
                while self._begin(only, pool) or time.monotonic() - idle_since < linger:
                    if self._busy or self._going:
                        idle_since = time.monotonic()
                    time.sleep(TICK_S)
            finally:
                while not all(work.done() for work in self._busy.values()):
                    self.store.beat()  # one may wait for the answer to a create: it is still held
                    time.sleep(TICK_S)

    def _begin(self, only: set[str], pool: ThreadPoolExecutor) -> bool:
        """Begins a step of every job that it is time for; False if none is left."""
        self.context.cancel.check()
        self._busy = {job: work for job, work in self._busy.items() if not _finished(work)}
        self.store.beat()
        left = [job for job in self.store.jobs((*WORKING, Step.UNCERTAIN)) if not only or job.id in only]
        self._going = [job for job in left if self._goes_on(job)]
        for job in self._going:
            if self._has_place(job) and _due(job) and self.store.claim(job.id):
                self._of[job.id] = job.provider
                self._busy[job.id] = pool.submit(self.work, job.id)
        self.context.progress(0.0, _says(self._going))
        return bool(self._going or self._busy)

    def _has_place(self, job: Job) -> bool:
        beside = sum(self._of[other] == job.provider for other in self._busy)
        return job.id not in self._busy and len(self._busy) < AT_ONCE and beside < OF_ONE

    def work(self, job_id: str) -> None:
        """One step of one job. What fails is written into its row."""
        job = self.store.get(job_id)
        if job.step in (Step.READY, Step.APPLIED, Step.FAILED, Step.CANCELLED):
            return
        try:
            self._take(job)
            self._misses.pop(job_id, None)
        except ProviderBusy as error:
            self._later(job, error)
        except Cancelled:
            pass
        except Refused as error:
            self._refused(job, error)
        except HoldfastError as error:
            self._failed(job, error)
        except (
            Exception
        ) as error:  # an answer that no document foresees must not end the other jobs, nor this one
            says = f"The answer could not be understood: {type(error).__name__}"
            if self.store.get(job_id).step in (Step.REMOTE, Step.CANCELLING, Step.DOWNLOADING):
                self._later(job, ProviderBusy(says))
            else:
                self._failed(job, HoldfastError(says))

    def _take(self, job: Job) -> None:
        if job.step is Step.SUBMITTING:  # whoever began is gone: it may have arrived
            self.store.move(job.id, Step.UNCERTAIN, says="Sent, but whether it arrived is not known.")
            return
        adapter = self.adapter(job)
        try:
            if job.step is Step.PREPARED:
                job_steps.submit(self.store, job, adapter)
            elif job.step is Step.UNCERTAIN:
                job_steps.look_up(self.store, job, adapter)
            elif job.step is Step.REMOTE:
                self._poll(job, adapter)
            elif job.step is Step.CANCELLING:
                job_steps.cancel(self.store, job, adapter)
            elif job.step is Step.DOWNLOADING:
                job_steps.download(self.store, job, adapter)
        finally:
            adapter.wire.close()

    def _poll(self, job: Job, adapter: Adapter) -> None:
        service = self.catalogue.services[job.provider]
        pace = self._paces.setdefault(service.id, Pace(service.polls_per_minute))
        if (wait := pace.take(time.time())) > 0:
            self.store.note(job.id, due=time.time() + wait)
            return
        since = self._watched.setdefault(job.id, time.monotonic())
        old = time.time() - job.begun > OLDEST_S and time.monotonic() - since >= WATCHED_S
        try:  # first it is asked: it may have been done while nobody was here
            asked = job_steps.poll(self.store, job, adapter)
        except (ProviderBusy, Refused) as error:
            if old:
                raise HoldfastError(TOO_OLD.format(service.label), todo=str(error)) from error
            raise
        if self.store.get(job.id).step is not Step.REMOTE:
            return  # what is done is fetched at once: its links die
        if old:
            raise HoldfastError(TOO_OLD.format(service.label))
        usual = min(LONGEST_POLL_S, 0.1 * (time.time() - job.begun))
        wait = max(adapter.model.job.poll_min_s, usual, min(asked or 0.0, LONGEST_WAIT_S))
        self.store.note(job.id, due=time.time() + wait * random.uniform(1.0, 1.2), beat=time.time())

    def adapter(self, job: Job) -> Adapter:
        """The adapter of a job, allowed to speak to the hosts that were agreed to. To the local network without encryption
        only where the person's own setting says so, and then without any key. Raises Refused for what can be mended."""
        model, service = self._known(job)
        try:
            mine = self._said(job, service)
            keys = keys_of(service, wait_s=KEYRING_S)
        except (InputError, UsageError) as error:  # a job that is paid for waits until the file is mended
            raise Refused(error.what, where=error.where, todo=error.todo) from error
        service = replace(service, settings={**service.settings, **mine})
        open_to = plain(service) if BASE in mine else ""
        hosts = Hosts(consent.agreed(self.store.project).get(service.id, ()), self.online, open_to)
        told, signs = dict(service.settings), {} if open_to else keys
        auth = auth_of(model, service, signs, told)
        wire = Wire(service.label, base_of(service), hosts, self.context, auth, keys.values())
        module, _, name = model.adapter.partition(":")
        made = getattr(import_module(f".{module}", __package__), name)
        adapter: Adapter = made(wire, model, self.store.folder(job.id) / "spool", told)
        return adapter

    def _said(self, job: Job, service: Service) -> dict[str, Any]:
        """What people set of the service: as it was when the job was sent, since it is there that it goes on."""
        kept = self.store.folder(job.id) / "settings.json"
        if job.step is not Step.PREPARED and kept.exists():
            said = dict(read_json(kept))
        else:
            said = read(self.store.project).said(service)
            if said or kept.exists():
                write_json(kept, said)
        return {**said, **self.settings.get(service.id, {})}

    def _known(self, job: Job) -> tuple[Descriptor, Service]:
        model = self.catalogue.models.get(f"{job.provider}/{job.model}")
        service = self.catalogue.services.get(job.provider)
        if model is None or service is None or not model.adapter:
            raise HoldfastError(
                f"{job.provider}/{job.model} is in no catalogue any more", todo="Put its entry back."
            )
        return model, service

    def _goes_on(self, job: Job) -> bool:
        """False for what only a person can decide."""
        return job.step is not Step.UNCERTAIN or not job.says.endswith(job_steps.YOUR_TURN)

    def _later(self, job: Job, error: ProviderBusy) -> None:
        """Before it is submitted a job that can't be now has failed; afterwards it waits, longer every time."""
        now = self.store.get(job.id)
        if now.step in (Step.PREPARED, Step.SUBMITTING):
            self.store.move(job.id, Step.FAILED, says=str(error), billed=0)
            return
        self._misses[job.id] += 1
        wait = min(300.0, 2.0 ** min(self._misses[job.id], 9)) * random.uniform(0.8, 1.2)
        asked = min(error.after_s or 0.0, LONGEST_WAIT_S)
        self.store.note(job.id, due=time.time() + max(wait, asked), says=str(error))

    def _refused(self, job: Job, error: Refused) -> None:
        """Not allowed now (offline, no key, no consent): nothing was sent, so it waits where it is."""
        now = self.store.get(job.id)
        if now.step is Step.SUBMITTING:
            self.store.move(job.id, Step.FAILED, says=str(error), billed=0)
        elif now.step is Step.UNCERTAIN:
            self.store.note(job.id, says=f"{error} {job_steps.YOUR_TURN}")
        else:
            self.store.note(job.id, due=time.time() + LONGEST_POLL_S, says=str(error))

    def _failed(self, job: Job, error: HoldfastError) -> None:
        now = self.store.get(job.id)
        if (
            isinstance(error, StorageError) and now.step is not Step.SUBMITTING
        ):  # what is paid for waits for the disk
            self.store.note(job.id, due=time.time() + LONGEST_POLL_S, says=str(error))
            return
        if now.step is Step.SUBMITTING and isinstance(error, Uncertain):
            self.store.move(job.id, Step.UNCERTAIN, says=str(error))
        elif now.step is Step.UNCERTAIN:
            self.store.note(job.id, says=f"{error} {job_steps.YOUR_TURN}")
        else:
            free = now.step in (Step.PREPARED, Step.SUBMITTING)
            self.store.move(job.id, Step.FAILED, says=str(error), **({"billed": 0} if free else {}))


def _finished(work: "Future[None]") -> bool:
    if not work.done():
        return False
    work.result()
    return True


def _due(job: Job) -> bool:
    """True if it is time; a clock that was set back by a day makes nobody wait for a day."""
    return job.due <= time.time() or job.due - time.time() > 1.5 * LONGEST_WAIT_S


def _says(going: list[Job]) -> str:
    if not going:
        return "No job is going on"
    first = min(going, key=lambda job: (int(job.created), job.purpose))
    piece = first.purpose.partition(", ")[2]  # of a long shot: "take, piece 2 of 3"
    more = f" and {len(going) - 1} more" if len(going) > 1 else ""
    return f"{first.provider} {first.model}{piece and ', '}{piece}: {first.step}{more}"
