# SPDX-License-Identifier: GPL-3.0-or-later
"""Holdfast: AI on the surface, physics underneath."""


def register() -> None:
    """Blender enables the extension."""
    try:
        from . import registration
    except ImportError as error:  # while stages are still being written: settings only
        print("Holdfast: settings only, since", error)
        _settings_only()
        return
    registration.register()


def unregister() -> None:
    """Blender disables the extension."""
    from . import registration

    registration.unregister()


def _settings_only() -> None:
    import bpy

    from . import preferences, properties

    for cls in (*properties.CLASSES, *preferences.CLASSES):
        bpy.utils.register_class(cls)
    bpy.types.Scene.holdfast = bpy.props.PointerProperty(type=properties.HOLDFAST_PG_shot)
    bpy.types.Object.holdfast = bpy.props.PointerProperty(type=properties.HOLDFAST_PG_object)
