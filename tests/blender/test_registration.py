# SPDX-License-Identifier: GPL-3.0-or-later
"""Enabling and disabling leave nothing behind, twice over."""

from __future__ import annotations

from types import ModuleType

import addon_utils
import bpy
import pytest


def _handlers() -> dict[str, list[str]]:
    return {
        name: [f"{fn.__module__}.{fn.__qualname__}" for fn in functions]
        for name in dir(bpy.app.handlers)
        if isinstance(functions := getattr(bpy.app.handlers, name), list)
    }


def _footprint() -> dict[str, object]:
    """Everything in Blender that an extension can add to."""
    return {
        "types": set(dir(bpy.types)),
        "operators": {f"{group}.{name}" for group in dir(bpy.ops) for name in dir(getattr(bpy.ops, group))},
        "scene": set(bpy.types.Scene.bl_rna.properties.keys()),
        "object": set(bpy.types.Object.bl_rna.properties.keys()),
        "window manager": set(bpy.types.WindowManager.bl_rna.properties.keys()),
        "handlers": _handlers(),
        "keymaps": {
            (keymap.name, item.idname)
            for config in filter(None, [bpy.context.window_manager.keyconfigs.addon])
            for keymap in config.keymaps
            for item in keymap.keymap_items
        },
    }


def test_enabling_twice_and_disabling_twice_is_symmetric(holdfast: ModuleType) -> None:
    enabled = _footprint()
    addon_utils.disable(holdfast.__name__, default_set=True)
    disabled = _footprint()
    try:
        assert enabled["types"] != disabled["types"], "the extension registers nothing"
        for _ in range(2):
            holdfast.register()
            assert _footprint() == enabled
            holdfast.unregister()
            assert _footprint() == disabled
    finally:
        assert addon_utils.enable(holdfast.__name__, default_set=True) is holdfast
    assert _footprint() == enabled
    assert not any("HOLDFAST" in name for name in disabled["types"])
    assert not any(
        "holdfast" in name for name in disabled["operators"] | disabled["scene"] | disabled["object"]
    )


def test_paths_that_are_kept_may_begin_at_the_blend() -> None:
    """From 4.5 on Blender draws a path that begins with // in red where the property does not say that it may."""
    if bpy.app.version < (4, 5, 0):
        pytest.skip("it need not be said there")
    groups = [cls for cls in bpy.types.PropertyGroup.__subclasses__() if cls.__name__.startswith("HOLDFAST")]
    paths = [
        (cls.__name__, prop)
        for cls in groups
        for prop in cls.bl_rna.properties
        if getattr(prop, "subtype", "") in ("FILE_PATH", "DIR_PATH")
    ]
    assert len(paths) >= 5, paths
    assert [(name, prop.identifier) for name, prop in paths if not prop.is_path_supports_blend_relative] == []
