# SPDX-License-Identifier: GPL-3.0-or-later
"""Holdfast: AI on the surface, physics underneath."""


def register() -> None:
    """Blender enables the extension."""
    from . import registration

    registration.register()


def unregister() -> None:
    """Blender disables the extension."""
    from . import registration

    registration.unregister()
