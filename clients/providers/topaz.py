# SPDX-License-Identifier: GPL-3.0-or-later
"""Topaz: a request is quoted for free, accepted (credits are set aside), then the film is put there in parts.

What was agreed lies in the job's spool before the next step, so a create that broke off is found again by its own id:
not accepted means that nothing began, accepted means that the upload goes on or the credits are given back.
"""

import hashlib
import json
import math
import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cv2

from ...pipeline.errors import HoldfastError, InputError, ProviderBusy, ProviderRejected, Uncertain
from ...pipeline.sniff import kind_of_file
from ...pipeline.store import read_json, storage, write_json
from ..adapter import Adapter
from ..auth import Header, only_key
from ..calls import Call, Reply, number
from ..check import check_job
from ..contract import Failure, FailureKind, Handle, JobSpec, MediaRef, Output, Snapshot, State

AGREED = "topaz.json"
COPY = 1 << 20
STATES = {
    "requested": State.QUEUED, "accepted": State.QUEUED,
    "initializing": State.RUNNING, "preprocessing": State.RUNNING, "processing": State.RUNNING,
    "postprocessing": State.RUNNING, "canceling": State.RUNNING,
    "complete": State.SUCCEEDED, "failed": State.FAILED, "canceled": State.CANCELLED,
}  # fmt: skip
CODES = {
    "INSUFFICIENT_CREDITS": (FailureKind.QUOTA, "asks for more credits"),
    "INVALID_INPUT": (FailureKind.INVALID_REQUEST, "refused the request"),
    "FORBIDDEN": (FailureKind.AUTH, "does not allow this with the key given"),
    "UNAUTHORIZED": (FailureKind.AUTH, "did not accept the key"),
    "SERVER_MAINTENANCE": (FailureKind.PROVIDER_INTERNAL, "is closed for maintenance"),
    "SERVER_ERROR": (FailureKind.PROVIDER_INTERNAL, "has an error of its own"),
}


def auth(keys: Mapping[str, str], settings: Mapping[str, Any]) -> Header:
    """X-API-Key: KEY."""
    return Header("X-API-Key", only_key(keys, "Topaz"))


