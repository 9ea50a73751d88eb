# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigid bodies, joints, the baked motion and its proof."""
