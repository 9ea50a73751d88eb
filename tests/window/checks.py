# SPDX-License-Identifier: GPL-3.0-or-later
"""What the window test does, check by check. Each is a generator of waits that may return a line to print."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import asset_checks
import bpy
import ideate_checks
import job_checks
import joint_checks
import pieces_checks
import prompt_checks
import remote_checks
import tracker_checks
import truth_checks
import validate_checks
from robot import Robot

Check = Generator[float, None, str | None]
STAGE_LIMIT_SECONDS = 240.0
LIVE_SECONDS = 0.05
REDRAWS = 100


@dataclass
class Walk:
    """What the checks share."""

    hand: Robot
    module: Callable[[str], ModuleType]
    folder: Path
    through: str

    @property
    def session(self) -> Any:
        return self.module("operators.session").current

    def status(self, stage: str) -> tuple[str, str]:
        scene = bpy.context.scene
        shown = self.module("operators.state_cache").shown(scene)
        status, reason = self.module("panels.base").state_of(scene, shown, stage)
        return str(status), str(reason)

    def wait(self) -> Check:
        """Waits until nothing runs and the panels know it."""
        began = time.monotonic()
        yield 0.2
        while self.session.job is not None or self.session.queue:
            assert time.monotonic() - began < STAGE_LIMIT_SECONDS, f"{self.session.job} takes too long"
            yield 0.1
        while self.session.refresh is not None or self.module("operators.state_cache").dirty:
            yield 0.1
        yield 0.8
        return None

    def run_live(self, button: str) -> Generator[float, None, list[tuple[float, float]]]:
        """Clicks a button and returns the clock's gaps of the whole run."""
        spot = yield from self.hand.find_button(button)
        assert spot is not None, f"no button {button}"
        with self.hand.watch() as gaps:
            yield from self.hand.click(*spot)
            yield from self.wait()
        return gaps


def unsaved_file(walk: Walk) -> Check:
    """A file that was never saved says so, offers Save, and its stage buttons are off."""
    yield from walk.hand.show_tab()
    yield 0.6
    yield from walk.hand.pictures_of_sidebar("01-unsaved")
    assert not bpy.ops.holdfast.run_stage.poll()
    return None


def demo_shot(walk: Walk) -> Check:
    """The demo button makes a saved file with everything filled in; the user's window layout stays."""
    bpy.ops.holdfast.new_demo_shot(directory=str(walk.folder))
    yield 0.5
    yield from walk.hand.show_tab()
    scene = bpy.context.scene
    assert bpy.data.filepath == str(walk.folder / "lantern.blend"), bpy.data.filepath
    assert [sketch.name for sketch in scene.holdfast.sketches] == ["lantern_body", "lantern_lid"]
    scene.holdfast.ideate.variants = 2
    scene.holdfast.assets.texture_px = 256
    scene.holdfast.truth.samples = 2
    scene.render.resolution_percentage = 50
    yield 1.2
    walk.hand.picture("02-demo")
    assert bpy.ops.holdfast.run_stage.poll()
    return None


def stages(walk: Walk) -> Check:
    """Each stage is started by a click on its own button and the window stays live while it runs."""
    said = []
    names = [stage.name for stage in walk.module("operators.stages").STAGES]
    for number, name in enumerate(names[: names.index(walk.through) + 1], start=3):
        gaps = yield from walk.run_live(f'run_stage(stage="{name}"')
        status, reason = walk.status(name)
        assert status == "fresh", f"{name} is {status}: {reason}"
        yield from walk.hand.pictures_of_sidebar(f"{number:02d}-{name}")
        said.append(f"{name}: {_liveness(gaps)}")
    return "; ".join(said)


