# SPDX-License-Identifier: GPL-3.0-or-later
"""The window's session, ticked by hand: what runs, what is cancelled, what a person is told."""

import time

import bpy
import pytest


@pytest.fixture
def parts(module, tmp_path, monkeypatch):
    """The session with one made-up stage in the table, and a saved file."""
    session = module("operators.session")
    session.on_load_pre()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    yield session, module("operators.steps"), module("pipeline.errors"), module("pipeline.manifest").Manifest
    session.on_load_pre()


def _run(session, limit=20.0):
    began = time.monotonic()
    while session.current.job is not None or session.current.queue:
        assert time.monotonic() - began < limit
        session.tick()
        time.sleep(0.005)


def _stage(steps, run):
    return steps.Stage("ideate", "Ideate", run, lambda scene, shot: steps.StageState("missing"))


def _start(session, steps, run):
    scene = bpy.context.scene
    session.enqueue(scene, [_stage(steps, run)], steps.StageOptions())
    return scene


def test_progress_is_shown_in_slices_and_the_stage_ends(parts):
    session, steps, _errors, manifest = parts
    seen = []

    def run(scene, shot, options):
        for index in range(30):
            time.sleep(0.002)
            yield steps.Progress(index / 30, f"step {index}")
        return manifest("holdfast/x", {}, {}, {})

    scene = _start(session, steps, run)
    while session.current.job is not None or session.current.queue:
        began = time.perf_counter()
        session.tick()
        assert time.perf_counter() - began < 0.2
        if session.current.job:
            seen.append(session.current.job.fraction)
    assert len(seen) > 3
    assert seen == sorted(seen)
    assert (scene.session_uid, "ideate") in session.current.seconds
    assert session.current.failures == {}


def test_a_failing_stage_says_its_sentence(parts):
    session, steps, errors, _manifest = parts

    def run(scene, shot, options):
        yield steps.Progress(0.1, "looking")
        raise errors.InputError("The sketch is blank", where="a.jpg", todo="Take a sharper photo.")

    scene = _start(session, steps, run)
    _run(session)
    sentence = session.current.failures[scene.session_uid, "ideate"]
    assert sentence == "The sketch is blank (a.jpg). Take a sharper photo."


def test_an_internal_error_names_its_log_and_shows_no_traceback(parts):
    session, steps, _errors, _manifest = parts

    def run(scene, shot, options):
        yield steps.Progress(0.1, "dividing")
        raise ZeroDivisionError("by zero")

    scene = _start(session, steps, run)
    _run(session)
    sentence = session.current.failures[scene.session_uid, "ideate"]
    assert sentence.startswith("Internal error: ZeroDivisionError: by zero.")
    assert "Traceback" not in sentence
    assert ".log" in sentence


def test_cancel_lets_the_stage_clean_up(parts):
    session, steps, errors, _manifest = parts
    cleaned = []

    def run(scene, shot, options):
        try:
            while True:
                time.sleep(0.002)
                yield steps.Progress(0.5, "going on for ever")
        except errors.Cancelled:
            cleaned.append(True)
            raise

    scene = _start(session, steps, run)
    session.tick()
    session.tick()
    session.cancel()
    _run(session)
    assert cleaned == [True]
    assert session.current.failures[scene.session_uid, "ideate"].startswith("Cancelled")


def test_a_worker_is_polled_and_a_dead_one_is_reported(parts):
    session, steps, _errors, _manifest = parts

    def run(scene, shot, options):
        yield steps.WorkerTask("no.such.room:run", {})

    scene = _start(session, steps, run)
    _run(session, limit=60)
    assert session.current.failures[scene.session_uid, "ideate"]


def test_opening_a_file_ends_the_stage_in_order(parts, tmp_path):
    session, steps, _errors, _manifest = parts
    closed = []

    def run(scene, shot, options):
        try:
            while True:
                yield steps.Progress(0.5, "going on for ever")
        finally:
            closed.append(True)

    _start(session, steps, run)
    session.tick()
    session.tick()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    assert closed == [True]
    assert session.current.job is None
    session.tick()


def test_a_removed_scene_ends_the_stage(parts):
    session, steps, _errors, _manifest = parts

    def run(scene, shot, options):
        while True:
            yield steps.Progress(0.5, "going on for ever")

    scene = bpy.data.scenes.new("short-lived")
    session.enqueue(scene, [_stage(steps, run)], steps.StageOptions())
    session.tick()
    session.tick()
    bpy.data.scenes.remove(scene)
    session.tick()
    assert session.current.job is None
    assert any("removed" in sentence for sentence in session.current.failures.values())


def test_a_queue_stops_at_the_first_failure(parts):
    session, steps, errors, _manifest = parts
    ran = []

    def bad(scene, shot, options):
        ran.append("bad")
        raise errors.InputError("No")
        yield

    stages = [_stage(steps, bad), _stage(steps, bad)]
    session.enqueue(bpy.context.scene, stages, steps.StageOptions())
    _run(session)
    assert ran == ["bad"]


def test_an_unsaved_file_is_refused_with_the_sentence(module):
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    session, steps = module("operators.session"), module("operators.steps")
    with pytest.raises(module("pipeline.errors").InputError, match="never saved"):
        session.enqueue(bpy.context.scene, [_stage(steps, None)], steps.StageOptions())
    assert not bpy.ops.holdfast.run_stage.poll()


def test_a_render_job_runs_in_pieces(module, tmp_path):
    """Without a window Blender renders at once; the pieces, the count and the restored range are the same."""
    watch_module = module("operators.render_watch")
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 5, 50
    watch = watch_module.RenderWatch(scene, (1, 2, 3, 7, 8))
    pieces = []

    class Job:
        cancelled = False

        def report(self, fraction, message):
            pass

    def invoke(given):
        pieces.append((given.frame_start, given.frame_end))

    original, watch_module._invoke = watch_module._invoke, invoke
    try:
        watch._seconds_a_frame = 0.01
        while not watch.advance(Job()):
            pass
    finally:
        watch_module._invoke = original
    assert pieces[0] == (1, 3)
    assert sum(last - first + 1 for first, last in pieces) == 5
    assert (scene.frame_start, scene.frame_end) == (5, 50)
