# SPDX-License-Identifier: GPL-3.0-or-later
"""The window test of the panel Jobs: real clicks on Cancel, on the consent dialog, a typed key; ten thousand rows."""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import bpy
from validate_checks import only

from tests.blender.job_parts import FACTS, REQUEST

Check = Generator[float, None, str | None]
CANARY = "hfcanary7f3a9"
SERVICE = """
[[service]]
id = "{id}"
label = "{label}"
base = "{base}"
hosts = {hosts}
keys = ["HOLDFAST_{upper}_KEY"]
retention = "Films and prompts are kept for 24 hours, then deleted."
terms = "No pictures of real people without their consent. Results may be used commercially."
[[model]]
provider = "{id}"
model = "film-1"
mode = "video_restyle"
label = "{label} Film"
adapter = "providers.ark:Ark"
network = true
inputs = {{}}
[model.job]
cancel = "{cancel}"
[model.price]
per_second_micros = 100000
as_of = "2026-11-22"
"""


def jobs_open(walk: Any) -> Check:
    """A project with jobs in every state: what each says, and what can be done about it."""
    bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)
    yield 0.3
    folder = walk.folder / "jobs"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "lantern.blend"))
    root = folder / "lantern.holdfast"
    _catalogue(
        root, "studio", "Studio", "https://api.studio.invalid/v1", '["files.studio.invalid"]', "best_effort"
    )
    _catalogue(root, "atelier", "Atelier", "https://atelier.invalid", "[]", "delete_overloaded")
    _fill(walk, root)
    only(walk, "_jobs")
    yield from walk.hand.show_tab()
    yield from _settled(walk)
    yield from walk.hand.pictures_of_sidebar("70-jobs")
    cached = _cached(walk)
    assert len(cached.rows) == 7 and cached.view.today > 0, cached
    return None


def jobs_agree(walk: Any) -> Check:
    """The consent dialog says what leaves and to whom; a click on its button records it."""
    spot = yield from walk.hand.find_button('agree(service="studio")', 0.82)
    assert spot is not None, "no button to agree"
    yield from walk.hand.click(*spot)
    yield 0.8
    walk.hand.picture("71-consent")
    yield from walk.hand.key("RET", *spot)
    yield 0.8
    root = _cached(walk).project
    agreed = walk.module("pipeline.consent").agreed(root)
    assert agreed == {"studio": ("api.studio.invalid", "files.studio.invalid")}, agreed
    yield from _settled(walk)
    walk.hand.picture("72-agreed", walk.hand.sidebar)
    return None


def jobs_key(walk: Any) -> Check:
    """A key is typed into the dialog: it is in memory, and in no property, report or file."""
    spot = yield from walk.hand.find_button('type_key(service="studio")', 0.82)
    assert spot is not None, "no button for the key"
    yield from walk.hand.click(*spot)
    yield 0.8
    walk.hand.picture("73-key")
    field = yield from _field(walk, spot)
    for letter in CANARY:
        name = letter.upper() if letter.isalpha() else _DIGITS[int(letter)]
        for value, text in (("PRESS", letter), ("RELEASE", "")):
            more = {"unicode": text} if text else {}
            walk.hand.window.event_simulate(name, value, x=field[0], y=field[1], **more)
            yield 0.02
    walk.hand.picture("74-key-typed")
    yield from walk.hand.key("RET", *field)
    yield 0.5
    held = walk.module("pipeline.secret").held()
    assert held.get("HOLDFAST_STUDIO_KEY") == CANARY, sorted(held)
    yield from walk.hand.key("RET", *field)
    yield 0.5
    assert bpy.context.window_manager.holdfast_jobs.key == ""
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.save_userpref()
    places = (walk.folder, Path(bpy.utils.resource_path("USER")))
    holding = [
        p for place in places for p in place.rglob("*") if p.is_file() and CANARY.encode() in p.read_bytes()
    ]
    assert not holding, holding
    walk.module("pipeline.secret").hold("HOLDFAST_STUDIO_KEY", "")
    yield from _settled(walk)
    return None


