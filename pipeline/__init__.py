# SPDX-License-Identifier: GPL-3.0-or-later
"""What every stage shares: files with manifests, staleness, the worker process. Never imports bpy."""
