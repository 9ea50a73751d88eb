# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker task of Repair on files: what it writes, what it leaves alone, and how it goes on after it was killed."""

import numpy as np
import pytest
from holdfast.finishing import deflicker, repair
from holdfast.finishing.job import Job, Refused
from holdfast.finishing.plan import Action, Circumstances, make_plan
from holdfast.pipeline.context import CancelToken, Context
from holdfast.pipeline.errors import Cancelled
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.take import TakeFolder
from holdfast.pipeline.truth import GroundTruth

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


class _Restless:
    """A mender whose part changes by ``after`` dE from frame to frame where it changed by ``before``."""

    frames = ()

    def __init__(self, before, after):
        self.before, self.after = before, after

    def unrest(self, picture_of):
        return self.before if picture_of is BELOW else self.after

    def mend(self, frame):
        return drawing(frame)

    def record(self):
        return {}


def BELOW(frame):
    return drawing(frame)


@pytest.mark.parametrize(("before", "after", "kept"), [(2.0, 0.5, True), (2.0, 2.0, True), (2.0, 2.4, False)])
def test_an_action_that_would_do_harm_by_its_own_measure_is_dropped(before, after, kept):
    action = Action("f01", "deflicker", "ball", (3, 4), 1, "flicker", "")
    task = Job(None, FRAMES, BELOW, {}, action, {}, {})
    if kept:
        assert repair._steadier(_Restless(before, after), task, drawing) == {"unrest": [before, after]}
    else:
        with pytest.raises(Refused, match="from frame to frame"):
            repair._steadier(_Restless(before, after), task, drawing)


def test_a_flicker_that_is_none_is_left_alone(shot):
    """Nothing flickers in a take but its true light: what Deflicker would change must not get past its own measure."""
    truth = GroundTruth.open(str(shot / "truth"))
    action = Action("f01", "deflicker", "ball", (4, 6), 1, "flicker", "")
    task = Job(truth, FRAMES, BELOW, {"ball": {4, 5, 6}}, action, {"findings": []}, {})
    mender = deflicker.mender(task)
    made = {frame: mender.mend(frame) for frame in mender.frames}
    change = max(difference(made[f], drawing(f), inside(f)) for f in made)
    print(f"a steady part was changed by {change:.2f} dE")
    assert change < 1
