# SPDX-License-Identifier: GPL-3.0-or-later
"""One adapter a file: builds a service's requests and reads its answers."""
