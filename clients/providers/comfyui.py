# SPDX-License-Identifier: GPL-3.0-or-later
"""ComfyUI, a server of one's own: a person's workflow with our clips, words and numbers in it."""

import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from requests.auth import AuthBase

from ...pipeline.errors import InputError, ProviderBusy, ProviderRejected, Refused, Uncertain
from ...pipeline.sniff import SUFFIX
from ...pipeline.store import hash_file
from ..adapter import GONE_AFTER_S, Adapter, media_type
from ..auth import Nobody
from ..calls import Call, Part, Reply
from ..contract import CancelOutcome, Failure, FailureKind, Handle, JobSpec, MediaRef, Output, Snapshot, State
from .comfyui_partner import FIELD, MARK, Signed, partners
from .comfyui_progress import forget, progress_of
from .comfyui_says import of_execution, of_prompt, of_skipped
from .comfyui_workflow import Workflow, bound, find_node, own_titles, read_workflow, title_of

OURS = ("workflow", "bind", "output", "control")
"""Options that say how to run, and are not values for the workflow."""
FRAMES_MAX = 2000


def auth(keys: Mapping[str, str], settings: Mapping[str, Any]) -> AuthBase:
    """ComfyUI asks for nothing; a key is for a proxy in front of it, another one for partner nodes."""
    return Signed(keys) if any(keys.values()) else Nobody()


