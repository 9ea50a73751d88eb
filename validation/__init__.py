# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate: measures a take against the ground truth, part by part and frame by frame. Never imports bpy."""
