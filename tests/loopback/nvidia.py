# SPDX-License-Identifier: GPL-3.0-or-later
"""A NIM as documented: one synchronous /v1/infer that refuses unknown fields, health, and results as base64."""

import base64
from typing import Any

from .media import glb, mp4
from .server import Answer, Loopback, Received, route

COSMOS3 = {
    "model_mode", "prompt", "negative_prompt", "input_reference", "transfer", "resolution", "num_frames", "fps",
    "num_inference_steps", "guidance_scale", "flow_shift", "seed", "condition_frame_indexes_vision", "condition_video_keep",
}  # fmt: skip
TRANSFER = {"edge", "blur", "depth", "seg", "wsm", "control_guidance", "num_conditional_frames",
            "num_first_chunk_conditional_frames", "num_video_frames_per_chunk"}  # fmt: skip
PREDICT1 = {"prompt", "negative_prompt", "image", "video", "prompt_upsampling", "seed", "guidance_scale"}
TRELLIS = {"mode", "prompt", "image", "ss_cfg_scale", "slat_cfg_scale", "ss_sampling_steps", "slat_sampling_steps",
           "samples", "no_texture", "seed", "output_format", "multiimage_algo"}  # fmt: skip
NEEDS = {"text2video": False, "text2image": False, "image2video": True, "video2video": True}


class NIM(Loopback):
    """``serves`` one model; ``ready`` once it has loaded; ``keyed`` as the hosted service; ``finish`` of an artifact."""

    def __init__(self, serves: str = "cosmos3") -> None:
        super().__init__()
        self.serves, self.ready, self.keyed, self.finish = serves, True, False, "SUCCESS"

    def authorised(self, received: Received) -> Answer | None:
        if not self.keyed or received.headers.get("authorization") == f"Bearer {self.key}":
            return None
        return Answer(
            401,
            {
                "type": "about:blank",
                "status": 401,
                "title": "Unauthorized",
                "detail": "Authentication failed",
            },
        )

    @route("GET", "/v1/health/ready")
    def health(self, received: Received) -> Answer:
        if self.ready:
            return Answer(200, {"description": "Triton readiness check", "status": "ready"})
        return Answer(503, {"description": "Triton readiness check", "status": "not ready"})

    @route("POST", "/v1/genai/microsoft/trellis")
    def hosted(self, received: Received) -> Answer:
        return self._trellis(received.json)

    @route("POST", "/v1/infer")
    def infer(self, received: Received) -> Answer:
        body = received.json
        if self.serves == "trellis":
            return self._trellis(body)
        known = COSMOS3 if self.serves == "cosmos3" else PREDICT1
        if strange := sorted(set(body) - known):
            return refused(strange[0], "Extra inputs are not permitted", "extra_forbidden")
        if not body.get("prompt") or len(body["prompt"].split()) > 250:
            return refused("prompt", "up to 250 words", "value_error")
        if "unsafe" in body["prompt"]:
            return Answer(400, {"detail": "Guardrail blocked the prompt"})
        if self.serves == "cosmos3" and (wrong := self._cosmos3(body)) is not None:
            return wrong
        return Answer(200, {"b64_video": base64.b64encode(mp4()).decode(), "seed": body.get("seed", 4)})

    def _cosmos3(self, body: dict[str, Any]) -> Answer | None:
        mode, transfer = body.get("model_mode"), body.get("transfer")
        if mode not in NEEDS:
            return refused("model_mode", "Input should be text2image, text2video, ...", "literal_error")
        if transfer is not None:
            if strange := sorted(set(transfer) - TRANSFER):
                return refused(f"transfer.{strange[0]}", "Extra inputs are not permitted", "extra_forbidden")
            controls = set(transfer) & {"edge", "blur", "depth", "seg", "wsm"}
            if not controls:
                return refused("transfer", "At least one control must be enabled", "value_error")
            for name in controls:
                derived = name in ("edge", "blur") and "input_reference" in body
                if not derived and not str(transfer[name].get("video", "")).startswith(
                    ("data:video/", "https://")
                ):
                    return refused(f"transfer.{name}.video", "Field required", "missing")
        elif NEEDS[mode] != ("input_reference" in body):
            return refused("input_reference", "required or forbidden by model_mode", "value_error")
        return None

    def _trellis(self, body: dict[str, Any]) -> Answer:
        if strange := sorted(set(body) - TRELLIS):
            return refused(strange[0], "Extra inputs are not permitted", "extra_forbidden")
        if ("image" in body) != (body.get("mode") == "image"):
            return refused("image", "mode and image do not fit", "value_error")
        if "image" in body and not str(body["image"]).startswith("data:image/"):
            return refused("image", "not a data URI", "value_error")
        content = "" if self.finish != "SUCCESS" else base64.b64encode(glb()).decode()
        return Answer(
            200,
            {"artifacts": [{"base64": content, "finishReason": self.finish, "seed": body.get("seed", 0)}]},
        )


def refused(name: str, msg: str, kind: str) -> Answer:
    """FastAPI's 422."""
    return Answer(422, {"detail": [{"loc": ["body", *name.split(".")], "msg": msg, "type": kind}]})
