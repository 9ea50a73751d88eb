# SPDX-License-Identifier: GPL-3.0-or-later
"""What adapters make of answers: failures in sentences, and results that came at once and wait in a job's own folder."""

import time
from pathlib import Path

from ..pipeline.errors import HoldfastError, InputError, ProviderRejected
from ..pipeline.sniff import SUFFIX, kind_of_file
from ..pipeline.store import hash_file, read_json, storage, write_bytes, write_json
from .contract import Failure, FailureKind, Fetched, Handle, MediaRef, Output, Snapshot, State
from .descriptor import Descriptor
from .wire import Wire

ANSWER = "answer.json"


class Answers:
    """The part of an adapter that knows no requests."""

    wire: Wire
    model: Descriptor
    spool: Path

    def failure(self, kind: FailureKind, says: str, message: str = "", billed: bool | None = None) -> Failure:
        """A failure in a sentence that begins with the service's name and ends with its own words."""
        tail = f": {self.wire.clean(message)}" if message else ""
        return Failure(kind, f"{self.wire.name} {says}{tail}", billed)

    def keep(
        self,
        job_id: str,
        results: list[tuple[str, bytes]],
        cost_micros: int | None = None,
        failure: Failure | None = None,
    ) -> Handle:
        """Of a service that answers with the result itself: it is written to the spool, whole, before anything else.
        ``results`` are (media type, bytes); a ``failure`` that may have been billed is kept just so."""
        names = []
        for number, (media_type, content) in enumerate(results):
            name = f"result{number:02d}"
            write_bytes(self.spool / name, content)
            names.append([name, media_type])
        told = [failure.kind, failure.says, failure.billed] if failure else None
        answer = {"job_id": job_id, "results": names, "cost_micros": cost_micros, "failure": told}
        write_json(self.spool / ANSWER, answer)
        return self.spooled_handle(job_id)

    def spooled_handle(self, job_id: str) -> Handle:
        """The handle of a job that is already answered."""
        return Handle(self.model.provider, job_id, f"spool:{ANSWER}", time.time())

    def spooled(self, handle: Handle) -> Snapshot:
        """The terminal state of such a job."""
        try:
            answer = read_json(self.spool / ANSWER)
        except HoldfastError:
            return Snapshot(
                State.EXPIRED, failure=self.failure(FailureKind.NOT_FOUND, "'s answer is no longer here")
            )
        cost = answer.get("cost_micros")
        if told := answer.get("failure"):
            return Snapshot(State.FAILED, failure=Failure(FailureKind(told[0]), *told[1:]), cost_micros=cost)
        outputs = tuple(
            Output(f"{number:02d}", MediaRef("path", str(self.spool / name), "result"), media_type)
            for number, (name, media_type) in enumerate(answer["results"])
        )
        return Snapshot(State.SUCCEEDED, 1.0, outputs=outputs, cost_micros=cost)

    def moved(self, path: Path, folder: Path, name: str) -> Fetched:
        """A spooled result under its name in ``folder``; its kind must be one that the model gives."""
        try:
            kind = kind_of_file(path)
        except OSError as error:
            raise InputError(f"The result is gone: {error.strerror}", where=str(path)) from error
        if kind not in self.model.output.kinds:
            raise ProviderRejected(
                f"{self.wire.name} sent something else than {' or '.join(self.model.output.kinds)}"
            )
        target = folder / f"{name}{SUFFIX[kind]}"
        with storage(target):
            folder.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
        return Fetched(target, hash_file(target))
