# SPDX-License-Identifier: GPL-3.0-or-later
"""Prompt contracts: what is asked of a look, kept by version, checked before it is sent and after it came back."""
