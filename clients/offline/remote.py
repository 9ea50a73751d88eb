# SPDX-License-Identifier: GPL-3.0-or-later
"""The rehearsal that behaves like a remote service: it queues, takes its time, and has whatever bad day is asked for.

For rehearsing a production before the first paid request: panel, caps, doubt and repair see what they would see of a
real one. The service lies in the job's own folder; nothing is sent. The film is drawn from the clip that was "sent".
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from requests.auth import AuthBase

from ...pipeline.errors import InputError, ProviderBusy, ProviderRejected, Uncertain
from ...pipeline.pictures import U8
from ...pipeline.store import read_json, storage, write_json
from ..adapter import Adapter
from ..auth import Nobody
from ..check import check_job
from ..contract import CancelOutcome, FailureKind, Fetched, Handle, JobSpec, MediaRef, Output, Snapshot, State

BAD_DAYS = {
    "": "none", "busy": "turned away", "moderated": "refused for its content", "no_answer": "got the job and does not say so",
    "failed": "fails at the end", "done_but_failed": "says done and has nothing", "vanished": "forgets the job",
    "expired_link": "its first link is dead", "never_ends": "is never done", "short": "three frames fewer",
    "retimed": "every fifth frame twice", "cropped": "a border of 2 % is cut off", "smeared": "a third of the film is smeared in the middle",
    "uneven": "every second piece of a long shot is brighter",
}  # fmt: skip
"""Every bad day and what it is."""
RECORD, FILM = "remote.json", "film.mp4"
QUEUED = 0.3
"""Share of its time that a job waits in the queue."""
CODEC = "mp4v"


def auth(keys: Mapping[str, str], settings: Mapping[str, Any]) -> AuthBase:
    """It asks for no key."""
    return Nobody()


class RemoteRehearsal(Adapter):
    """Settings of the service: ``seconds`` that a job takes, ``bad_day`` of BAD_DAYS, ``bad_seed`` that alone has a
    spoiled picture (-1: every one). With a mask_video only what is white there is drawn anew."""

    @property
    def _day(self) -> str:
        return str(self.settings.get("bad_day", ""))

    def put(self, path: Path, role: str) -> MediaRef:
        """The file stays where it is."""
        return self.as_path(path, role)

    def submit(self, job: JobSpec) -> Handle:
        """Takes the job, or has its bad day. Raises InputError for a bad day that is none."""
        check_job(job, self.model)
        if self._day not in BAD_DAYS:
            raise InputError(
                f"There is no bad day {self._day!r}",
                todo=f"Choose one of {', '.join(filter(None, BAD_DAYS))}.",
            )
        if self._day == "busy":
            raise ProviderBusy(
                f"{self.wire.name} asks to slow down", todo="Nothing was begun. Try again later."
            )
        if self._day == "moderated":
            raise ProviderRejected(
                f"{self.wire.name} refused it for its content", todo="Change the prompt or the pictures."
            )
        source = job.input("source_video")
        assert source is not None  # check_job saw to it
        record = {
            "id": job.own_id,
            "at": time.time(),
            "inputs": {ref.role: ref.value for ref in job.inputs},
            "seed": job.seed or 0,
            "options": dict(job.options),
            "stopped": False,
            "asked": 0,
        }
        write_json(self.spool / RECORD, record)
        if self._day == "no_answer":
            raise Uncertain(f"{self.wire.name} did not answer")
        return self.handle(job.own_id)

    def find(self, job: JobSpec, since: float) -> Handle | None:
        """The job in its own folder, if it came that far."""
        return self.handle(job.own_id) if (self.spool / RECORD).exists() else None

    def poll(self, handle: Handle) -> Snapshot:
        """By the clock: in the queue, at work, done."""
        if self._day == "vanished" or not (self.spool / RECORD).exists():
            return Snapshot(
                State.EXPIRED, failure=self.failure(FailureKind.NOT_FOUND, "does not know this any more")
            )
        record = read_json(self.spool / RECORD)
        if record["stopped"]:
            return Snapshot(
                State.CANCELLED, failure=self.failure(FailureKind.UNSUPPORTED, "has stopped it", billed=False)
            )
        share = (time.time() - record["at"]) / max(float(self.settings.get("seconds", 0)), 1e-3)
        if share < QUEUED:
            return Snapshot(State.QUEUED, queue_position=1 + int(3 * (1 - share / QUEUED)))
        if share < 1 or self._day == "never_ends":
            return Snapshot(State.RUNNING, min(0.99, (share - QUEUED) / (1 - QUEUED)))
        if self._day == "failed":
            return Snapshot(
                State.FAILED, failure=self.failure(FailureKind.PROVIDER_INTERNAL, "failed", billed=False)
            )
        write_json(self.spool / RECORD, {**record, "asked": record["asked"] + 1})
        name = "gone.mp4" if self._day == "expired_link" and not record["asked"] else FILM
        output = Output("00", MediaRef("path", str(self.spool / name), "result"), "video/mp4")
        done = () if self._day == "done_but_failed" else (output,)
        return Snapshot(State.SUCCEEDED, 1.0, outputs=done, cost_micros=0)

    def fetch(self, output: Output, folder: Path) -> list[Fetched]:
        """Draws the film when it is asked for. Raises ProviderRejected for a dead link."""
        path = Path(output.ref.value)
        if path.name != FILM:
            raise ProviderRejected(
                f"The result is no longer at {self.wire.name}", todo="Its link may have expired."
            )
        if not path.exists():
            record = read_json(self.spool / RECORD)
            spares = int(self.settings.get("bad_seed", -1)) not in (-1, int(record["seed"]))
            self.draw(record, "" if spares else self._day, path)
        return [self.moved(path, folder, output.name)]

    def draw(self, record: Mapping[str, Any], day: str, path: Path) -> None:
        """Writes the film of a job with the fault of a bad ``day``. Raises InputError, StorageError, Cancelled."""
        source, mask = (Path(record["inputs"].get(role) or "") for role in ("source_video", "mask_video"))
        frames, rate = film_of(source)
        only = film_of(mask)[0] if mask.name else []
        day = "" if day == "uneven" and source.parent.name[-1:] not in {*"02468"} else day
        seed, done = int(record["seed"]), []
        for index, frame in enumerate(frames):
            self.wire.context.cancel.check()
            new = _bad(drawn(frame, seed), day, index / len(frames))
            done.append(_inside(new, frame, only[index]) if index < len(only) else new)
        write_film(path, [done[index] for index in _order(len(done), day)], rate)

    def cancel(self, handle: Handle) -> CancelOutcome:
        """Stops what is not done."""
        write_json(self.spool / RECORD, {**read_json(self.spool / RECORD), "stopped": True})
        return CancelOutcome.REQUESTED


def film_of(path: Path) -> tuple[list[U8], float]:
    """Every frame (H, W, 3) BGR of a clip that was sent, and its rate. Raises InputError for one that can't be read."""
    film = cv2.VideoCapture(str(path))
    rate = film.get(cv2.CAP_PROP_FPS) or 24.0
    frames = list(_frames(film))
    film.release()
    if not frames:
        raise InputError("The clip that was sent can't be read", where=str(path))
    return frames, rate


