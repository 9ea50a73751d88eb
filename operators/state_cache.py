# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panels draw: manifests and states of the shown shot, read outside of draw().

`refresh` reads files and is called by the session's timer when something changed; `shown` is what `draw`
calls: one dictionary look-up.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy

from ..pipeline.errors import HoldfastError
from ..pipeline.estimate import Estimate
from ..pipeline.intent import Intent
from ..pipeline.manifest import Manifest
from ..pipeline.project import ShotFolder
from ..pipeline.retune import Offer, offers
from ..pipeline.words import Word, all_words, latest, words_of
from ..properties_validate import intent_of
from . import forecast, locate, part_rows, take_table, thumbnails, validate, window
from .stages import SIDE_STAGES, STAGES, state_of
from .steps import StageState

SINGLES = {
    "concepts": "concepts/concepts.json",
    "assets": "assets/assets.json",
    "motion": "motion/motion.json",
    "proof": "motion/proof.json",
    "truth": "truth/truth.json",
    "delivery": "delivery/delivery.json",
}
SEVERAL = {
    "take": "takes/t*/take.json",
    "report": "reports/t*/report.json",
    "plan": "reports/t*/plan.json",
    "masks": "reports/t*/masks.json",
    "control": "controls/*/controls.json",
}


@dataclass
class Shown:
    """Everything about one shot that a panel may draw. `problem` says why there is nothing, if so."""

    problem: str = ""
    unsaved: bool = False
    root: str = ""
    estimate: Estimate | None = None
    free: int = 0
    """Bytes left on the disk of the shot."""
    states: dict[str, StageState] = field(default_factory=dict)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    takes: dict[str, Manifest] = field(default_factory=dict)
    reports: dict[str, Manifest] = field(default_factory=dict)
    plans: dict[str, Manifest] = field(default_factory=dict)
    masks: dict[str, Manifest] = field(default_factory=dict)
    controls: dict[str, Manifest] = field(default_factory=dict)
    chosen: str = ""
    """The take that the person picked; empty for the newest."""
    words: dict[str, tuple[Word, ...]] = field(default_factory=dict)
    """The words that count, by take."""
    table: list[take_table.TakeRow] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)

    @property
    def take(self) -> str:
        """The take that is looked at: the one picked, else the newest; empty if there is none."""
        names = self.takes or self.reports
        return self.chosen if self.chosen in names else max(names, default="")

    @property
    def report(self) -> Manifest | None:
        """The report on the take that is looked at."""
        return self.reports.get(self.take)

    @property
    def plan(self) -> tuple[str, Manifest] | None:
        """The newest plan of repairs that is for its take's report as it is now, with the take's name."""
        for name in sorted(self.plans, reverse=True):
            report = self.reports.get(name)
            if report is not None and self.plans[name].inputs.get("report") == report.digest:
                return name, self.plans[name]
        return None

    def findings(self) -> list[dict[str, Any]]:
        """The findings of `report`, as it lists them."""
        return list(self.report.data.get("findings", [])) if self.report else []


_EMPTY = Shown()
_shown: dict[int, Shown] = {}
_files: dict[str, tuple[tuple[int, int], Manifest | None]] = {}
_newest: dict[str, str] = {}
"""The newest take that each shot had at the last refresh."""
_seen: list[object] = [None, None]  # the values that the last refresh is of, and those being waited out
dirty = True
listeners: list[Callable[[bpy.types.Scene], None]] = []
"""Told when something changed, before it is read."""


def shown(scene: bpy.types.Scene) -> Shown:
    """What is known of the scene's shot; empty until the first refresh."""
    return _shown.get(scene.session_uid, _EMPTY)


def on_change(*_args: object) -> None:
    """Handler: what is cached may be out of date."""
    global dirty
    dirty = True


def on_load_post(*_args: object) -> None:
    """Handler: another file is open."""
    _shown.clear()
    _newest.clear()
    bpy.context.window_manager.holdfast.take = ""
    part_rows.forget()
    _seen[:] = [None, None]
    on_change()


def refresh(scene: bpy.types.Scene) -> None:
    """Reads the state of every stage and the manifests of the scene's shot, at once."""
    for _slice in refreshing(scene):
        pass


def refreshing(scene: bpy.types.Scene) -> Iterator[None]:
    """The same in slices of some ten milliseconds; what is shown changes with the last one."""
    global dirty
    dirty = False
    _seen[0] = _everything(scene)
    before, parts = part_rows.rows(scene), part_rows.read(scene)
    view = bpy.context.window_manager.holdfast
    _fill(view.parts, [row.name for row in parts])
    if view.part_colours and parts != before:
        window.redraw_viewports()
    thumbnails.make_swatches(row.id for row in parts)
    for listener in listeners:
        listener(scene)
    cached = Shown(unsaved=not bpy.data.filepath)
    try:
        shot = locate.shot_of(scene)
    except HoldfastError as error:
        cached.problem = str(error)
    else:
        cached.root = str(shot.root)
        _read_manifests(shot, cached)
        _choose(view, cached)
        cached.estimate, cached.free = forecast.of(scene, shot), forecast.free_bytes(shot.root)
        yield
        for stage in (*STAGES, *SIDE_STAGES):
            cached.states[stage.name] = state_of(stage, scene)
            yield
        thumbnails.refresh(shot, cached.manifests.get("concepts"))
        yield
        _judge_takes(scene, shot, cached)
        yield from _load_crops(cached)
    _shown[scene.session_uid] = cached
    _fill_findings(cached)


def read_words(scene: bpy.types.Scene) -> None:
    """Reads what the person said of the findings again, at once; nothing else."""
    _judge_takes(scene, locate.shot_of(scene), shown(scene))
    window.redraw()