class ComfyUI(Adapter):
    """Any workflow in API format."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._titles: dict[str, str] = {}
        self._wanted: list[str] = []
        self._stopped: set[str] = set()

    # -- files ----------------------------------------------------------------------------------------------------

    def put(self, path: Path, role: str) -> MediaRef:
        """Into the server's input folder; a folder of numbered pictures as a folder there. A file that is there already
        under the same name is the same file: names are made of the content."""
        try:
            if not path.is_dir():
                return MediaRef(
                    "asset_id", self._uploaded(path, f"holdfast_{hash_file(path)[:16]}", ""), role
                )
            frames = sorted(
                each for each in path.iterdir() if each.suffix.lower() in (".png", ".exr", ".jpg")
            )
            if not 0 < len(frames) <= FRAMES_MAX:
                raise InputError(
                    f"{path.name} has {len(frames)} pictures, not 1 to {FRAMES_MAX}", where=str(path)
                )
            folder = f"holdfast_{uuid4().hex[:16]}"
            for number, frame in enumerate(frames):
                self._uploaded(frame, f"{number:05d}", folder)
        except OSError as error:
            raise InputError(f"Can't read {path.name}: {error.strerror}", where=str(path)) from error
        return MediaRef("asset_id", folder, role)

    def _uploaded(self, path: Path, stem: str, folder: str) -> str:
        reply = self.wire.ask(self.upload_call(path, stem + path.suffix.lower(), folder))
        if not reply.ok:
            self.reject(reply)
        name = reply.table.get("name")
        if not isinstance(name, str) or not name:
            raise ProviderRejected("ComfyUI took the file but gave it no name", where=path.name)
        below = str(reply.table.get("subfolder") or "")
        return f"{below}/{name}" if below else name

    def upload_call(self, path: Path, name: str, folder: str = "") -> Call:
        """Pictures and clips alike go by /upload/image."""
        form = {"type": "input", "subfolder": folder, "overwrite": "true"}
        return Call("POST", "upload/image", form=form, parts=(Part("image", name, path, media_type(path)),))

    # -- the job --------------------------------------------------------------------------------------------------

    def option(self, job: JobSpec, name: str) -> Any:
        """The job's own choice, else the service's setting."""
        return job.options.get(name) or self.settings.get(name)

    def values(self, job: JobSpec, known: Collection[str] = ()) -> dict[str, Any]:
        """All that is to go into the workflow, by name. Several inputs of a role are role, role_2, ...; control clips go
        by what the option ``control`` says they are, if that is ``known`` to have a place."""
        found: dict[str, Any] = {}
        for role in dict.fromkeys(ref.role for ref in job.inputs):
            for number, ref in enumerate(job.all(role), 1):
                found[role if number == 1 else f"{role}_{number}"] = ref.value
        kinds = job.options.get("control") or []
        for number, kind in enumerate([kinds] if isinstance(kinds, str) else kinds, 1):
            role = "control_video" if number == 1 else f"control_video_{number}"
            if role in found and kind in known:
                found[str(kind)] = found.pop(role)
        if job.prompt:
            found["prompt"] = job.prompt
        if job.seed is not None:
            found["seed"] = job.seed
        return found | {name: value for name, value in job.options.items() if name not in OURS}

    def _read(self, job: JobSpec) -> Workflow:
        """The person's workflow, and what must be remembered of it."""
        workflow = read_workflow(self.option(job, "workflow"))
        wanted = self.option(job, "output") or []
        names = [wanted] if isinstance(wanted, str) else list(wanted)
        self._wanted = [find_node(workflow, str(name)) for name in names]
        self._titles = {number: title_of(workflow, number) for number in workflow}
        return workflow

    def create(self, job: JobSpec) -> Call:
        workflow, places = self._read(job), self.option(job, "bind") or {}
        made = bound(workflow, places, self.values(job, {*places, *own_titles(workflow)}))
        number = job.own_id or str(uuid4())
        body: dict[str, Any] = {"prompt": made, "client_id": number, "prompt_id": number}
        signs = self.wire.auth
        if isinstance(signs, Signed) and signs.account and partners(self.wire.ask, self.wire.base, made):
            body["extra_data"] = {FIELD: MARK}
        return Call("POST", "prompt", json=body)

    def submit(self, job: JobSpec) -> Handle:
        """Listens before it sends, so that no progress is missed."""
        if job.own_id:
            progress_of(self.wire, job.own_id).listen()
        try:
            return super().submit(job)
        except ProviderRejected:
            forget(self.wire, job.own_id)
            raise

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        number = reply.table.get("prompt_id")
        skipped = of_skipped(reply.table.get("node_errors"), self._titles)
        return self.handle(number, titles=self._titles, outputs=self._wanted, skipped=skipped)

    def status(self, handle: Handle) -> Call:
        return Call("GET", f"history/{handle.job_id}")

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        entry = reply.table.get(handle.job_id)
        if not isinstance(entry, dict):
            return Snapshot(State.UNKNOWN)
        told = entry.get("status")
        status = told if isinstance(told, dict) else {}
        if status.get("status_str") == "error" or status.get("completed") is False:
            stopped, failure = of_execution(status, handle.raw.get("titles") or {})
            return Snapshot(
                State.CANCELLED if stopped else State.FAILED,
                failure=self.failure(failure.kind, failure.says, billed=False),
            )
        outputs = self._outputs(entry.get("outputs"), handle)
        if not outputs:
            says = "finished without a file. If it made exactly this before, it may not have done it again: change the seed"
            if skipped := handle.raw.get("skipped"):
                says = f"finished without a file. It left out {skipped}"
            return Snapshot(
                State.FAILED, failure=self.failure(FailureKind.PROVIDER_INTERNAL, says, billed=False)
            )
        return Snapshot(State.SUCCEEDED, 1.0, outputs=outputs)

    def _outputs(self, told: Any, handle: Handle) -> tuple[Output, ...]:
        nodes = told if isinstance(told, dict) else {}
        wanted = handle.raw.get("outputs") or sorted(nodes, key=_by_number)
        files = [each for number in wanted for each in _files(nodes.get(number))]
        suffixes = {SUFFIX[kind] for kind in self.model.output.kinds} | {".jpeg", ".m4v"}
        files = [each for each in files if Path(each["filename"]).suffix.lower() in suffixes]
        files = [each for each in files if each.get("type") != "temp"] or files
        digits = max(2, len(str(len(files) - 1)))
        found = []
        for number, each in enumerate(files):
            query = {name: str(each.get(name) or "") for name in ("filename", "subfolder", "type")}
            ref = MediaRef("vendor_uri", f"view?{urlencode(query)}", "result")
            found.append(Output(f"{number:0{digits}d}", ref, "application/octet-stream"))
        return tuple(found)

    def poll(self, handle: Handle) -> Snapshot:
        """/history says what has ended, /queue what has not; what is in neither twice is gone: a restart forgets all."""
        snapshot = self.snapshot(self._asked(self.status(handle)), handle)
        if snapshot.state is State.UNKNOWN:
            state, ahead = self._place(handle.job_id)
            if state is State.RUNNING:
                heard = progress_of(self.wire, handle.job_id)
                heard.nodes = len(handle.raw.get("titles") or {})
                return Snapshot(State.RUNNING, heard.heard())
            if state is State.QUEUED:
                return Snapshot(State.QUEUED, queue_position=ahead)
            snapshot = self.snapshot(self._asked(self.status(handle)), handle)  # it may have ended in between
        if snapshot.state is State.UNKNOWN:
            return self._gone(handle)
        forget(self.wire, handle.job_id)
        return snapshot

    def _gone(self, handle: Handle) -> Snapshot:
        if handle.job_id in self._stopped:
            return Snapshot(State.CANCELLED)
        says = "no longer knows the job: it was restarted, or the job was taken from its queue"
        failure = self.failure(FailureKind.NOT_FOUND, says, billed=False)
        late = time.time() - handle.created_at < GONE_AFTER_S
        return Snapshot(State.UNKNOWN if late else State.EXPIRED, failure=failure)

    def _asked(self, call: Call) -> Reply:
        reply = self.wire.ask(call)
        if not reply.ok:
            failure = self.why(reply)
            passing = (
                reply.status in (401, 402, 403, 404, 429) or reply.status >= 500
            )  # a key may be put right
            raise (ProviderBusy if passing else ProviderRejected)(failure.says)
        return reply

    def _place(self, number: str) -> tuple[State, int]:
        """Running, or queued behind how many; UNKNOWN if it is in neither list."""
        table = self._asked(Call("GET", "queue")).table
        if any(each[1] == number for each in _entries(table.get("queue_running"))):
            return State.RUNNING, 0
        waiting = sorted(_entries(table.get("queue_pending")), key=lambda each: float(each[0]))
        for ahead, each in enumerate(waiting):
            if each[1] == number:
                return State.QUEUED, ahead
        return State.UNKNOWN, 0

    def cancel(self, handle: Handle) -> CancelOutcome:
        """Out of the queue if it waits there; interrupted only if it is what runs, since old servers stop whatever does."""
        state, _ = self._place(handle.job_id)
        if state is State.QUEUED:
            self._asked(Call("POST", "queue", json={"delete": [handle.job_id]}))
            state, _ = self._place(handle.job_id)  # it may have begun meanwhile
        if state is State.RUNNING:
            with suppress(Uncertain):  # once: a second one might stop what comes next
                self.wire.send(Call("POST", "interrupt", json={"prompt_id": handle.job_id}))
        elif state is State.UNKNOWN and self._asked(self.status(handle)).table:
            return CancelOutcome.TOO_LATE
        self._stopped.add(handle.job_id)
        return CancelOutcome.REQUESTED

    def find(self, job: JobSpec, since: float) -> Handle | None:
        """By the id that we gave it."""
        if not job.own_id:
            raise Refused("The job has no id to look for", todo="Look at the queue in ComfyUI.")
        for _ in range(2):  # between the two questions it may move from the queue to the history
            queued = self._place(job.own_id)[0] is not State.UNKNOWN
            if queued or self._asked(Call("GET", f"history/{job.own_id}")).table:
                with suppress(InputError):  # the file may be gone; the job is there all the same
                    self._read(job)
                return self.handle(job.own_id, titles=self._titles, outputs=self._wanted, skipped="")
        return None

    def why(self, reply: Reply) -> Failure:
        if reply.status == 400 and (
            "node_errors" in reply.table or isinstance(reply.table.get("error"), dict)
        ):
            failure = of_prompt(reply.table, self._titles)
            return self.failure(failure.kind, failure.says, billed=False)
        return super().why(reply)


def _by_number(number: str) -> tuple[int, str]:
    return (int(number), "") if number.isdigit() else (1 << 30, number)


def _entries(told: Any) -> list[list[Any]]:
    """[number, id, ...] of a queue, whatever else stands there."""
    lists: Iterable[Any] = told if isinstance(told, list) else ()
    return [
        each
        for each in lists
        if isinstance(each, list) and len(each) >= 2 and isinstance(each[0], int | float)
    ]


def _files(told: Any) -> list[dict[str, Any]]:
    """Every file that a node names, under whatever word (images, gifs, video, audio, 3d)."""
    lists = told.values() if isinstance(told, dict) else ()
    return [
        each
        for files in lists
        if isinstance(files, list)
        for each in files
        if isinstance(each, dict) and isinstance(each.get("filename"), str)
    ]
