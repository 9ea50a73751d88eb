# SPDX-License-Identifier: GPL-3.0-or-later
"""One module per stage: read the scene, call the stage, put its result in the scene."""
