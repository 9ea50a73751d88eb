# SPDX-License-Identifier: GPL-3.0-or-later
"""Worker tasks that are careless with keys."""

from ...pipeline import secret


def blurt(request, ctx):
    """Fails with the key in its message, its progress and its log."""
    key = secret.held()["HOLDFAST_STUDIO_KEY"]
    ctx.progress(0.5, f"using {key}")
    ctx.log(f"key={key}")
    raise ValueError(f"what is {key}?")


def tell(request, ctx):
    """How many keys there are, and whether they are these."""
    return {"names": sorted(secret.held()), "right": dict(secret.held()) == request["expected"]}
