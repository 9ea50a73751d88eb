# SPDX-License-Identifier: GPL-3.0-or-later
"""ComfyUI's own server as its source says: a queue in memory, a history, files, and a websocket that tells progress."""

import base64
import hashlib
import json
import socket
import struct
from contextlib import suppress
from typing import Any

from .media import glb, mp4, png
from .server import Answer, Loopback, Received, route

NODES = {
    "LoadImage": ("image",), "VHS_LoadVideo": ("video",), "CLIPTextEncode": ("text", "clip"),
    "CheckpointLoaderSimple": ("ckpt_name",), "EmptyLatentImage": ("width", "height", "batch_size"),
    "KSampler": ("seed", "steps", "cfg", "sampler_name", "scheduler", "denoise", "model", "positive", "negative", "latent_image"),
    "VAEDecode": ("samples", "vae"), "SaveImage": ("images", "filename_prefix"), "VHS_LoadImages": ("directory",),
    "VHS_VideoCombine": ("images", "frame_rate"), "PreviewImage": ("images",), "KlingVideoNode": ("prompt",), "SaveGLB": ("mesh",),
}  # fmt: skip
SAVERS = ("SaveImage", "VHS_VideoCombine", "PreviewImage", "SaveGLB")
PARTNERS = ("KlingVideoNode",)
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class ComfyUI(Loopback):
    """A job waits ``waits`` looks at the queue, runs ``runs`` of them, then ends by ``ending`` (success, interrupted, or
    an execution_error's fields). ``restart`` forgets the queue; ``old`` ignores the body of /interrupt."""

    def __init__(self) -> None:
        super().__init__()
        self.input: dict[str, bytes] = {}
        self.pending: list[list[Any]] = []
        self.running: list[list[Any]] = []
        self.history: dict[str, Any] = {}
        self.waits, self.runs, self.old = 1, 1, False
        self.ending: str | dict[str, Any] = "success"
        self.models = ("wan_vace.safetensors",)
        self.number = 0
        self.sockets: dict[str, socket.socket] = {}
        self.heard: list[bytes] = []
        self.told: list[bytes] = []

    def authorised(self, received: Received) -> Answer | None:
        return None

    def restart(self) -> None:
        """All that was in memory is gone."""
        self.pending, self.running, self.history = [], [], {}

    # -- files ----------------------------------------------------------------------------------------------------

    @route("POST", "/upload/image")
    def upload(self, received: Received) -> Answer:
        fields = {name: (file, content) for name, file, _, content in received.parts}
        if "image" not in fields:
            return Answer(400)
        name, content = fields["image"]
        folder = fields.get("subfolder", ("", b""))[1].decode()
        path = f"{folder}/{name}" if folder else name
        if fields.get("overwrite", ("", b""))[1] != b"true" and path in self.input:
            name = name.replace(".", " (1).")
        self.input[f"{folder}/{name}" if folder else name] = content
        return Answer(200, {"name": name, "subfolder": folder, "type": "input"})

    @route("GET", "/view")
    def view(self, received: Received) -> Answer:
        name = received.query["filename"]
        made = {".png": png(), ".mp4": mp4(), ".glb": glb()}
        if name.startswith("gone") or received.query["type"] not in ("output", "temp"):
            return Answer(404)
        return Answer(body=made[name[name.rindex(".") :]])

    @route("GET", "/object_info/(?P<name>[^/]+)")
    def object_info(self, received: Received, name: str) -> Answer:
        """What a class of nodes is; partner nodes say so."""
        partner = {"api_node": True} if name in PARTNERS else {}
        return Answer(200, {name: {"name": name, **partner}} if name in NODES else {})

    # -- jobs -----------------------------------------------------------------------------------------------------

    @route("POST", "/prompt")
    def prompt(self, received: Received) -> Answer:
        body = received.json
        if "prompt" not in body:
            return Answer(400, {"error": {"type": "no_prompt", "message": "No prompt provided", "details": "",
                                          "extra_info": {}}, "node_errors": {}})  # fmt: skip
        workflow = body["prompt"]
        for number, node in workflow.items():
            if node["class_type"] not in NODES:
                return Answer(400, {"error": {
                    "type": "invalid_prompt", "details": f"Node ID '#{number}'", "extra_info": {},
                    "message": f"Cannot execute because node {node['class_type']} does not exist."}, "node_errors": {}})  # fmt: skip
        if not any(node["class_type"] in SAVERS for node in workflow.values()):
            return Answer(400, {"error": {"type": "prompt_no_outputs", "message": "Prompt has no outputs",
                                          "details": "", "extra_info": {}}, "node_errors": {}})  # fmt: skip
        wrong = {number: made for number, node in workflow.items() if (made := self._wrong(node))}
        if wrong:
            return Answer(400, {"error": {"type": "prompt_outputs_failed_validation", "details": "", "extra_info": {},
                                          "message": "Prompt outputs failed validation"}, "node_errors": wrong})  # fmt: skip
        self.number += 1
        given = body.get("prompt_id") or f"made-{self.number}"
        self.pending.append([self.number, given, workflow, {"client_id": body.get("client_id")}, ["9"]])
        return Answer(200, {"prompt_id": given, "number": self.number, "node_errors": {}})

    def _wrong(self, node: dict[str, Any]) -> dict[str, Any] | None:
        given = node["inputs"]
        missing = [name for name in NODES[node["class_type"]] if name not in given]
        errors = [
            problem("required_input_missing", "Required input is missing", name, name) for name in missing
        ]
        if "ckpt_name" in given and given["ckpt_name"] not in self.models:
            details = f"ckpt_name: '{given['ckpt_name']}' not in {list(self.models)}"
            errors.append(
                problem("value_not_in_list", "Value not in list", details, "ckpt_name", given["ckpt_name"])
            )
        for name in ("image", "video"):
            if isinstance(given.get(name), str) and given[name] not in self.input:
                details = f"{name} - Invalid {name} file: {given[name]}"
                errors.append(
                    problem("custom_validation_failed", "Custom validation failed for node", details, name)
                )
        return (
            {"errors": errors, "dependent_outputs": ["9"], "class_type": node["class_type"]}
            if errors
            else None
        )

    @route("GET", "/queue")
    def queue(self, received: Received) -> Answer:
        answer = Answer(
            200, {"queue_running": list(self.running), "queue_pending": list(reversed(self.pending))}
        )
        if self.running:
            self.runs -= 1
            if self.runs < 0:
                self._end(self.running.pop(), self.ending)
        elif self.pending:
            self.waits -= 1
            if self.waits < 0:
                self.running.append(self.pending.pop(0))
        return answer

    def _end(self, entry: list[Any], ending: str | dict[str, Any]) -> None:
        messages: list[list[Any]] = [["execution_start", {"prompt_id": entry[1], "timestamp": 1}]]
        outputs: dict[str, Any] = {}
        if ending == "success":
            outputs = self._outputs(entry[2])
            messages.append(["execution_success", {"prompt_id": entry[1]}])
        elif ending == "interrupted":
            messages.append(
                ["execution_interrupted", {"prompt_id": entry[1], "node_id": "3", "node_type": "KSampler"}]
            )
        elif isinstance(ending, dict):
            messages.append(["execution_error", {"prompt_id": entry[1], **ending}])
        ok = ending == "success"
        status = {"status_str": "success" if ok else "error", "completed": ok, "messages": messages}
        self.history[entry[1]] = {"prompt": entry, "outputs": outputs, "status": status, "meta": {}}

    def _outputs(self, workflow: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for number, node in workflow.items():
            file = {"subfolder": "", "type": "output"}
            if node["class_type"] == "SaveImage":
                prefix = node["inputs"]["filename_prefix"]
                made[number] = {"images": [{"filename": f"{prefix}_{n:05d}_.png", **file} for n in (1, 2)]}
            if node["class_type"] == "VHS_VideoCombine":
                made[number] = {"gifs": [{"filename": "shot_00001.mp4", "format": "video/h264-mp4", **file}]}
            if node["class_type"] == "PreviewImage":
                made[number] = {"images": [{"filename": "look.png", "subfolder": "", "type": "temp"}]}
            if node["class_type"] == "SaveGLB":
                made[number] = {"3d": [{"filename": "mesh.glb", **file}], "text": ["done"]}
        return made

    @route("GET", "/history/(?P<number>[^/]+)")
    def record(self, received: Received, number: str) -> Answer:
        return Answer(200, {number: self.history[number]} if number in self.history else {})

    @route("POST", "/queue")
    def change_queue(self, received: Received) -> Answer:
        gone = received.json.get("delete", [])
        self.pending = [each for each in self.pending if each[1] not in gone]
        return Answer(200)

    @route("POST", "/interrupt")
    def interrupt(self, received: Received) -> Answer:
        wanted = (received.json or {}).get("prompt_id")
        if self.running and (self.old or wanted in (None, self.running[0][1])):
            self._end(self.running.pop(), "interrupted")
        return Answer(200)

    # -- progress -------------------------------------------------------------------------------------------------

    @route("GET", "/ws")
    def websocket(self, received: Received) -> Answer:
        key = received.headers.get("sec-websocket-key", "")
        if received.headers.get("upgrade", "").lower() != "websocket" or len(base64.b64decode(key)) != 16:
            return Answer(400)
        accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
        headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept}

        def talk(connection: socket.socket) -> None:
            self.sockets[received.query.get("clientId", "")] = connection
            status = {"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 1}}, "sid": "x"}}
            connection.sendall(frame(json.dumps(status).encode()) + b"".join(self.told))
            with suppress(OSError):
                while chunk := connection.recv(4096):
                    self.heard.append(chunk)

        return Answer(101, headers=headers, talk=talk)


def frame(content: bytes, kind: int = 1, *, last: bool = True) -> bytes:
    """A frame as a server sends it."""
    head = bytes([(0x80 if last else 0) | kind])
    if len(content) < 126:
        return head + bytes([len(content)]) + content
    if len(content) < 1 << 16:
        return head + b"\x7e" + struct.pack(">H", len(content)) + content
    return head + b"\x7f" + struct.pack(">Q", len(content)) + content


def tell(kind: str, **data: Any) -> bytes:
    """A message of ComfyUI's as a frame."""
    return frame(json.dumps({"type": kind, "data": data}).encode())


def problem(kind: str, message: str, details: str, name: str, got: Any = None) -> dict[str, Any]:
    """One complaint about an input."""
    extra = {"input_name": name, "received_value": got}
    return {"type": kind, "message": message, "details": details, "extra_info": extra}
