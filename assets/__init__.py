# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes from anywhere: hostile files found, quality measured, damage mended. Never imports bpy."""
