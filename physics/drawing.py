# SPDX-License-Identifier: GPL-3.0-or-later
"""A cut through a joint as a drawing: filled and hatched outlines, clearances, marks and a scale bar, as inline SVG."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from .page_tables import number

HEIGHT = 260.0
"""Units of the viewBox upwards: a drawing of that many pixels has text of 12 pixels."""
WIDEST = 440.0
ROLES = ("socket", "peg")


class _Paper:
    """From mm in the picture to units of the viewBox, y downwards."""

    def __init__(self, window: Sequence[float]) -> None:
        self.left, self.bottom, self.right, self.top = (float(value) for value in window)
        self.width = min(HEIGHT * (self.right - self.left) / (self.top - self.bottom), WIDEST)
        self.scale = self.width / (self.right - self.left)
        self.height = self.scale * (self.top - self.bottom)

    def at(self, point: Sequence[float]) -> tuple[float, float]:
        return (float(point[0]) - self.left) * self.scale, (self.top - float(point[1])) * self.scale

    def path(self, loops: Sequence[Sequence[Sequence[float]]]) -> str:
        """The ``d`` of outlines; filled by the even-odd rule their holes stay open."""
        places = [[self.at(point) for point in loop] for loop in loops]
        return "".join("M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in loop) + "Z" for loop in places)


def window_of(section: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """The section's own window in mm, or the box around its outlines."""
    window = section.get("window")
    if window and len(window) == 4 and window[2] > window[0] and window[3] > window[1]:
        return float(window[0]), float(window[1]), float(window[2]), float(window[3])
    points = [p for shape in section.get("shapes", ()) for loop in shape.get("loops", ()) for p in loop]
    if not points:
        return -1.0, -1.0, 1.0, 1.0
    low = [min(float(p[k]) for p in points) for k in (0, 1)]
    high = [max(float(p[k]) for p in points) for k in (0, 1)]
    spare = 0.04 * max(high[0] - low[0], high[1] - low[1], 1e-3)
    return low[0] - spare, low[1] - spare, high[0] + spare, high[1] + spare


def draw(section: Mapping[str, Any], key: str) -> str:
    """The SVG; ``key`` makes its ids unique in the page."""
    paper = _Paper(window_of(section))
    shapes = [(s.get("role", "peg"), paper.path(s.get("loops", ()))) for s in section.get("shapes", ())]
    shapes.sort(key=lambda shape: ROLES.index(shape[0]) if shape[0] in ROLES else 0)
    name = escape(str(section.get("title", "Section")))
    box = f"0 0 {paper.width:.1f} {paper.height:.1f}"
    parts = [f'<svg class="section" viewBox="{box}" role="img" aria-label="{name}">', _defs(key, shapes)]
    for role, path in shapes:
        kind = role if role in ROLES else "peg"
        parts.append(f'<path class="fill {kind}" fill-rule="evenodd" d="{path}"/>')
        parts.append(f'<path fill="url(#{key}-{kind})" fill-rule="evenodd" d="{path}"/>')
    pegs = "".join(f'<path fill-rule="evenodd" d="{path}"/>' for role, path in shapes if role != "socket")
    if pegs and any(role == "socket" for role, _ in shapes):
        parts.append(f'<g class="overlap" clip-path="url(#{key}-inside)">{pegs}</g>')
    parts += [
        f'<path class="outline {role if role in ROLES else "peg"}" d="{path}"/>' for role, path in shapes
    ]
    parts += [_line(paper, line) for line in section.get("lines", ())]
    parts += [_dimension(paper, dim, k) for k, dim in enumerate(section.get("dims", ()))]
    parts += [_mark(paper, mark) for mark in section.get("marks", ())]
    return "".join(parts) + _bar(paper) + "</svg>"


def figures(sections: Sequence[Mapping[str, Any]], key: str) -> str:
    """The cuts, each with its caption; the first is the largest."""
    shown = []
    for index, section in enumerate(sections):
        names: dict[str, list[str]] = {}
        for shape in section.get("shapes") or ():
            role = str(shape.get("role", "peg"))
            part = str(shape.get("part", role))
            if part not in names.setdefault(role, []):
                names[role].append(part)
        legend = "".join(
            f'<span class="key {"socket" if role == "socket" else "peg"}">{escape(" + ".join(parts))}</span>'
            for role, parts in sorted(names.items())
        )
        frame = f"Frame {number(section['frame'])}" if section.get("frame") is not None else ""
        words = [frame, str(section.get("why") or ""), str(section.get("says") or "")]
        said = ". ".join(escape(word[:1].upper() + word[1:]) for word in words if word)
        shown.append(
            f'<figure class="{escape(str(section.get("view", "")))}">{draw(section, f"{key}s{index}")}<figcaption>'
            f"<b>{escape(str(section.get('title', '')))}</b><span class=legend>{legend}</span><span>{said}.</span></figcaption></figure>"
        )
    return f'<div class="pictures n{len(shown)}">{"".join(shown)}</div>' if shown else ""


