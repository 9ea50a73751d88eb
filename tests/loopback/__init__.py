# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers on this machine that speak the documented contracts of services, with their errors, limits and bad days."""