def _liveness(gaps: list[tuple[float, float]]) -> str:
    """How live the window was: the clock's gaps, and what of them Blender's main thread spent itself."""
    late = sum(wall > LIVE_SECONDS for wall, _own in gaps)
    own = sum(own > LIVE_SECONDS for _wall, own in gaps)
    return (
        f"longest gap {1000 * max(wall for wall, _own in gaps):.0f} ms, {late} of {len(gaps)} over 50 ms; "
        f"of the main thread's own {1000 * max(own for _wall, own in gaps):.0f} ms, {own} over 50 ms"
    )


def undo_after_stage(walk: Walk) -> Check:
    """Undo and redo after a stage leave Blender, the session and the panels in order."""
    for _again in range(2):
        yield from walk.hand.key("Z", ctrl=True)
        yield 0.6
    walk.hand.picture("19-undone", walk.hand.sidebar)
    for _again in range(2):
        yield from walk.hand.key("Z", ctrl=True, shift=True)
        yield 0.6
    assert walk.session.job is None
    assert bpy.context.scene.holdfast.shot_name == "sh010"
    return None


def escape_cancels(walk: Walk) -> Check:
    """Esc stops a running stage; the panel says so; nothing is left running."""
    bpy.ops.holdfast.run_stage(stage="ideate", force=True)
    yield 0.7
    assert walk.session.job is not None, "the stage was over before Esc could be pressed"
    walk.hand.picture("20-running", walk.hand.sidebar)
    yield from walk.hand.key("ESC")
    yield from walk.wait()
    status, reason = walk.status("ideate")
    assert status == "cancelled", (status, reason)
    walk.hand.picture("21-cancelled", walk.hand.sidebar)
    return None


def open_while_running(walk: Walk) -> Check:
    """Opening a file while a stage runs ends the stage in order and leaves nothing half-written."""
    bpy.ops.wm.save_mainfile()
    bpy.ops.holdfast.run_stage(stage="ideate", force=True)
    yield 0.7
    assert walk.session.job is not None, "the stage was over before the file could be opened"
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    yield 1.5
    assert walk.session.job is None
    assert not list(walk.folder.rglob("*.part")), list(walk.folder.rglob("*.part"))
    yield from walk.hand.show_tab()
    bpy.ops.holdfast.run_stage(stage="ideate")
    yield from walk.wait()
    assert walk.status("ideate")[0] == "fresh", walk.status("ideate")
    return None


def findings_jump(walk: Walk) -> Check:
    """A click on a finding goes to its frame and selects its part; markers stand in the timeline."""
    scene = bpy.context.scene
    shot = walk.module("operators.locate").shot_of(scene)
    if not list(shot.reports.glob("t*/report.json")):
        _plant_report(walk, shot)
    bpy.ops.holdfast.refresh()
    cached = walk.module("operators.state_cache").shown(scene)
    faulty = [
        name for name in cached.takes if name in cached.reports and cached.reports[name].data["findings"]
    ]
    if faulty:  # the repaired take may be clean: look at the first that is not
        bpy.ops.holdfast.choose_take(take=faulty[0])
    findings = walk.module("operators.state_cache").shown(scene).findings()
    assert findings, "no take has findings"
    first, last = findings[-1]["frames"]
    scene.frame_set(1)
    yield 0.8
    spot = yield from walk.hand.find_button(f"jump_to_finding(index={len(findings) - 1})")
    assert spot is not None, "no finding in the list"
    walk.hand.picture("22-findings", walk.hand.sidebar)
    yield from walk.hand.click(*spot)
    yield 0.4
    assert scene.frame_current == first, (scene.frame_current, first, last)
    bpy.ops.holdfast.mark_findings()
    names = [marker.name for marker in scene.timeline_markers]
    assert len(names) >= len(findings), names
    yield 0.5
    walk.hand.picture("23-jumped")
    return f"frame {first}, {len(names)} markers"