class Topaz(Adapter):
    """Upscaling and more frames a second. The film is given by its path; it is sent once the price is agreed."""

    def quote(self, job: JobSpec) -> int:
        """What the job will cost at most, in micros. Free; the same request is the one that ``submit`` accepts."""
        return int(self._agreed(job)["cost_micros"])

    def _agreed(self, job: JobSpec) -> dict[str, Any]:
        """The quoted request of this job, asked for if there is none yet."""
        check_job(job, self.model)
        call = self.create(job)
        mark = hashlib.sha256(json.dumps(call.json, sort_keys=True).encode()).hexdigest()
        kept = self._kept()
        if kept.get("mark") == mark:
            return kept
        reply = self.wire.ask(call)  # costs nothing, so it may be repeated
        if not reply.ok:
            self.reject(reply)
        name, cost = reply.table.get("requestId"), _most(reply.table.get("estimates"))
        if not isinstance(name, str) or cost is None:
            raise ProviderRejected("Topaz gave no price for this")
        micros = round(cost * self.settings["credit_micros"])
        return self._keep({"mark": mark, "request": name, "cost_micros": micros})

    def _kept(self) -> dict[str, Any]:
        try:
            return dict(read_json(self.spool / AGREED))
        except HoldfastError:
            return {}

    def _keep(self, agreed: dict[str, Any]) -> dict[str, Any]:
        write_json(self.spool / AGREED, agreed)
        return agreed

    # -- the job ------------------------------------------------------------------------------------------------

    def create(self, job: JobSpec) -> Call:
        """The request for a quote: what the film is, what is done to it, and what comes out."""
        ref = job.input("source_video")
        assert ref is not None
        source, options = measured(Path(ref.value)), job.options
        size, scale = source["resolution"], options.get("scale", 2)
        fps = float(options.get("fps", source["frameRate"]))
        filters: list[dict[str, Any]] = [{"model": self.model.model}]
        if job.prompt and self.model.prompt_max:
            filters[0]["prompt"] = job.prompt
        if fps > source["frameRate"]:
            filters.append({"model": options.get("interpolation", "apo-8"), "slowmo": 1, "fps": fps})
        output = {
            "resolution": {"width": size["width"] * scale, "height": size["height"] * scale},
            "frameRate": fps, "container": "mp4", "audioCodec": "AAC",
            "audioTransfer": "Copy" if options.get("audio") else "None",
            "dynamicCompressionLevel": options.get("compression", "High"),
        }  # fmt: skip
        return Call("POST", "/video/", json={"source": source, "filters": filters, "output": output})

    def submit(self, job: JobSpec) -> Handle:
        """Accepts the quote (once), then uploads. What fails after that gives the credits back, or is uncertain."""
        agreed = self._agreed(job)
        reply = self.wire.send(Call("PATCH", f"/video/{agreed['request']}/accept"))
        if not reply.ok:
            (self.spool / AGREED).unlink(missing_ok=True)
            self.reject(reply)
        agreed = self._keep({**agreed, "urls": _links(reply), "upload": reply.table.get("uploadId")})
        try:
            self._upload(agreed, job)
        except (ProviderBusy, ProviderRejected, InputError) as error:
            self._give_back(str(agreed["request"]), error)
            raise
        return self.handle(agreed["request"])

    def _upload(self, agreed: Mapping[str, Any], job: JobSpec) -> None:
        """Every part to its own address, unsigned, then the list of their marks."""
        ref, links = job.input("source_video"), agreed["urls"]
        if ref is None or not links:
            raise ProviderRejected("Topaz did not say where to put the film")
        path, marks = Path(ref.value), []
        share = math.ceil(path.stat().st_size / len(links))
        for count, link in enumerate(links):
            part = path if len(links) == 1 else self._part(path, count * share, share)
            sent = self.wire.ask(Call("PUT", link, body=part, signed=False))
            if not sent.ok or "etag" not in sent.headers:
                raise ProviderRejected(f"Topaz' storage refused the film ({sent.status})", where=path.name)
            marks.append({"partNum": count + 1, "eTag": sent.headers["etag"].strip('"')})
        done = self.wire.ask(
            Call("PATCH", f"/video/{agreed['request']}/complete-upload", json={"uploadResults": marks})
        )
        if not done.ok:
            self.reject(done)

    def _part(self, path: Path, start: int, size: int) -> Path:
        """A slice of a film as a file of its own."""
        part = self.spool / "part"
        with storage(part):
            part.parent.mkdir(parents=True, exist_ok=True)
            with path.open("rb") as stream, part.open("wb") as out:
                stream.seek(start)
                while size > 0 and (chunk := stream.read(min(COPY, size))):
                    out.write(chunk)
                    size -= len(chunk)
        return part

    def _give_back(self, name: str, error: HoldfastError) -> None:
        """Stops a request that has not begun, which Topaz pays back whole. Raises Uncertain if that fails."""
        try:
            stopped = self.wire.ask(Call("DELETE", f"/video/{name}")).ok
        except HoldfastError:
            stopped = False
        if not stopped:
            raise Uncertain(
                f"The film did not reach Topaz ({error.what}), but the job is accepted",
                todo="Credits may be set aside: look in your account there.",
            ) from error
        (self.spool / AGREED).unlink(missing_ok=True)

    def find(self, job: JobSpec, since: float) -> Handle | None:
        """By the id in the spool: goes on with an upload that broke off; None if nothing was accepted."""
        agreed = self._kept()
        if not agreed:
            return None
        name = str(agreed["request"])
        reply = self.wire.ask(Call("GET", f"/video/{name}/status"))
        if reply.status == 404:
            return None
        if not reply.ok:
            raise ProviderBusy(self.why(reply).says)
        said = reply.table.get("status")
        if said == "requested":
            return None
        if said == "accepted":
            if not agreed.get("urls"):
                self._give_back(name, ProviderBusy("its answer was lost"))
                return None
            self._upload(agreed, job)
        return self.handle(name)

    def status(self, handle: Handle) -> Call:
        return Call("GET", f"/video/{handle.job_id}/status")

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        said = reply.table
        state, percent = STATES.get(str(said.get("status")), State.UNKNOWN), number(said.get("progress"))
        share = None if percent is None else percent / 100
        if state is State.FAILED:
            return Snapshot(state, share, failure=self.told(said))
        if state is not State.SUCCEEDED:
            return Snapshot(state, share)
        place = said.get("download") if isinstance(said.get("download"), dict) else {}
        link = (place or {}).get("url")
        if not isinstance(link, str) or not link:
            says = self.failure(FailureKind.PROVIDER_INTERNAL, "says it is done, but there is no result")
            return Snapshot(State.FAILED, failure=says)
        kind = mimetypes.guess_type(urlsplit(link).path)[0] or "video/mp4"
        return Snapshot(state, 1.0, outputs=(Output("00", MediaRef("https", link, "result"), kind),))

    def stop(self, handle: Handle) -> Call:
        """Paid back whole before it is at work, in part after; 400 if it has ended."""
        return Call("DELETE", f"/video/{handle.job_id}")

    # -- what it says -------------------------------------------------------------------------------------------

    def why(self, reply: Reply) -> Failure:
        if str(reply.table.get("errorCode")) in CODES:
            return self.told(reply.table)
        return super().why(reply)

    def told(self, said: Mapping[str, Any]) -> Failure:
        """What an errorCode means, with the fields that are wrong."""
        kind, says = CODES.get(str(said.get("errorCode")), (FailureKind.PROVIDER_INTERNAL, "failed"))
        listed = said.get("errors") if isinstance(said.get("errors"), list) else []
        fields = [str(one["path"]) for one in listed or () if isinstance(one, dict) and one.get("path")]
        words = str(said.get("message") or "")
        return self.failure(kind, says, f"{words} ({', '.join(fields)})" if fields else words)


def measured(path: Path) -> dict[str, Any]:
    """A film as Topaz wants it described. Raises InputError."""
    film = cv2.VideoCapture(str(path))
    try:
        count, fps = int(film.get(cv2.CAP_PROP_FRAME_COUNT)), float(film.get(cv2.CAP_PROP_FPS))
        size = {
            "width": int(film.get(cv2.CAP_PROP_FRAME_WIDTH)),
            "height": int(film.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        }
    finally:
        film.release()
    if count < 1 or fps <= 0 or min(size.values()) < 1:
        raise InputError("The film can't be read", where=str(path))
    return {
        "container": "mov" if kind_of_file(path) == "mov" else "mp4", "size": path.stat().st_size,
        "duration": round(count / fps, 3), "frameCount": count, "frameRate": round(fps, 3), "resolution": size,
    }  # fmt: skip


def _most(estimates: Any) -> float | None:
    """The upper end of an estimate of credits."""
    cost = estimates.get("cost") if isinstance(estimates, dict) else None
    values = cost if isinstance(cost, list) else [cost]
    found = [credit for credit in map(number, values) if credit is not None]
    return max(found) if found else None


def _links(reply: Reply) -> list[str]:
    links = reply.table.get("urls")
    return [link for link in links if isinstance(link, str)] if isinstance(links, list) else []
