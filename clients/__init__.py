# SPDX-License-Identifier: GPL-3.0-or-later
"""Services behind one contract: what a provider can do is data, how to speak to it one small file. No bpy."""