def _plant_report(walk: Walk, shot: Any) -> None:
    manifest = walk.module("pipeline.manifest").Manifest
    says = "The peg is missing from frame 7 to 14: none of its 412 expected pixels differ from the body."
    finding = {"id": "f1", "part": "peg", "frames": [7, 14], "kind": "vanished", "severity": 1.0, "confidence": 0.99,
               "measure": "presence", "value": 0.02, "limit": 0.5, "unit": "", "crop": "", "says": says,
               "suggestion": "rerun_span"}  # fmt: skip
    rubber = {**finding, "id": "f2", "part": "lid", "frames": [50, 59], "kind": "rubber",
              "says": "The lid bends by 3.1 px where a rigid part may bend by 0.8 px."}  # fmt: skip
    parts = [{"name": "body", "verdict": "pass", "why": ""}, {"name": "peg", "verdict": "fail", "why": says}]
    data = {"take": "t009", "verdict": "fail", "parts": parts, "findings": [finding, rubber], "frame_map": []}
    (shot.reports / "t009").mkdir(parents=True, exist_ok=True)
    manifest("holdfast/report", {}, {}, data).save(shot.reports / "t009" / "report.json")


def drawing_is_cheap(walk: Walk) -> Check:
    """Drawing all panels takes few milliseconds: the median of 100 redraws."""
    spent: list[float] = []
    restore = []
    for cls in walk.module("panels").CLASSES:
        if issubclass(cls, bpy.types.Panel):
            for name in ("draw", "draw_header", "draw_header_preset"):
                if hasattr(cls, name):
                    restore.append((cls, name, cls.__dict__.get(name)))
                    setattr(cls, name, _timed(getattr(cls, name), spent))
    yield from walk.hand.show_tab()
    python_ms, whole_ms = [], []
    while len(python_ms) < REDRAWS:
        spent.clear()
        walk.hand.sidebar.tag_redraw()
        began = time.perf_counter()
        yield 0.001  # Blender draws before it comes back to this timer
        if spent:
            python_ms.append(1000 * sum(spent))
            whole_ms.append(1000 * (time.perf_counter() - began))
    for cls, name, function in restore:
        if function is None:
            delattr(cls, name)
        else:
            setattr(cls, name, function)
    python, whole = statistics.median(python_ms), statistics.median(whole_ms)
    assert 0.0 < python < 16.0, f"draw() of all panels takes {python:.1f} ms"
    return f"draw() of all panels: median {python:.2f} ms; with Blender's own drawing and the screen: median {whole:.1f} ms ({REDRAWS} redraws)"


def _timed(function: Callable[..., None], spent: list[float]) -> Callable[..., None]:
    def draw(self: Any, context: Any) -> None:
        began = time.perf_counter()
        function(self, context)
        spent.append(time.perf_counter() - began)

    return draw


def disable_and_enable(walk: Walk) -> Check:
    """The extension goes while a stage runs, leaves nothing behind, and comes back."""
    import addon_utils

    package = walk.module("operators").__name__.rpartition(".")[0]
    bpy.ops.holdfast.run_stage(stage="ideate", force=True)
    yield 0.4
    addon_utils.disable(package)
    yield 0.3
    left = [name for name in dir(bpy.types) if name.startswith("HOLDFAST")]
    assert not left, left
    assert not hasattr(bpy.types.Scene, "holdfast")
    began = time.perf_counter()
    addon_utils.enable(package)
    seconds = time.perf_counter() - began
    yield from walk.hand.show_tab()
    assert bpy.context.scene.holdfast.shot_name == "sh010"
    return f"enabled again in {1000 * seconds:.0f} ms"


ALL = (
    unsaved_file,
    demo_shot,
    stages,
    undo_after_stage,
    escape_cancels,
    open_while_running,
    findings_jump,
    drawing_is_cheap,
    disable_and_enable,
    *joint_checks.ALL,  # with files of their own
    *truth_checks.ALL,
    *validate_checks.ALL,
    *prompt_checks.ALL,
    *job_checks.ALL,
    *remote_checks.ALL,
    *tracker_checks.ALL,
    *pieces_checks.ALL,
    *ideate_checks.ALL,
    *asset_checks.ALL,
)
