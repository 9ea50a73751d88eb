# SPDX-License-Identifier: GPL-3.0-or-later
"""Tencent Cloud's Hunyuan3D: signed requests to one address, every answer of status 200."""

import hashlib
import hmac
import re
import time
from typing import Any

from . import media
from .server import Answer, Loopback, Received, route

PAIRS = {
    "SubmitHunyuanTo3DProJob": "QueryHunyuanTo3DProJob", "SubmitHunyuanTo3DRapidJob": "QueryHunyuanTo3DRapidJob",
    "SubmitTextureTo3DJob": "DescribeTextureTo3DJob", "SubmitReduceFaceJob": "DescribeReduceFaceJob",
    "SubmitAutoRiggingJob": "DescribeAutoRiggingJob",
}  # fmt: skip
CREDENTIAL = re.compile(
    r"TC3-HMAC-SHA256 Credential=(?P<id>[^/]+)/(?P<day>[\d-]+)/(?P<service>\w+)/tc3_request, "
    r"SignedHeaders=(?P<names>[\w;-]+), Signature=(?P<sign>[0-9a-f]{64})"
)


def failed(code: str, message: str) -> Answer:
    return Answer(200, {"Response": {"Error": {"Code": code, "Message": message}, "RequestId": "r"}})


def fine(body: dict[str, Any]) -> Answer:
    return Answer(200, {"Response": {**body, "RequestId": "r"}})


class HunyuanServer(Loopback):
    key = "AKIDloopback:the-secret-key"

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[str, dict[str, Any]] = {}
        self.script = ["WAIT", "RUN", "DONE"]
        self.slots, self.code, self.now = 3, "", time.time
        self.region = "ap-guangzhou"

    def authorised(self, received: Received) -> Answer | None:
        match = CREDENTIAL.fullmatch(received.headers.get("authorization", ""))
        if match is None or match["id"] != self.key.partition(":")[0]:
            return failed("AuthFailure.SecretIdNotFound", "The SecretId is not found")
        stamp = received.headers.get("x-tc-timestamp", "0")
        if abs(self.now() - int(stamp)) > 300:
            return failed("AuthFailure.SignatureExpire", "The request is too old")
        if match["sign"] != self.signature(received, match, stamp):
            return failed("AuthFailure.SignatureFailure", "The signature is not right")
        return None

    def signature(self, received: Received, match: re.Match[str], stamp: str) -> str:
        """As the document computes it."""
        names = match["names"].split(";")
        lines = "".join(f"{name}:{received.headers[name]}\n" for name in names)
        body = hashlib.sha256(received.body).hexdigest()
        canonical = f"{received.method}\n{received.path}\n\n{lines}\n{match['names']}\n{body}"
        scope = f"{match['day']}/{match['service']}/tc3_request"
        text = f"TC3-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = b"TC3" + self.key.partition(":")[2].encode()
        for word in (match["day"], match["service"], "tc3_request", text):
            key = hmac.new(key, word.encode(), hashlib.sha256).digest()
        return key.hex()

    @route("POST", "/")
    def act(self, received: Received) -> Answer:
        action, body = received.headers.get("x-tc-action", ""), received.json
        if received.headers.get("x-tc-version") != "2025-05-13":
            return failed("NoSuchVersion", "The version is not there")
        if received.headers.get("x-tc-region") != self.region:
            return failed("UnsupportedRegion", "The region is not there")
        if action in PAIRS:
            return self.submit(action, body)
        return (
            self.look(action, body) if action in PAIRS.values() else failed("InvalidAction", "No such action")
        )

    def submit(self, action: str, body: dict[str, Any]) -> Answer:
        pictures = [key for key in ("ImageUrl", "ImageBase64", "Image") if body.get(key)]
        if "To3D" in action and not body.get("Prompt") and not pictures:
            return failed("InvalidParameter", "Prompt or image is required")
        if body.get("Prompt") and pictures and body.get("GenerateType") != "Sketch":
            return failed("InvalidParameter", "Prompt and image exclude each other")
        if action in ("SubmitTextureTo3DJob", "SubmitReduceFaceJob", "SubmitAutoRiggingJob") and not body.get(
            "File3D"
        ):
            return failed("InvalidParameter", "File3D is required")
        if sum(job["status"] in ("WAIT", "RUN") for job in self.jobs.values()) >= self.slots:
            return failed("RequestLimitExceeded.JobNumExceed", "Too many jobs at once")
        if self.code:
            return failed(self.code, "It was refused")
        name = str(1400000000 + len(self.jobs))
        self.jobs[name] = {"query": PAIRS[action], "polls": 0, "status": "WAIT", "body": body}
        return fine({"JobId": name})

    def look(self, action: str, body: dict[str, Any]) -> Answer:
        job = self.jobs.get(body.get("JobId", ""))
        if job is None or job["query"] != action:
            return failed("ResourceNotFound", "The job does not exist")
        job["status"] = self.script[min(job["polls"], len(self.script) - 1)]
        job["polls"] += 1
        answer: dict[str, Any] = {
            "Status": job["status"],
            "ErrorCode": "",
            "ErrorMessage": "",
            "ResultFile3Ds": [],
        }
        if job["status"] == "FAIL":
            answer.update(ErrorCode="FailedOperation.InnerError", ErrorMessage="nothing came of it")
        if job["status"] == "DONE":
            files = [("OBJ", "r.zip"), ("GLB", "r.glb")]
            answer["ResultFile3Ds"] = [
                {
                    "Type": kind,
                    "Url": f"{self.url}/files/{name}",
                    "PreviewImageUrl": f"{self.url}/files/p.png",
                }
                for kind, name in files
            ]
            if "Pro" in action:
                answer["ResultCreditConsumed"] = 20
        return fine(answer)

    @route("GET", r"/files/(?P<name>.+)")
    def file(self, received: Received, name: str) -> Answer:
        return Answer(
            body=media.glb() if name.endswith("glb") else media.zipped("r.obj"), headers={"ETag": '"1"'}
        )
