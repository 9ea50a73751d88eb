# SPDX-License-Identifier: GPL-3.0-or-later
"""Small line plots as inline SVG: no script, no font, no style of their own but the page's classes and CSS variables."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 380.0, 200.0
"""Units of the viewBox: a plot of that many pixels has text of 12 pixels."""
LEFT, RIGHT, TOP, BOTTOM = 54.0, 12.0, 40.0, 34.0
"""Margins; without phases the picture is lower by what their names take."""
LETTER = 6.1
"""Mean width of a letter of the plot's text."""
MOST_POINTS = 600


@dataclass(frozen=True)
class Series:
    """A line. ``values`` in the plot's unit, one a time; None where there is none. ``label`` stands at its end."""

    values: Sequence[float | None]
    label: str = ""


@dataclass(frozen=True)
class Phase:
    """A span of the time axis with a name."""

    label: str
    start: float
    end: float


@dataclass(frozen=True)
class Plot:
    """``limits`` (lowest, highest allowed, None: any); ``least`` span of the value axis, so that noise stays small;
    ``target``: a value that the line should reach.
    """

    title: str
    unit: str
    times: Sequence[float]
    series: Sequence[Series]
    time_unit: str = "frame"
    limits: tuple[float | None, float | None] = (None, None)
    phases: Sequence[Phase] = ()
    least: float = 1e-3
    target: float | None = None


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round values (1, 2 or 5 times a power of ten apart) within low..high, high above low: 2 to ``most`` or a few more."""
    result: list[float] = []
    while len(result) < 2:
        step = (high - low) / most
        power = 10.0 ** math.floor(math.log10(step))
        step = next(power * k for k in (1.0, 2.0, 5.0, 10.0) if power * k >= step * (1.0 - 1e-9))
        first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
        result = [k * step for k in range(first, last + 1)]
        most += 1
    return result


def decimals(values: Sequence[float]) -> int:
    """Decimal places that tell evenly spaced values apart."""
    return max(0, -math.floor(math.log10(abs(values[1] - values[0])) + 1e-9))


def thinned(times: Sequence[float], values: Sequence[float | None]) -> list[tuple[float, float | None]]:
    """The points that are drawn: all, or of very many the lowest and the highest of each stretch, so no peak is lost."""
    points = list(zip(times, values, strict=False))
    if len(points) <= MOST_POINTS:
        return points
    size = math.ceil(2 * len(points) / MOST_POINTS)
    result: list[tuple[float, float | None]] = []
    for begin in range(0, len(points), size):
        chunk = points[begin : begin + size]
        known = [(value, k) for k, (_, value) in enumerate(chunk) if value is not None]
        ends = {min(known)[1], max(known)[1]} if known else {0}
        result += [chunk[k] for k in sorted(ends)]
    return result


@dataclass(frozen=True)
class _Axes:
    """From values to places in the picture."""

    x: tuple[float, float]
    y: tuple[float, float]

    def across(self, value: float) -> float:
        low, high = self.x
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - low) / (high - low)

    def up(self, value: float) -> float:
        low, high = self.y
        inner = HEIGHT - TOP - BOTTOM
        return TOP + inner * (1.0 - min(max((value - low) / (high - low), -1.0), 2.0))


def draw(plot: Plot) -> str:
    """The SVG. Text is escaped; a plot without a single value says so."""
    values = [v for series in plot.series for v in series.values if v is not None and math.isfinite(v)]
    title = escape(f"{plot.title}, {plot.unit}")
    box = f"0 0 {WIDTH:g} {HEIGHT:g}" if plot.phases else f"0 16 {WIDTH:g} {HEIGHT - 16:g}"
    head = (
        f'<svg class="plot" viewBox="{box}" role="img" aria-label="{title}">'
        f'<text class="title" x="4" y="{14 if plot.phases else 30}">{escape(plot.title)}<tspan class="unit" dx="6">{escape(plot.unit)}</tspan></text>'
    )
    if not values or not len(plot.times):
        return f'{head}<text class="soft" x="{WIDTH / 2:g}" y="{HEIGHT / 2:g}" text-anchor="middle">not measured</text></svg>'
    axes = _axes(plot, values)
    parts = [
        head,
        _phases(plot, axes),
        _limits(plot, axes),
        _grid(plot, axes),
        _target(plot, axes),
        _lines(plot, axes),
    ]
    return "".join(parts) + "</svg>"


def _axes(plot: Plot, values: Sequence[float]) -> _Axes:
    low, high = min(values), max(values)
    if plot.target is not None and abs(plot.target - 0.5 * (low + high)) < 3.0 * max(high - low, plot.least):
        low, high = min(low, plot.target), max(high, plot.target)
    for limit, sign in zip(plot.limits, (-1.0, 1.0), strict=True):
        if limit is not None and abs(limit - 0.5 * (low + high)) < 3.0 * max(high - low, plot.least):
            beyond = limit + sign * 0.35 * max(high - low, abs(limit - low), abs(limit - high))
            low, high = min(low, beyond), max(high, beyond)
    if high - low < plot.least:
        middle = 0.5 * (low + high)
        low, high = (
            (0.0, plot.least) if low == 0.0 == high else (middle - plot.least / 2, middle + plot.least / 2)
        )
    spare = 0.06 * (high - low)
    start, end = float(min(plot.times)), float(max(plot.times))
    return _Axes((start, end if end > start else start + 1.0), (low - spare, high + spare))


def _rect(kind: str, left: float, top: float, right: float, bottom: float) -> str:
    return f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{max(right - left, 0.0):.1f}" height="{max(bottom - top, 0.0):.1f}"/>'


def _phases(plot: Plot, axes: _Axes) -> str:
    """Every other phase shaded; its name above it, upright where it is narrow."""
    parts = []
    for number, phase in enumerate(plot.phases):
        left = min(max(axes.across(phase.start), LEFT), WIDTH - RIGHT)
        right = min(max(axes.across(phase.end), LEFT), WIDTH - RIGHT)
        if number % 2 == 0:
            parts.append(_rect("phase", left, TOP, right, HEIGHT - BOTTOM))
        middle, label = 0.5 * (left + right), escape(phase.label)
        if right - left >= LETTER * len(phase.label) * 0.86:
            parts.append(
                f'<text class="small" x="{middle:.1f}" y="{TOP - 6:g}" text-anchor="middle">{label}</text>'
            )
        elif right - left >= 9.0:
            turned = f'transform="translate({middle + 3.5:.1f} {TOP + 5:g}) rotate(-90)" text-anchor="end"'
            parts.append(f'<text class="small" {turned}>{label}</text>')
    return "".join(parts)


def _limits(plot: Plot, axes: _Axes) -> str:
    """What is beyond a limit is red; the limit itself is a dashed line with its value."""
    parts = []
    for limit, sign in zip(plot.limits, (-1.0, 1.0), strict=True):
        if limit is None or not axes.y[0] < limit < axes.y[1]:
            continue
        y, edge = axes.up(limit), HEIGHT - BOTTOM if sign < 0.0 else TOP
        parts.append(_rect("beyond", LEFT, min(y, edge), WIDTH - RIGHT, max(y, edge)))
        parts.append(f'<path class="limit" d="M{LEFT:g} {y:.1f}H{WIDTH - RIGHT:g}"/>')
        inside = y - 4.0 if sign > 0.0 else y + 12.0
        text = escape(f"limit {limit:.6g} {plot.unit}")
        parts.append(f'<text class="limit-text" x="{LEFT + 6:g}" y="{inside:.1f}">{text}</text>')
    return "".join(parts)


def _grid(plot: Plot, axes: _Axes) -> str:
    parts = []
    levels = ticks(*axes.y, most=4)
    for level in levels:
        y, text = axes.up(level), f"{level + 0.0:.{decimals(levels)}f}".replace("-", "\u2212")
        parts.append(f'<path class="grid" d="M{LEFT:g} {y:.1f}H{WIDTH - RIGHT:g}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 6:g}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    moments = ticks(*axes.x, most=6)
    base = HEIGHT - BOTTOM
    for moment in moments:
        x, text = axes.across(moment), f"{moment + 0.0:.{decimals(moments)}f}"
        parts.append(f'<path class="axis" d="M{x:.1f} {base:g}v4"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{base + 16:g}" text-anchor="middle">{text}</text>')
    parts.append(f'<path class="axis" d="M{LEFT:g} {base:g}H{WIDTH - RIGHT:g}"/>')
    right = f'x="{WIDTH - RIGHT:g}" y="{HEIGHT - 3:g}" text-anchor="end"'
    return "".join(parts) + f'<text class="soft" {right}>{escape(plot.time_unit)}</text>'


def _target(plot: Plot, axes: _Axes) -> str:
    if plot.target is None or not axes.y[0] < plot.target < axes.y[1]:
        return ""
    return f'<path class="target" d="M{LEFT:g} {axes.up(plot.target):.1f}H{WIDTH - RIGHT:g}"/>'


def _lines(plot: Plot, axes: _Axes) -> str:
    """The series, each with its name at its end, moved apart where names would lie on each other."""
    parts, ends = [], []
    for number, series in enumerate(plot.series):
        steps, pen, last = [], "M", None
        for time, value in thinned(plot.times, series.values):
            if value is None or not math.isfinite(value):
                pen = "M"
                continue
            last = (axes.across(time), axes.up(value))
            steps.append(f"{pen}{last[0]:.1f} {last[1]:.1f}")
            pen = "L"
        parts.append(f'<path class="line s{number % 4}" d="{"".join(steps)}"/>')
        if last is not None:
            parts.append(f'<circle class="dot s{number % 4}" cx="{last[0]:.1f}" cy="{last[1]:.1f}" r="2.6"/>')
            ends.append((last[1], last[0], number, series.label))
    lowest = TOP - 16.0
    for y, x, number, label in sorted(ends):
        if not label:
            continue
        lowest = max(lowest + 13.0, y - 6.0, TOP + 8.0)
        parts.append(
            f'<text class="label s{number % 4}" x="{x - 5:.1f}" y="{lowest:.1f}" text-anchor="end">{escape(label)}</text>'
        )
    return "".join(parts)
