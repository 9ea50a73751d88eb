# SPDX-License-Identifier: GPL-3.0-or-later
"""The hand-written timeline read back by OpenTimelineIO itself."""

from fractions import Fraction

import opentimelineio as otio
import pytest
from holdfast.finishing.grade import Grade
from holdfast.finishing.reel import write_reel
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.project import ShotFolder

FINDING = {
    "id": "f1", "part": "peg", "kind": "vanished", "frames": [7, 14], "says": "peg is not there", "crop": ["a", "b"],
}  # fmt: skip
FRAMES = list(range(1, 73))
RATES = [(24, 1), (24000, 1001), (25, 1), (30000, 1001), (30, 1)]


@pytest.fixture
def shot(tmp_path):
    folder = ShotFolder(tmp_path / "lantern.holdfast" / "sh010")
    truth = {"frames": FRAMES, "motion_hash": "m", "colour": {"view": "Standard"}}
    Manifest("holdfast/truth", {}, {}, truth).save(folder.truth / "truth.json")
    for name, parent in (("t001", None), ("t002", "t001")):
        data = {"take": name, "frames": FRAMES, "provider": "rehearsal", "model": "m", "seed": 1, "look": "CEL",
                "prompt_hash": "p", "parent": parent, "spans": []}  # fmt: skip
        Manifest("holdfast/take", {}, {}, data).save(folder.takes / name / "take.json")
    bad = {"take": "t001", "verdict": "fail", "findings": [FINDING]}
    Manifest("holdfast/report", {}, {}, bad).save(folder.reports / "t001" / "report.json")
    return folder


@pytest.mark.parametrize("fps", RATES)
def test_otio_reads_every_track_cut_by_cut(shot, fps):
    path = shot.delivery / "shot.otio"
    write_reel(path, shot, ["t001", "t002"], "t002", (36, 72), fps, Grade(0.2), {"title": "Lantern"})
    timeline = otio.adapters.read_from_file(str(path))
    rate = float(Fraction(*fps))
    names = [track.name for track in timeline.tracks]
    assert names == ["Render", "Take t001", "Take t002 (approved)", "Final"]
    for track in timeline.tracks:
        assert track.duration() == otio.opentime.RationalTime(108, rate)
    final = list(timeline.tracks[3])
    assert [clip.name for clip in final] == ["Title", "sh010 final"]
    assert [clip.duration().value for clip in final] == [36, 72]
    take = timeline.tracks[1][1]
    assert isinstance(timeline.tracks[1][0], otio.schema.Gap)
    media = take.media_reference
    assert isinstance(media, otio.schema.ImageSequenceReference)
    assert media.target_url_for_image_number(0) == "../takes/t001/frames/0001.png"
    assert media.target_url_for_image_number(71) == "../takes/t001/frames/0072.png"
    assert (
        timeline.tracks[0][1].media_reference.target_url_for_image_number(9)
        == "../truth/beauty/beauty.0010.png"
    )
    assert final[1].media_reference.target_url_for_image_number(36) == "comp/0037.png"


def test_findings_are_markers_and_metadata_survives(shot):
    path = shot.delivery / "shot.otio"
    write_reel(path, shot, ["t001", "t002"], "t002", (0, 72), (24, 1), Grade(), {"title": ""})
    timeline = otio.adapters.read_from_file(str(path))
    clip = timeline.tracks[1][0]
    (mark,) = clip.markers
    assert (mark.name, mark.color, mark.comment) == ("peg vanished", "RED", "peg is not there")
    assert (mark.marked_range.start_time.value, mark.marked_range.duration.value) == (7, 8)
    assert clip.metadata["holdfast"]["verdict"] == "fail"
    assert clip.metadata["holdfast"]["prompt_hash"] == "p"
    assert [clip.name for clip in timeline.tracks[3]] == ["sh010 final"]  # no title, no card, no gaps
    assert timeline.metadata["holdfast"]["approved"] == "t002"
    again = otio.adapters.write_to_string(timeline, "otio_json")
    assert otio.adapters.read_from_string(again, "otio_json").is_equivalent_to(timeline)