def _defs(key: str, shapes: Sequence[tuple[str, str]]) -> str:
    """Hatches that lean one way in the peg and the other in the socket, and the socket's material as a clip."""
    hatch = "".join(
        f'<pattern id="{key}-{role}" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate({turn})">'
        f'<path class="hatch {role}" d="M0 0V7"/></pattern>'
        for role, turn in zip(ROLES, (45, -45), strict=True)
    )
    inside = "".join(f'<path clip-rule="evenodd" d="{path}"/>' for role, path in shapes if role == "socket")
    return f'<defs>{hatch}<clipPath id="{key}-inside">{inside}</clipPath></defs>'


def _line(paper: _Paper, line: Mapping[str, Any]) -> str:
    """A centre line or the trace of the other cut, its letter at both ends."""
    (ax, ay), (bx, by) = paper.at(line["from"]), paper.at(line["to"])
    drawn = f'<path class="centre" d="M{ax:.1f} {ay:.1f}L{bx:.1f} {by:.1f}"/>'
    says = str(line.get("says", ""))
    if len(says) != 1:
        return drawn
    y = max(ay - 6.0, 14.0)
    letters = (
        f'<text class="letter" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{escape(says)}</text>'
        for x in (ax + 12, bx - 12)
    )
    return drawn + "".join(letters)


def _dimension(paper: _Paper, dim: Mapping[str, Any], number: int) -> str:
    """A free length: its ends as ticks, its figure beside it."""
    (ax, ay), (bx, by) = paper.at(dim["from"]), paper.at(dim["to"])
    text = escape(str(dim.get("says", "")))
    if abs(ax - bx) > abs(ay - by):
        ticks = f"M{ax:.1f} {ay - 9:.1f}v18M{bx:.1f} {by - 9:.1f}v18M{ax:.1f} {ay:.1f}H{bx:.1f}"
        place = f'x="{max(ax, bx) + 7:.1f}" y="{ay + 4:.1f}"'
    else:
        ticks = f"M{ax - 9:.1f} {ay:.1f}h18M{bx - 9:.1f} {by:.1f}h18M{ax:.1f} {ay:.1f}V{by:.1f}"
        place = f'x="{ax + 15:.1f}" y="{0.5 * (ay + by) + 4:.1f}"'
    return f'<path class="dim" d="{ticks}"/><text class="dim-text" {place}>{text}</text>'


def _mark(paper: _Paper, mark: Mapping[str, Any]) -> str:
    x, y = paper.at(mark["at"])
    drawn = f'<g class="mark"><circle cx="{x:.1f}" cy="{y:.1f}" r="8"/><path d="M{x - 13:.1f} {y:.1f}h8m10 0h8M{x:.1f} {y - 13:.1f}v8m0 10v8"/></g>'
    left = x < 0.62 * paper.width
    place = f'x="{x + 15 if left else x - 15:.1f}" y="{max(y - 10, 14):.1f}" text-anchor="{"start" if left else "end"}"'
    return f'{drawn}<text class="mark-text" {place}>{escape(str(mark.get("says", "")))}</text>'


def _bar(paper: _Paper) -> str:
    """A scale bar of a round length, a sixteenth to a sixth of the width."""
    length = 0.16 * (paper.right - paper.left)
    power = 1.0
    while power > length:
        power /= 10.0
    while power * 10.0 <= length:
        power *= 10.0
    length = next(power * k for k in (5.0, 2.0, 1.0) if power * k <= length)
    x, y, w = 12.0, paper.height - 12.0, length * paper.scale
    return (
        f'<path class="bar" d="M{x:g} {y - 4:.1f}v4h{w:.1f}v-4"/>'
        f'<text class="bar-text" x="{x + w + 7:.1f}" y="{y + 2:.1f}">{length:g} mm</text>'
    )
