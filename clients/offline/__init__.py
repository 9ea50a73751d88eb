# SPDX-License-Identifier: GPL-3.0-or-later
"""Providers that need no network, no key and no money."""
