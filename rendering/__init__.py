# SPDX-License-Identifier: GPL-3.0-or-later
"""The ground truth: passes, mattes, poses, camera and colour of every frame."""