def jobs_cancel(walk: Any) -> Check:
    """A click on Cancel: at once for a job that waits; one that is there asks first, and says what it costs."""
    store, step = walk.module("operators.job_cache").store(), walk.module("pipeline.jobs").Step
    view = bpy.context.window_manager.holdfast_jobs
    for state in ("prepared", "remote"):
        rows = _cached(walk).rows
        index = next(number for number, job in enumerate(rows) if job.step == state)
        job, view.active_row = rows[index], index
        yield 0.4
        spot = yield from walk.hand.find_button(f'cancel_job(job="{job.id}")')
        assert spot is not None, f"no button to cancel {job}"
        yield from walk.hand.click(*spot)
        yield 0.8
        if state == "remote":
            walk.hand.picture("75-cancel")
            yield from walk.hand.key("RET", *spot)
            yield 0.6
        after = store.get(job.id).step
        assert after is (step.CANCELLED if state == "prepared" else step.CANCELLING), (state, after)
        yield from _settled(walk)
    walk.hand.picture("76-cancelled", walk.hand.sidebar)
    return None


def jobs_decide(walk: Any) -> Check:
    """A job in doubt is put before the person."""
    view = bpy.context.window_manager.holdfast_jobs
    rows = _cached(walk).rows
    view.active_row = next(number for number, job in enumerate(rows) if job.step == "uncertain")
    job = rows[view.active_row]
    yield 0.5
    spot = yield from walk.hand.find_button(f'decide_job(job="{job.id}"')
    assert spot is not None, "no button to decide"
    walk.hand.picture("77-uncertain", walk.hand.sidebar)
    yield from walk.hand.click(*spot)
    yield 0.8
    walk.hand.picture("78-decide")
    yield from walk.hand.key("RET", *spot)
    yield 0.8
    after = walk.module("operators.job_cache").store().get(job.id)
    assert (after.step, after.counts) == ("failed", 0), after
    return None


_DIGITS = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")


def _field(walk: Any, spot: tuple[int, int]) -> Generator[float, None, tuple[int, int]]:
    """Double-clicks the field of the dialog, which opens below the mouse with the title above it."""
    for dy in range(0, -90, -10):
        at = (spot[0] - 60, spot[1] + dy)
        yield from walk.hand.move(*at)
        yield 0.1
    at = spot
    yield from walk.hand.click(*at)
    return at


def _catalogue(root: Path, name: str, label: str, base: str, hosts: str, cancel: str) -> None:
    (root / "catalogue").mkdir(parents=True, exist_ok=True)
    text = SERVICE.format(id=name, label=label, base=base, hosts=hosts, upper=name.upper(), cancel=cancel)
    (root / "catalogue" / f"{name}.toml").write_text(text)


def _fill(walk: Any, root: Path) -> None:
    jobs, money = walk.module("pipeline.jobs"), walk.module("pipeline.money")
    step, store = jobs.Step, jobs.JobStore(root)
    handle = '{"provider": "studio", "job_id": "j1", "poll_ref": "j1", "created_at": 0}'
    sent, there = (step.SUBMITTING, {"begun": time.time()}), (step.REMOTE, {"handle": handle})
    ways: tuple[tuple[str, list[tuple[Any, dict[str, Any]]]], ...] = (
        ("atelier", [sent, there, (step.DOWNLOADING, {"cost": 1_400_000}), (step.READY, {})]),
        (
            "atelier",
            [sent, (step.FAILED, {"billed": 0, "says": "Atelier refused the picture: a face is in it."})],
        ),
        (
            "studio",
            [sent, there, (step.DOWNLOADING, {"cost": 2_100_000}), (step.READY, {}), (step.APPLIED, {})],
        ),
        (
            "studio",
            [sent, (step.UNCERTAIN, {"says": "Studio did not answer. Look there, then decide here."})],
        ),
        ("studio", [sent, there]),
        ("studio", [sent, there]),
        ("studio", []),
    )
    for number, (service, steps) in enumerate(ways):
        job = store.prepare(REQUEST, money.Caps(), price=1_400_000, **{**FACTS, "provider": service})
        for where, facts in steps:
            store.move(job.id, where, **facts)
        if number == 4:
            store.note(job.id, progress=0.45)
        if number == 5:
            store.note(job.id, queue=3)


def _cached(walk: Any) -> Any:
    return walk.module("operators.job_cache").shown


def _settled(walk: Any) -> Check:
    walk.module("operators.job_cache").ask()
    yield 2.5
    return None


ALL = (jobs_open, jobs_agree, jobs_cancel, jobs_decide, jobs_key)
