# SPDX-License-Identifier: GPL-3.0-or-later
"""Which plots the proof page shows: the baked motion by scene frame, every trial by its own time."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from .page_tables import icon, is_control, measure, sentence, title_of, unit_of
from .plots import Phase, Plot, Series, draw

NAMES = {
    "depth_mm": "Depth", "turned_deg": "Turned", "penetration_mm": "Penetration", "force_n": "Force",
    "torque_nm": "Torque", "lateral_mm": "Off the axis", "tilt_deg": "Tilt", "travel_mm": "Travel",
}  # fmt: skip
LEAST = {"mm": 0.02, "°": 0.2, "N": 1.0, "N m": 0.01}
"""Least span of the value axis by unit."""
TRIALS = {
    "insertion": "Insertion by contacts", "pull": "Pull: ramp and hold", "shake": "Shake",
    "unlock_torque": "Torque to unlock", "reverse_twist": "Unlocking by the reverse twist",
    "draw_only": "Drawn without the twist", "drop": "Drop", "break": "Break",
    "unlocked": "Control: pulled unlocked", "no_lugs": "Control: pulled without lugs",
    "misaligned": "Control: pushed in beside the slots",
}  # fmt: skip
"""Title of every trial, in the order in which they are shown."""
OF_TRIAL = {"insertion": "contact"}


def _phases(events: Mapping[str, Sequence[float]]) -> list[Phase]:
    """The spans that follow each other; those inside another are left out."""
    spans = sorted(
        ((float(span[0]), float(span[1]), name) for name, span in events.items() if len(span) == 2),
        key=lambda s: (s[0], -s[1]),
    )
    result: list[Phase] = []
    for start, end, name in spans:
        if result and end <= result[-1].end:
            continue
        joined = result and start - result[-1].end <= 1.0
        result.append(Phase(name, result[-1].end if joined else start, end))
    return result


def motion_plots(
    motion: Mapping[str, Any],
    checks: Mapping[str, Mapping[str, Any]],
    events: Mapping[str, Any],
    joint: Mapping[str, Any],
) -> str:
    """Depth, angle, penetration and whatever else the baked motion was measured in, by scene frame."""
    times = motion.get("times") or []
    limit = checks.get("swept.penetration", {}).get("limit")
    targets = {"depth_mm": joint.get("depth_mm"), "turned_deg": joint.get("twist_deg")}
    drawn = []
    for key, values in motion.items():
        if key == "times" or not isinstance(values, list) or not values:
            continue
        limits = (None, float(limit)) if key == "penetration_mm" and limit is not None else (None, None)
        unit = unit_of(key)
        plot = Plot(NAMES.get(key, title_of(key)), unit, times, [Series(values)], "scene frame", limits,
                    _phases(events), LEAST.get(unit, 1e-3), targets.get(key))  # fmt: skip
        drawn.append((list(NAMES).index(key) if key in NAMES else len(NAMES), draw(plot)))
    drawn.sort(key=lambda pair: pair[0])
    return f'<div class="plots">{"".join(svg for _, svg in drawn)}</div>' if drawn else ""


def trial_cards(tests: Mapping[str, Mapping[str, Any]], checks: Sequence[Mapping[str, Any]],
                fps: float | None, pull_limit: float | None) -> str:  # fmt: skip
    """A card a trial: how it ended, in which words the checks put it, and its traces."""
    order = {name: number for number, name in enumerate(TRIALS)}
    names = sorted(tests, key=lambda name: (order.get(name, len(order)), name))
    cards: list[str] = []
    controls: list[str] = []
    for name in names:
        own = [check for check in checks if _belongs(str(check.get("id", "")), name)]
        limits = (pull_limit, None) if name == "pull" else (None, None)
        fault = bool(own) and all(is_control(check) for check in own)
        (controls if fault else cards).append(_card(name, tests[name], own, fps, limits, brief=fault))
    both = ("trials", cards), ("trials brief", controls)
    return "".join(f'<div class="{kind}">{"".join(some)}</div>' for kind, some in both if some)


def _belongs(check: str, trial: str) -> bool:
    first, _, second = check.partition(".")
    return trial in (first, second) or OF_TRIAL.get(trial) == first


def _card(name: str, test: Mapping[str, Any], checks: Sequence[Mapping[str, Any]], fps: float | None,
          limits: tuple[float | None, float | None], *, brief: bool) -> str:  # fmt: skip
    """``brief``: only the first trace, which for a fault says it all."""
    ok = all(check.get("ok") for check in checks)
    mark = icon("ok" if ok else "bad", "passed" if ok else "failed") if checks else ""
    decided = "released" in test and any(check.get("unit") == "released" for check in checks)
    outcome = ("came off" if test["released"] else "held") if decided else ""
    says = "".join(f"<p>{sentence(check)}.</p>" for check in checks)
    facts = [
        f"{NAMES.get(key, title_of(key)).lower()} {measure(round(float(test[key]), 3), unit_of(key))}"
        for key in ("depth_mm", "turned_deg", "tilt_deg", "lateral_mm")
        if isinstance(test.get(key), int | float)
    ]
    trace = test.get("trace") if isinstance(test.get("trace"), Mapping) else {}
    order = ["force_n", "torque_nm", *NAMES]
    keys = sorted(trace or {}, key=lambda key: order.index(key) if key in order else len(order))
    if brief:
        keys = [key for key in keys if key in ("depth_mm", "travel_mm")][:1] or keys[:1]
    plots = "".join(_trace(key, (trace or {})[key], fps, limits) for key in keys)
    return (
        f'<article class="trial"><header>{mark}<h3>{escape(TRIALS.get(name, title_of(name)))}</h3>'
        f'<span class="outcome">{outcome}</span></header>{says}'
        f'<p class="soft">{" · ".join(facts)}</p><div class="plots">{plots}</div></article>'
    )


def _trace(key: str, values: object, fps: float | None, limits: tuple[float | None, float | None]) -> str:
    """One trace; of quantities that never differ from zero there is none."""
    if not isinstance(values, list) or len(values) < 2 or not any(values):
        return ""
    times = [k / fps if fps else float(k) for k in range(len(values))]
    unit = unit_of(key)
    plot = Plot(NAMES.get(key, title_of(key)), unit, times, [Series(values)], "s" if fps else "frame",
                limits if key == "depth_mm" else (None, None), least=LEAST.get(unit, 1e-3))  # fmt: skip
    return draw(plot)
