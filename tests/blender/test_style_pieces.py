# SPDX-License-Identifier: GPL-3.0-or-later
"""Style of a shot that is longer than the model takes: clips and a job for each piece, one price, one take."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import bpy
import pytest
from holdfast.clients.registry import catalogue
from holdfast.operators import clips, drive, encoders, locate, remote_jobs, steps, style, style_remote
from holdfast.operators import truth as truth_stage
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError, ProviderRejected, Refused
from holdfast.pipeline.jobs import JobStore, Step
from holdfast.pipeline.take import TakeFolder

pytestmark = pytest.mark.sweep

PURE = Path(__file__).parents[1] / "pure"
spec = importlib.util.spec_from_file_location("clip_truth", PURE / "clip_truth.py")
analytic = importlib.util.module_from_spec(spec)
spec.loader.exec_module(analytic)
analytic.FINE = 1  # edges need not be fine here
FRAMES, SHORT = 20, "rehearsal_remote/flat-drawing-short"


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    """The package and, once they are made, the control clips: the same for all tests."""
    folder = tmp_path_factory.mktemp("kept")
    views = [analytic.View((0.01 * i, 0, 0.02 * i)) for i in range(FRAMES)]
    analytic.write(folder / "truth", views, fps=(24, 1))
    return folder


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: Path) -> bpy.types.Scene:
    """A saved scene of 20 frames and the rehearsal that takes 13 at once."""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    fresh = steps.Stage("truth", "", truth_stage.STAGE.run, lambda scene, shot: steps.StageState("fresh", ""))
    monkeypatch.setattr(truth_stage, "STAGE", fresh)
    monkeypatch.setattr(clips, "encoders", lambda: {**encoders.encoders(), "ffmpeg": []})
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, FRAMES
    scene.render.fps, scene.render.fps_base = 24, 1.0
    shot = locate.shot_of(scene)
    shutil.copytree(kept / "truth", shot.truth)
    if (kept / "controls").exists():
        shutil.copytree(kept / "controls", shot.controls)
    own = locate.project().root / "catalogue"
    own.mkdir(parents=True)
    day(scene)
    scene.holdfast.style.provider = SHORT
    scene.holdfast.style.overlap = 0
    yield scene
    if shot.controls.exists() and not (kept / "controls").exists():
        shutil.copytree(shot.controls, kept / "controls")


def day(scene: bpy.types.Scene, bad: str = "", price: int = 0) -> None:
    """What the service does, and what the model costs a job."""
    table = Path(sys.modules["holdfast.clients"].__file__).with_name("catalogue") / "offline.toml"
    entry = next(text for text in table.read_text().split("[[model]]") if "flat-drawing-short" in text)
    entry = entry.replace("[model.price]", f"[model.price]\nper_job_micros = {price}")
    entry = entry.replace("poll_min_s = 1.0", "poll_min_s = 0.05")
    (locate.project().root / "catalogue/rehearsal.toml").write_text(
        '[[service]]\nid = "rehearsal_remote"\nlabel = "Rehearsal, as if remote"\nbase = "http://127.0.0.1"\n'
        f'settings = {{ seconds = 0.05, bad_day = "{bad}" }}\n[[model]]\n{entry}'
    )


def restyle(scene: bpy.types.Scene, said: list[str] | None = None, **options: object) -> TakeFolder:
    context = Context(lambda _, message: said.append(message) if said is not None else None)
    made = drive.run_blocking(
        style.STAGE.run(scene, locate.shot_of(scene), steps.StageOptions(**options)), context
    )
    return TakeFolder.open(locate.shot_of(scene).takes / made.data["take"])


def jobs() -> list:
    return JobStore(locate.project().root).jobs()


def test_a_long_shot_becomes_one_take_of_two_pieces(scene):
    day(scene, "uneven")
    said: list[str] = []
    take = restyle(scene, said)
    assert [job.purpose for job in jobs()] == ["take, piece 1 of 2", "take, piece 2 of 2"]
    assert all(job.step is Step.APPLIED for job in jobs())
    data = take.manifest.data
    assert list(take.frames) == list(range(1, FRAMES + 1)) and take.size == (160, 90)
    (seam,) = data["seams"]
    print(seam, data["notes"])
    assert seam["pieces"] == [1, 2] and seam["before"] > 10 and seam["after"] < 4
    assert "light differed" in data["notes"][0]
    assert style.STAGE.state(scene, locate.shot_of(scene)).status == "fresh"
    assert any("piece 1 of 2" in message for message in said), "of jobs"
    assert any("Piece 2 of 2: " in message for message in said), "of clips"
    folder = clips.folder_of(locate.shot_of(scene), style_remote.chosen(SHORT))
    assert sorted(path.name for path in folder.iterdir()) == ["piece-01", "piece-02"]
    made = {path: path.stat().st_mtime_ns for path in folder.rglob("*.mp4")}
    shutil.rmtree(take.folder)
    restyle(scene)
    assert len(jobs()) == 2, "nothing is asked for again"
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.mp4")} == made, "fresh clips are kept"


def test_a_piece_that_failed_is_all_that_is_sent_again(scene, monkeypatch):
    finished, store = remote_jobs.finished, JobStore(locate.project().root)

    def broken(job, model, again=""):
        """As if the second piece had failed at the service."""
        if "piece 2" in job.purpose and job.step is Step.READY:
            with store._changing() as base:
                base.execute(
                    "UPDATE jobs SET step = 'failed', says = 'It failed there' WHERE id = ?", (job.id,)
                )
            job = store.get(job.id)
        return finished(job, model, again)

    with monkeypatch.context() as once:
        once.setattr(remote_jobs, "finished", broken)
        with pytest.raises(ProviderRejected, match="It failed there") as error:
            restyle(scene)
    assert "piece 2 of 2" in str(error.value) and "only what is missing" in str(error.value)
    ready = {job.id for job in jobs() if job.step is Step.READY}
    assert len(ready) == 1
    restyle(scene)
    assert len(jobs()) == 3
    assert {job.id for job in jobs() if job.step is Step.APPLIED} > ready


def test_the_caps_are_for_all_pieces_together_and_nothing_is_prepared_over_them(scene):
    day(scene, price=400_000)
    scene.holdfast.jobs.cap_shot = 0.70
    with pytest.raises(Refused, match=r"\$0\.80 for this shot, over the cap of \$0\.70"):
        restyle(scene)
    assert jobs() == []
    scene.holdfast.jobs.cap_shot = 50.0


def test_the_button_says_how_many_and_what_they_cost(scene):
    from holdfast.panels.style import HOLDFAST_PT_style

    day(scene, price=400_000)
    model = catalogue([locate.project().root / "catalogue/rehearsal.toml"])[SHORT]
    what = style_remote.forecast(scene, model)
    assert (what.counts, what.shared, what.price) == ((13, 13), 6, 800_000)
    assert HOLDFAST_PT_style.words_of_button(HOLDFAST_PT_style, bpy.context)[0].endswith("(2 pieces)")
    scene.frame_end = 13
    assert style_remote.forecast(scene, model).counts == (13,)
    assert "pieces" not in HOLDFAST_PT_style.words_of_button(HOLDFAST_PT_style, bpy.context)[0]
    scene.frame_end = 1000
    assert "24 are the most" in style_remote.forecast(scene, model).problem
    assert HOLDFAST_PT_style.words_of_button(HOLDFAST_PT_style, bpy.context)[0] == "Restyle"


def test_the_overlap_is_a_setting_and_its_limit_a_sentence(scene):
    scene.holdfast.style.overlap = 7
    with pytest.raises(InputError, match="at most 6 frames"):
        restyle(scene)
    assert jobs() == []
    assert style_remote.settings_of(scene, style_remote.chosen(SHORT))["overlap"] == 7
