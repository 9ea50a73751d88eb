# SPDX-License-Identifier: GPL-3.0-or-later
"""Control clips: what the ground truth knows, drawn as a model wants it. Nothing here imports Blender."""
