# SPDX-License-Identifier: GPL-3.0-or-later
"""The panels learn of every change of a setting: in a group, in a list, in a vector, on an object, and back again."""

from __future__ import annotations

import bpy
import pytest


@pytest.fixture
def cache(module, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    cache = module("operators.state_cache")
    cache.on_load_post()
    _known(cache)
    yield cache
    cache.on_load_post()


def _known(cache) -> None:
    """As the session's timer does it, until nothing is new."""
    scene = bpy.context.scene
    cache.refresh(scene)
    for _tick in range(4):
        if cache.settled(scene):
            cache.refresh(scene)
    assert not cache.settled(scene)


def _noticed(cache) -> bool:
    """Whether one of the next ticks of the timer reads the states again."""
    return any(cache.settled(bpy.context.scene) for _tick in range(3))


def _settings(group, path=""):
    """Every simple setting of a group, with its path."""
    for prop in group.bl_rna.properties:
        if (
            prop.identifier in {"rna_type", "name"}
            or prop.identifier.startswith("active_")
            or prop.is_readonly
        ):
            value = getattr(group, prop.identifier) if prop.identifier != "rna_type" else None
            if isinstance(value, bpy.types.PropertyGroup):
                yield from _settings(value, f"{path}{prop.identifier}.")
            continue
        yield f"{path}{prop.identifier}", group, prop


def _changed(group, prop) -> bool:
    """Changes a setting to another allowed value; False if it has only one."""
    before = getattr(group, prop.identifier)
    if prop.type == "BOOLEAN":
        value = not before
    elif prop.type in {"INT", "FLOAT"}:
        if prop.is_array:
            value = [each + 0.25 for each in before]
        else:
            value = before + 1 if before + 1 <= prop.hard_max else before - 1
    elif prop.type == "STRING":
        value = "changed"
    elif prop.type == "ENUM":
        names = [item.identifier for item in prop.enum_items]
        value = (
            set(names[:1]) if prop.is_enum_flag else next((name for name in names if name != before), before)
        )
    else:
        return False
    setattr(group, prop.identifier, value)
    return getattr(group, prop.identifier) != before or getattr(prop, "is_array", False)


def test_every_setting_of_every_stage_is_noticed(cache):
    scene = bpy.context.scene
    scene.holdfast.physics.joints.add().name = "joint"
    _known(cache)
    groups = [("", scene.holdfast), ("joint.", scene.holdfast.physics.joints[0])]
    tried = 0
    for start, group in groups:
        for path, owner, prop in list(_settings(group, start)):
            if not _changed(owner, prop):
                continue
            tried += 1
            assert _noticed(cache), path
            _known(cache)
    print(f"{tried} settings")
    assert tried > 50


def test_a_setting_that_changes_back_before_the_panel_settled_is_noticed(cache):
    """As a script does it: change, run a stage (which reads the states anew), change back."""
    timing = bpy.context.scene.holdfast.physics.timing
    before = timing.hold_frames
    timing.hold_frames = before + 5
    cache.refresh(bpy.context.scene)
    timing.hold_frames = before
    assert _noticed(cache)


def test_marks_of_objects_are_noticed(cache):
    thing = bpy.data.objects.new("thing", bpy.data.meshes.new("thing"))
    bpy.context.scene.collection.objects.link(thing)
    _known(cache)
    for name, value in (("is_part", True), ("part", "lid"), ("part_id", 7), ("see_through", True)):
        setattr(thing.holdfast, name, value)
        assert _noticed(cache), name
        _known(cache)
    bpy.context.view_layer.objects.active = thing
    _known(cache)
    thing.holdfast.density = 1234.0
    assert _noticed(cache)
