# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker task of Repair on files: what it writes, what it leaves alone, and how it goes on after it was killed."""

import numpy as np
import pytest
from holdfast.finishing import repair
from holdfast.finishing.plan import Circumstances, make_plan
from holdfast.pipeline.context import CancelToken, Context
from holdfast.pipeline.errors import Cancelled
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.take import TakeFolder

from .finishing_jobs import difference, inside
from .finishing_scene import drawing, write_take, write_truth

FRAMES = tuple(range(2, 10))
LOST = 5


@pytest.fixture(scope="module")
def shot(tmp_path_factory):
    root = tmp_path_factory.mktemp("shot")
    write_truth(root / "truth", FRAMES)
    pictures = {frame: drawing(frame, ball=frame != LOST) for frame in FRAMES}
    take = write_take(root / "takes" / "t001", pictures)
    findings = [
        {"id": "f01", "part": "ball", "kind": "vanished", "frames": [LOST, LOST], "severity": "major", "value": 1, "limit": 0.8},
        {"id": "f02", "part": "", "kind": "palette", "frames": [2, 9], "severity": "major", "value": 5, "limit": 1},
    ]  # fmt: skip
    data = {"take": "t001", "verdict": "fail", "findings": findings, "frame_map": [[f, f] for f in FRAMES]}
    report = Manifest("holdfast/report", {}, {"take": take.digest}, data)
    report.save(root / "reports" / "t001" / "report.json")
    make_plan(report, take, Circumstances(2, providers=())).save(root / "reports" / "t001" / "plan.json")
    return root


def request(shot, name):
    reports = shot / "reports" / "t001"
    return {
        "truth": str(shot / "truth"), "parent": str(shot / "takes" / "t001"), "plan": str(reports / "plan.json"),
        "report": str(reports / "report.json"), "out": str(shot / "takes" / name), "reruns": [],
    }  # fmt: skip


def test_a_take_is_repaired_after_it_was_killed(shot):
    token, done = CancelToken(), []

    def watch(fraction, message):
        done.append(message)
        if message.startswith("Putting back ball, frame 3"):
            token.cancel()

    with pytest.raises(Cancelled):
        repair.run(request(shot, "t002"), Context(watch, cancel=token))
    kept = sorted((shot / "takes" / "t002" / "steps").rglob("*.png"))
    stamps = {path: path.stat().st_mtime_ns for path in kept}
    assert kept and not (shot / "takes" / "t002" / "take.json").exists()
    inode = {path.name: path.stat().st_ino for path in kept}
    result = repair.run(request(shot, "t002"), Context())
    take = TakeFolder.open(shot / "takes" / "t002")
    assert stamps and all(take.path(int(name[:4])).stat().st_ino == inode[name] for name in inode)
    assert not (shot / "takes" / "t002" / "steps").exists()
    assert result["take"] == "t002" and take.frames == FRAMES and take.manifest.data["parent"] == "t001"
    error = difference(take.frame(LOST), drawing(LOST), inside(LOST, 0.5))
    print(f"put back within {error:.2f} dE")
    assert error < 6
    span = take.manifest.data["spans"][0]
    assert span["kind"] == "restore_part" and span["from"] == "take" and span["parent"] == "t001"
    untouched = FRAMES[0]
    parent = TakeFolder.open(shot / "takes" / "t001")
    assert take.path(untouched).samefile(parent.path(untouched))
    assert np.array_equal(parent.frame(LOST), drawing(LOST, ball=False))
    assert "put back" in take.manifest.data["summary"]