def choose_take(scene: bpy.types.Scene, name: str) -> None:
    """Looks at another take of the shot."""
    bpy.context.window_manager.holdfast.take = shown(scene).chosen = name
    _fill_findings(shown(scene))
    on_change()
    window.redraw()


MOST_CROPS = 40


def _load_crops(cached: Shown) -> Iterator[None]:
    folder = Path(cached.root) / "reports" / cached.take
    found = [folder / str(each["crop"]) for each in cached.findings()[:MOST_CROPS] if each.get("crop")]
    return thumbnails.show_pairs(found)


def _choose(view: Any, cached: Shown) -> None:
    """A new take is looked at as soon as it is there, whatever was picked before."""
    newest = max(cached.takes, default="")
    if _newest.get(cached.root) not in (None, newest):
        view.take = ""
    _newest[cached.root] = newest
    cached.chosen = view.take


def _judge_takes(scene: bpy.types.Scene, shot: ShotFolder, cached: Shown) -> None:
    ledger, wanted = locate.project().ledger, validate.settings_of(scene)
    truth = cached.manifests["truth"].digest if "truth" in cached.manifests else ""
    for name in {*cached.takes, *cached.reports}:
        made = cached.takes[name].digest if name in cached.takes else ""
        cached.words[name] = words_of(ledger, name, shot.name, made)
    cached.table = [
        take_table.row(take, cached.reports.get(name), cached.words[name], truth, wanted)
        for name, take in cached.takes.items()
    ]
    taken = cached.takes.get(cached.take)
    look = str(taken.data.get("look") or "") if taken is not None else ""
    intent = Intent.from_json(intent_of(scene.holdfast.validate))
    cached.offers = offers(latest(all_words(ledger)), look, intent) if taken is not None else []


def _read_manifests(shot: ShotFolder, cached: Shown) -> None:
    for name, path in SINGLES.items():
        manifest = _manifest(shot.root / path, f"holdfast/{name}")
        if manifest is not None:
            cached.manifests[name] = manifest
    for name, pattern in SEVERAL.items():
        into: dict[str, Manifest] = getattr(cached, name if name == "masks" else f"{name}s")
        for found in sorted(shot.root.glob(pattern)):
            manifest = _manifest(found, f"holdfast/{name}")
            if manifest is not None:
                into[found.parent.name] = manifest


def _manifest(path: Path, schema: str) -> Manifest | None:
    """The manifest, read again only if the file changed; None if it is missing or damaged (its state says so)."""
    try:
        status = path.stat()
    except OSError:
        _files.pop(str(path), None)
        return None
    stamp = (status.st_mtime_ns, status.st_size)
    known = _files.get(str(path))
    if known is None or known[0] != stamp:
        try:
            known = (stamp, Manifest.load(path, schema))
        except HoldfastError:
            known = (stamp, None)
        _files[str(path)] = known
    return known[1]


def _fill_findings(cached: Shown) -> None:
    view = bpy.context.window_manager.holdfast
    if _fill(view.findings, [f"{cached.take} {finding['id']}" for finding in cached.findings()]):
        view.active_finding = 0
        view.only_part = view.only_kind = "*"
        view.only_word = "ALL"
    plan = cached.plan
    _fill(
        view.actions, [f"{plan[0]} {action['finding']}" for action in plan[1].data["actions"]] if plan else []
    )
    _fill(view.takes, [row.name for row in cached.table])
    names = [row.name for row in cached.table]
    view.active_take = names.index(cached.take) if cached.take in names else 0


def _fill(collection: Any, names: list[str]) -> bool:
    """Makes the rows of a list those of ``names``; False if they are so already."""
    if [row.name for row in collection] == names:
        return False
    collection.clear()
    for name in names:
        collection.add().name = name
    return True


def settled(scene: bpy.types.Scene) -> bool:
    """True if settings or files are other than the last refresh found them, and have held still since the last call."""
    now = _everything(scene)
    waiting, _seen[1] = _seen[1], now
    return now == waiting and now != _seen[0]


def _everything(scene: bpy.types.Scene) -> tuple[object, ...]:
    """All that a refresh may depend on and that is read fast. Not the scene's shapes: their digest takes too long."""
    chosen = bpy.context.view_layer.objects.active if bpy.context.view_layer else None
    own = tuple(_values(chosen.holdfast)) if chosen is not None else ()
    marks = tuple(part_rows.marks(scene))
    return (scene.session_uid, bpy.data.filepath, tuple(_values(scene.holdfast)), own, marks, *_stamps(scene))


def _values(group: bpy.types.PropertyGroup) -> Iterator[object]:
    for prop in group.bl_rna.properties:
        if prop.identifier == "rna_type" or prop.identifier.startswith("active_"):
            continue
        value = getattr(group, prop.identifier)
        if prop.type == "COLLECTION":
            for item in value:
                yield from _values(item)
        elif isinstance(value, bpy.types.PropertyGroup):
            yield from _values(value)
        elif isinstance(value, bpy.types.ID):
            yield value.name
        else:
            yield (
                tuple(value) if getattr(prop, "is_array", False) else value
            )  # an array would change with its setting


def _stamps(scene: bpy.types.Scene) -> Iterator[object]:
    render = scene.render
    yield (
        len(scene.objects),
        scene.frame_start,
        scene.frame_end,
        render.resolution_x,
        render.resolution_y,
        render.resolution_percentage,
        render.fps,
        render.engine,
    )
    root = shown(scene).root
    for path in SINGLES.values() if root else ():
        try:
            yield (Path(root) / path).stat().st_mtime_ns
        except OSError:
            yield 0
