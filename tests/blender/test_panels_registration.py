# SPDX-License-Identifier: GPL-3.0-or-later
"""Registration is a table: it leaves nothing behind, comes back, and takes itself back when an entry fails."""

import bpy
import pytest


def _traces():
    handlers = {
        name: [getattr(each, "__module__", "") for each in getattr(bpy.app.handlers, name)]
        for name in dir(bpy.app.handlers)
        if isinstance(getattr(bpy.app.handlers, name), list)
    }
    return {
        "types": [name for name in dir(bpy.types) if name.startswith("HOLDFAST")],
        "owners": [
            hasattr(owner, "holdfast")
            for owner in (bpy.types.Scene, bpy.types.Object, bpy.types.WindowManager)
        ],
        "handlers": {
            name: [module for module in modules if "holdfast" in module] for name, modules in handlers.items()
        },
        "menus": len(getattr(bpy.types.VIEW3D_MT_object.draw, "_draw_funcs", [])),
    }


@pytest.fixture
def registration(module):
    registration = module("registration")
    yield registration
    if not registration._undo:
        registration.register()


def test_unregister_takes_everything_back_and_register_brings_it_again(registration, module):
    there = _traces()
    assert len(there["types"]) > 30
    registration.unregister()
    gone = _traces()
    assert gone["types"] == []
    assert not any(gone["owners"])
    assert not any(gone["handlers"].values())
    assert not bpy.app.timers.is_registered(module("operators.session").tick)
    registration.register()
    assert _traces() == there
    registration.unregister()
    assert _traces() == gone


def test_a_second_register_is_refused_and_changes_nothing(registration):
    there = _traces()
    with pytest.raises(RuntimeError, match="already"):
        registration.register()
    assert _traces() == there


def test_a_failing_entry_takes_back_what_was_registered_before_it(registration, monkeypatch):
    registration.unregister()
    empty = _traces()
    broken = type("HOLDFAST_PT_broken", (bpy.types.Panel,), {})  # no space type: Blender refuses it
    monkeypatch.setattr(registration, "CLASSES", (*registration.CLASSES, broken))
    with pytest.raises((RuntimeError, AttributeError)):
        registration.register()
    assert _traces() == empty


def test_every_operator_says_what_it_does_in_one_sentence(module):
    for name in dir(bpy.types):
        if not name.startswith("HOLDFAST_OT"):
            continue
        cls = getattr(bpy.types, name)
        words = cls.bl_description
        assert len(words.split()) >= 3, name
        assert not words.endswith("."), name
        assert cls.bl_idname.startswith("holdfast."), name


def _groups(module):
    return [cls for cls in module("registration").CLASSES if issubclass(cls, bpy.types.PropertyGroup)]


def test_every_setting_has_a_name_and_a_description(module):
    for group in _groups(module):
        for prop in group.bl_rna.properties:
            if prop.identifier in {"rna_type", "name"} or prop.type in {"POINTER", "COLLECTION"}:
                continue
            assert prop.name, (group, prop.identifier)
            assert prop.description, (group, prop.identifier)
            assert not prop.description.endswith("."), (group, prop.identifier)


def test_settings_survive_a_saved_file(tmp_path):
    settings = bpy.context.scene.holdfast
    settings.shot_name = "sh042"
    settings.sketches.add().height_mm = 12.5
    settings.physics.joints.add().depth_mm = 7.25
    settings.physics.timing.twist_frames = 9
    path = str(tmp_path / "a.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.wm.open_mainfile(filepath=path)
    settings = bpy.context.scene.holdfast
    assert settings.shot_name == "sh042"
    assert settings.sketches[0].height_mm == 12.5
    assert settings.physics.joints[0].depth_mm == 7.25
    assert settings.physics.timing.twist_frames == 9