def _order(count: int, day: str) -> list[int]:
    """Which frame comes when."""
    if day == "short":
        return list(range(max(1, count - 3)))
    return [index - (index % 5 == 4) if day == "retimed" else index for index in range(count)]


def write_film(path: Path, frames: Sequence[U8], rate: float) -> None:
    """A film of frames (H, W, 3) BGR, whole or not there. Raises StorageError."""
    size = (frames[0].shape[1], frames[0].shape[0])
    part = path.with_name(f".{path.name}").with_suffix(".mp4")
    with storage(path):
        out = cv2.VideoWriter(str(part), cv2.VideoWriter.fourcc(*CODEC), rate, size)
        for frame in frames:
            out.write(frame)
        out.release()
        part.replace(path)


def _inside(new: U8, old: U8, mask: U8) -> U8:
    """``new`` where the mask is white, ``old`` elsewhere: what a masked repaint promises."""
    share = cv2.resize(mask, (old.shape[1], old.shape[0]))[..., :1].astype(np.float32) / 255
    return np.asarray(np.rint(new * share + old * (1 - share)), np.uint8)


def _frames(film: "cv2.VideoCapture") -> Iterator[U8]:
    while True:
        there, picture = film.read()
        if not there:
            return
        yield np.asarray(picture, np.uint8)


def drawn(picture: U8, seed: int) -> U8:
    """(H, W, 3) BGR as a flat drawing: surfaces smoothed, tones in steps, dark lines, hues turned by the seed."""
    smooth = cv2.bilateralFilter(cv2.bilateralFilter(picture, 7, 40, 5), 7, 40, 5)
    hsv = cv2.cvtColor(smooth, cv2.COLOR_BGR2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(int) + (seed * 37) % 24 - 12) % 180
    hsv[..., 2] = (hsv[..., 2] // 28) * 28 + 14
    grey = cv2.medianBlur(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), 3)
    lines = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 7, 5)
    flat = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    return np.asarray(np.where(lines[..., None] > 0, flat, flat // 3), np.uint8)


def _bad(picture: U8, day: str, share: float) -> U8:
    high, wide = picture.shape[:2]
    if day == "cropped":
        x, y = round(wide * 0.02), round(high * 0.02)
        return np.asarray(
            cv2.resize(picture[y : high - y, x : wide - x], (wide, high), interpolation=cv2.INTER_CUBIC),
            np.uint8,
        )
    if day == "uneven":
        return np.asarray(np.clip(picture.astype(int) + 20, 0, 255), np.uint8)
    if day == "smeared" and 1 / 3 <= share < 2 / 3:
        out = picture.copy()
        middle = out[high // 3 : 2 * high // 3, wide // 3 : 2 * wide // 3]
        middle[:] = cv2.GaussianBlur(middle, (0, 0), wide / 40)
        return out
    return picture
