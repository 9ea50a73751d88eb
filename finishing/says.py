# SPDX-License-Identifier: GPL-3.0-or-later
"""What a repair did, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from .ladder import DEFLICKER, HOLD, RERUN, RESTORE, RETIME, WARP

DOING: Mapping[str, str] = {
    RERUN: "Joining", RESTORE: "Putting back", WARP: "Moving back", RETIME: "Ordering", HOLD: "Holding the colour of",
    DEFLICKER: "Steadying",
}  # fmt: skip


def summary_of(spans: Sequence[Mapping[str, Any]]) -> str:
    """One sentence for all that an attempt did."""
    if not spans:
        return "Nothing was changed."
    return "; ".join(_said(span) for span in spans) + "."


def _said(span: Mapping[str, Any]) -> str:
    where = f"{span['part'] or 'picture'} {span['frames'][0]}-{span['frames'][1]}"
    if span.get("refused"):
        return f"{where} left as it was ({span['refused']})"
    kind = span["kind"]
    if kind == RESTORE:
        source = f"{span['seen']:.0%} of it from frames that show it"
        return f"{where} put back, {source if span.get('from') != 'render' else 'painted from the render'}"
    if kind == WARP:
        return f"{where} moved back by up to {span.get('moved_px', 0):.1f} px"
    if kind == HOLD:
        return f"{where} held its colour, {span.get('drift', 0):.0f} dE taken out"
    if kind == DEFLICKER:
        return f"{where} given the texture of other frames" if span.get("texture") else f"{where} steadied"
    if kind == RETIME:
        return f"{where} put in order, {span['moved']} frames moved, {len(span['made'])} made"
    seam = span.get("seam")
    return f"{where} drawn again" + ("" if seam is None else f", seam {seam:.1f} of 255")
