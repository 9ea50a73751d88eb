# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person decides about a job: stop it, make it anew, say what became of one that is in doubt."""

import json
import re

from .errors import InputError, Refused, UsageError
from .jobs import Job, JobStore, Step
from .money import Caps, words

SENT_AGAIN = "Sent again as new; if it arrived all the same, it may be billed."
NAMED = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._:/=-]{0,255}")
"""An id of a service: it becomes part of an address, so nothing that means something there."""
NOT_NOW = {
    Step.SUBMITTING: "It is being sent right now; wait for the answer",
    Step.UNCERTAIN: "Whether it arrived is not known; decide that first",
    Step.DOWNLOADING: "It is done and its result is being fetched",
    Step.READY: "It is done",
    Step.APPLIED: "It is done",
    Step.CANCELLING: "It is being stopped already",
}


def one(store: JobStore, name: str) -> Job:
    """The job whose id begins with ``name``. Raises InputError if there is none or several."""
    wanted = name.strip().lower()
    found = [job for job in store.jobs(most=1_000_000) if wanted and job.id.startswith(wanted)]
    if len(found) != 1:
        raise InputError("Several jobs begin so" if found else "There is no such job", where=name)
    return found[0]


def cancel(store: JobStore, job_id: str) -> Job:
    """Before it was sent a job is cancelled at once; afterwards the service is asked. Raises Refused where neither goes."""
    job = store.get(job_id)
    if job.step is Step.PREPARED:
        return store.move(job_id, Step.CANCELLED, billed=0, says="Cancelled before it was sent.")
    if job.step is Step.REMOTE:
        moved = store.move(job_id, Step.CANCELLING, says="")
        store.note(job_id, due=0.0)
        return moved
    raise Refused(NOT_NOW.get(job.step, "It has ended"), where=job_id[:8])


def never_arrived(store: JobStore, job_id: str) -> Job:
    """A person looked there: the service never got it, so it costs nothing."""
    _in_doubt(store, job_id)
    return store.move(job_id, Step.FAILED, billed=0, says="A person found that it never arrived.")


def found(store: JobStore, job_id: str, remote_id: str) -> Job:
    """A person looked there: it is that job, and goes on. Raises UsageError for what is no id."""
    job = _in_doubt(store, job_id)
    remote_id = remote_id.strip()
    if not NAMED.fullmatch(remote_id):
        raise UsageError(
            "That is no id of a job",
            where=" ".join(remote_id[:40].split()),
            todo="Copy it from your account there.",
        )
    handle = {
        "provider": job.provider,
        "job_id": remote_id,
        "poll_ref": "",
        "created_at": job.begun,
        "raw": {},
    }
    moved = store.move(job_id, Step.REMOTE, handle=json.dumps(handle), says="")
    store.note(job_id, due=0.0)
    return moved


def again(store: JobStore, job_id: str, caps: Caps) -> Job:
    """A new job of the same request, at the same expected price. One in doubt ends here, and still counts: it may be
    billed. Raises Refused over a cap, before anything is changed."""
    job = store.get(job_id)
    if job.step in (Step.PREPARED, Step.SUBMITTING, Step.REMOTE, Step.CANCELLING, Step.DOWNLOADING):
        raise Refused("It is still going on", where=job_id[:8], todo="Cancel it first.")
    facts = {"provider": job.provider, "model": job.model, "shot": job.shot, "purpose": job.purpose}
    new = store.prepare(
        store.request(job_id), caps, price=job.price, currency=job.currency, digest=job.digest, **facts
    )
    if job.step is Step.UNCERTAIN:
        store.move(job_id, Step.FAILED, says=SENT_AGAIN)
    return new


def price_says(job: Job) -> str:
    """What a new job of this request is expected to cost."""
    return words(job.price, job.currency)


def _in_doubt(store: JobStore, job_id: str) -> Job:
    job = store.get(job_id)
    if job.step is not Step.UNCERTAIN:
        raise Refused(f"There is no doubt about it: it is {job.step}", where=job_id[:8])
    return job
