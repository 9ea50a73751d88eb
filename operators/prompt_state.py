# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Prompt panel draws: the contract being written, its versions, what lint finds, the text for the chosen model.

Read when something changed, by the session's timer; what draws looks it up.
"""

from dataclasses import dataclass, field

import bpy

from ..pipeline.errors import HoldfastError
from ..pipeline.prompts import versions
from ..pipeline.prompts.contract import PromptContract
from ..pipeline.prompts.difference import difference
from ..pipeline.prompts.fields import Fields
from ..pipeline.prompts.lint import Finding, lint
from ..pipeline.prompts.reading import LOCKED, MOVES, About
from ..pipeline.prompts.render import Rendered, render
from ..properties_prompt import contract_of
from . import part_rows, prompt_kept, prompt_models, state_cache


@dataclass
class Seen:
    """``latest`` the newest saved version, ``changes`` what is new since then; ``problem`` why there is no text,
    ``damaged`` what is wrong with the newest file."""

    draft: PromptContract = field(default_factory=PromptContract)
    latest: versions.Version | None = None
    changes: tuple[str, ...] = ()
    criteria_differ: bool = False
    findings: tuple[Finding, ...] = ()
    rendered: Rendered | None = None
    problem: str = ""
    damaged: str = ""

    @property
    def begun(self) -> bool:
        """Whether anything was written yet."""
        return self.latest is not None or bool(self.draft.change or self.draft.keep or self.draft.parts)


_EMPTY = Seen()
_seen: dict[int, Seen] = {}


def shown(scene: bpy.types.Scene) -> Seen:
    """What is known of the scene's prompt; empty until the first refresh."""
    return _seen.get(scene.session_uid, _EMPTY)


def camera_of(scene: bpy.types.Scene) -> str:
    """ "locked" or "moves": whether anything can move the scene's camera; "" without one."""
    thing = scene.camera
    if thing is None:
        return ""
    if any(marker.camera is not None for marker in scene.timeline_markers):
        return MOVES
    if thing.data is not None and thing.data.animation_data is not None:
        return MOVES
    while thing is not None:
        if thing.animation_data is not None or len(thing.constraints):
            return MOVES
        thing = thing.parent
    return LOCKED


def about(scene: bpy.types.Scene, fields: Fields | None) -> About:
    """What lint is told of the shot."""
    parts = tuple(row.name for row in part_rows.rows(scene))
    return About(parts, camera_of(scene), fields, prompt_kept.root_of_references())


def read(scene: bpy.types.Scene) -> Seen:
    """Reads everything now."""
    seen = Seen(contract_of(scene))
    fields: Fields | None = None
    try:
        fields = prompt_models.fields(scene.holdfast.prompt.model)
        seen.rendered = render(seen.draft, fields)
    except HoldfastError as error:
        seen.problem = str(error)
    seen.latest = prompt_kept.latest(scene)
    if seen.latest is not None:
        seen.changes = tuple(difference(seen.latest.contract, seen.draft.numbered(0, "")))
        seen.criteria_differ = seen.latest.contract.criteria != seen.draft.criteria
    try:
        prompt_kept.style_text(scene)
    except HoldfastError as error:
        seen.damaged = str(error)
    seen.findings = tuple(lint(seen.draft, about(scene, fields)))
    _seen[scene.session_uid] = seen
    return seen


def on_change(scene: bpy.types.Scene) -> None:
    """Listener: settings or files are others."""
    read(scene)


def open_prompts() -> None:
    """Asks to be told of changes."""
    state_cache.listeners.append(on_change)


def close_prompts() -> None:
    """The extension is being disabled."""
    state_cache.listeners.remove(on_change)
    _seen.clear()
