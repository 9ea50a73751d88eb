# SPDX-License-Identifier: GPL-3.0-or-later
"""Where else in Blender a typed key could stay: the Info log, reports, undo, a dump of all properties, a quit.blend; and a
keyring that hangs makes no window wait."""

import time
from contextlib import suppress
from pathlib import Path

import bpy
import pytest
from holdfast.clients import keys as keys_module
from holdfast.clients.keyring_asked import Keyring
from holdfast.operators import job_cache, job_worker
from holdfast.pipeline import secret
from holdfast.pipeline.jobs import JobStore, Step
from holdfast.pipeline.money import Caps

from ..loopback.server import Answer, Fault
from ..pure.jobs_service import Studio
from .job_parts import FACTS, KEY, REQUEST, new_project, tick_until
from .test_keys import CANARY, traces, type_key

pytestmark = pytest.mark.checkout


@pytest.fixture
def studio(monkeypatch):
    monkeypatch.delenv(KEY, raising=False)
    with Studio() as service:
        service.key = CANARY
        yield service
        job_worker.close_worker()
        secret.hold(KEY, "")


def dump(thing, depth=5):
    """All that RNA shows of a thing, and its own properties, as text."""
    found = [repr(thing)]
    if depth == 0 or not hasattr(thing, "bl_rna"):
        return found
    for prop in thing.bl_rna.properties:
        if prop.identifier in ("rna_type", "bl_rna"):
            continue
        try:
            value = getattr(thing, prop.identifier)
        except Exception:  # some can't be read here
            continue
        found.append(f"{prop.identifier}={value!r}")
        if prop.type == "COLLECTION":
            for each in list(value)[:50]:
                found += dump(each, depth - 1)
        elif prop.type == "POINTER" and prop.identifier not in ("parent", "id_data"):
            found += dump(value, depth - 1)
    keys = getattr(thing, "keys", None)
    if callable(keys):
        with suppress(TypeError):
            found += [f"{key}={thing[key]!r}" for key in keys()]
    return found


def test_nothing_that_blender_keeps_or_reports_of_a_session_has_it(studio, tmp_path, capfd):
    root = new_project(tmp_path, studio.url)
    bpy.ops.ed.undo_push(message="before")
    type_key()
    bpy.ops.ed.undo_push(message="typed")
    studio.faults.append(Fault(("POST", "/jobs"), answer=Answer(400, {"error": f"bad key {CANARY}"})))
    job = JobStore(root).prepare(REQUEST, Caps(), price=400_000, **FACTS)
    tick_until(job_worker, lambda: JobStore(root).get(job.id).step is Step.FAILED)
    job_cache.refresh_now(bpy.context.scene)
    with pytest.raises(RuntimeError) as caught:
        bpy.ops.holdfast.cancel_job(job=job.id)
    assert CANARY not in str(caught.value)
    manager = bpy.context.window_manager
    shown = "\n".join(dump(manager.holdfast_jobs) + dump(manager, 3) + dump(bpy.context.scene.holdfast))
    assert "holdfast_jobs" in shown and CANARY not in shown
    assert [each for each in manager.operators if CANARY in repr(dict(each.properties.items()))] == []
    path = Path(bpy.data.filepath)
    for name, step in (
        ("now.blend", None),
        ("undone.blend", bpy.ops.ed.undo),
        ("redone.blend", bpy.ops.ed.redo),
    ):
        if step is not None:
            step()
        bpy.ops.wm.save_as_mainfile(filepath=str(path.with_name(name)), copy=True, compress=False)
    bpy.data.libraries.write(str(path.with_name("library.blend")), {bpy.context.scene}, compress=False)
    reported = capfd.readouterr()
    assert "Error: " in reported.out + reported.err, "without a window the Info log is printed"
    assert CANARY not in reported.out + reported.err
    assert traces(tmp_path) == [], "what Blender writes at its end is what it would write now"


def test_a_keyring_that_hangs_holds_up_no_tick(studio, tmp_path, monkeypatch):
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "keyring.py").write_text("import time\ndef get_password(*_):\n    time.sleep(60)\n")
    monkeypatch.syspath_prepend(str(modules))
    asked = Keyring()
    monkeypatch.setattr(keys_module, "_asked", asked)
    new_project(tmp_path, studio.url)
    job_cache.ask()
    longest = 0.0
    for _ in range(300):
        began = time.perf_counter()
        job_worker.tick()
        longest = max(longest, time.perf_counter() - began)
    print(f"longest of 300 ticks {1000 * longest:.1f} ms")
    assert longest < 1.0 and asked.asking and job_cache.services.asking
    asked._process.kill()
