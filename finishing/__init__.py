# SPDX-License-Identifier: GPL-3.0-or-later
"""Repair of takes, and the finish: composite, grade, titles, master, timeline and provenance. Never imports bpy."""
