# SPDX-License-Identifier: GPL-3.0-or-later
"""The sixteen scenes of the tuning takes."""

from dataclasses import replace

import numpy as np

from .scenes import Part, Scene
from .solids import F64, Solid, ball, box, pose, rod, smooth


def _orbit(t: float) -> F64:
    return pose(0.03 * t, -0.01 * t, 0, yaw=-6 * t)


def _hand(t: float) -> F64:
    """A camera held by hand: smooth, never at rest."""
    sway = [
        np.sin(a * t + b) + 0.5 * np.sin(2.3 * a * t + 2 * b)
        for a, b in ((7, 0.3), (9, 1.1), (11, 2.0), (8, 4.0))
    ]
    return pose(0.008 * sway[0], 0.006 * sway[1], 0, 0.8 * sway[2], 1.2 * sway[3], 0.8 * sway[0])


def _gear(radius: float, teeth: int, thick: float) -> tuple[Solid, ...]:
    out = [rod(radius, -thick, thick)]
    for k in range(teeth):
        a = 2 * np.pi * k / teeth
        out.append(
            box(
                0.1 * radius,
                0.11 * radius,
                thick,
                1.08 * radius * np.cos(a),
                1.08 * radius * np.sin(a),
                0,
                spin=np.degrees(a),
            )
        )
    out.append(box(0.55 * radius, 0.07 * radius, thick * 1.4))
    return tuple(out)


def _lantern(t: float, part: str) -> F64:
    base = pose(0.0, 0.008, 0.42, tilt=70)
    if part == "body":
        return base
    return base @ pose(0, 0, 0.055 * (1 - smooth(t, 0.05, 0.6)), spin=60 * smooth(t, 0.62, 0.85))


def _joint(texture: float) -> tuple[Part, ...]:
    lid = (rod(0.037, 0, 0.016), ball(0.014, 0, 0, 0.02), box(0.016, 0.005, 0.004, 0.022, 0, 0.018))
    return (
        Part("body", (rod(0.035, -0.06, 0), box(0.008, 0.004, 0.012, 0.038, 0.0, -0.02)), lambda t: _lantern(t, "body"), (0.75, 0.55, 0.3), texture),
        Part("lid", lid, lambda t: _lantern(t, "lid"), (0.35, 0.5, 0.65), texture, joint="body"),
        Part("peg", (rod(0.013, -0.028, 0.0),), lambda t: _lantern(t, "lid"), (0.8, 0.78, 0.7), texture),
    )  # fmt: skip


def _hinge() -> tuple[Part, ...]:
    """A plate and a leaf that folds by 75 degrees about the plate's edge."""

    def base(t: float) -> F64:
        return pose(-0.005, 0.02, 0.42, tilt=-25, yaw=70) @ pose(0, 0, 0, tilt=90)

    def leaf(t: float) -> F64:
        return base(t) @ pose(spin=15 + 75 * smooth(t, 0.1, 0.9))

    plate = (box(0.04, 0.005, 0.045, -0.04, 0.006, 0), rod(0.007, -0.046, -0.016), rod(0.007, 0.016, 0.046))
    wing = (
        box(0.036, 0.005, 0.045, 0.038, 0.006, 0),
        rod(0.0068, -0.015, 0.015),
        ball(0.009, 0.058, -0.002, 0.0),
    )
    return (
        Part("plate", plate, base, (0.45, 0.5, 0.42), 0.25),
        Part("leaf", wing, leaf, (0.75, 0.42, 0.28), 0.25, joint="plate"),
    )


def _slider() -> tuple[Part, ...]:
    """A peg goes into a channel, its handle stays out."""

    def channel(t: float) -> F64:
        return pose(0.045, 0.01, 0.45, tilt=15, yaw=55)

    def peg(t: float) -> F64:
        return channel(t) @ pose(0, 0, -0.115 + 0.075 * smooth(t, 0.1, 0.85), spin=8)

    walls = (box(0.006, 0.03, 0.05, -0.026, 0, 0), box(0.006, 0.03, 0.05, 0.026, 0, 0),
             box(0.032, 0.006, 0.05, 0, 0.026, 0), box(0.032, 0.006, 0.05, 0, -0.026, 0))  # fmt: skip
    rod_like = (box(0.014, 0.014, 0.05), box(0.032, 0.006, 0.006, 0, 0, -0.05), rod(0.011, -0.062, -0.05))
    return (
        Part("channel", walls, channel, (0.4, 0.45, 0.6), 0.2),
        Part("peg", rod_like, peg, (0.85, 0.6, 0.25), 0.25, joint="channel"),
    )


COLOURS = [(0.7, 0.2, 0.2), (0.2, 0.5, 0.3), (0.8, 0.7, 0.2), (0.25, 0.3, 0.7), (0.5, 0.5, 0.5),
           (0.6, 0.3, 0.6), (0.3, 0.65, 0.7), (0.85, 0.55, 0.4)]  # fmt: skip


def _crowd() -> tuple[Part, ...]:
    shapes = [(box(0.02, 0.018, 0.015),), (rod(0.017, -0.02, 0.02),), (ball(0.021),),
              (box(0.012, 0.026, 0.012), box(0.02, 0.008, 0.012, 0, 0.02, 0))]  # fmt: skip

    def path(i: int):
        x, y = -0.135 + 0.09 * (i % 4), -0.045 + 0.085 * (i // 4)
        return lambda t: pose(
            x + 0.01 * np.sin(4 * t + i),
            y + 0.014 * np.sin(5 * t + 2 * i),
            0.5 + 0.04 * (i % 3),
            20 + 25 * t,
            40 * t + 25 * i,
            10 * i,
        )

    return tuple(
        Part(f"part{i}", shapes[i % 4], path(i), colour, 0.22 * (i % 5 != 2))
        for i, colour in enumerate(COLOURS)
    )


def _occlusion() -> tuple[Part, ...]:
    def ball_at(t: float) -> F64:
        x = -0.13 + 0.13 * smooth(t, 0.0, 0.42) + 0.13 * smooth(t, 0.58, 1.0)
        return pose(x, -0.01, 0.5, 0, 140 * t, 20)

    return (
        Part("post", (box(0.034, 0.085, 0.03), box(0.042, 0.01, 0.036, 0, 0.08, 0)), lambda t: pose(0, 0, 0.38, 0, 20), (0.4, 0.4, 0.45), 0.2),
        Part("ball", (ball(0.028),), ball_at, (0.8, 0.35, 0.2), 0.3),
        Part("crate", (box(0.022, 0.022, 0.022),), lambda t: pose(0.13 - 0.06 * t, 0.06, 0.55, 15, 40 * t, 0), (0.3, 0.55, 0.35), 0.25),
    )  # fmt: skip


def _handheld() -> tuple[Part, ...]:
    def lift(t: float) -> F64:
        return pose(0.02, 0.025 - 0.06 * smooth(t, 0.2, 0.9), 0.45, 70, 0, 30 * t)

    return (
        Part("stand", (box(0.06, 0.012, 0.05), rod(0.03, 0, 0.001)), lambda t: pose(0.01, 0.07, 0.48, 5, 25), (0.5, 0.4, 0.35), 0.25),
        Part("cup", (rod(0.028, -0.03, 0.02), box(0.012, 0.005, 0.014, 0.036, 0, -0.005)), lift, (0.25, 0.5, 0.6), 0.2),
        Part("cube", (box(0.02, 0.02, 0.02),), lambda t: pose(-0.1, 0.04, 0.5, 20, 30 + 60 * t, 0), (0.8, 0.65, 0.25), 0.25),
        Part("bead", (ball(0.017),), lambda t: pose(0.115, -0.035 + 0.05 * t, 0.5, 0, 90 * t), (0.65, 0.25, 0.4), 0.3),
    )  # fmt: skip


def _tumble() -> tuple[Part, ...]:
    def slab(t: float) -> F64:
        return pose(0, 0, 0.4, 35 * np.sin(3 * t), 60 * t - 30, 20 * t)

    return (
        Part("slab", (box(0.05, 0.035, 0.012),), slab, (0.3, 0.6, 0.6), 0.25),
        Part("knob", (rod(0.015, 0.012, 0.035), box(0.006, 0.016, 0.004, 0.008, 0, 0.03)), lambda t: slab(t) @ pose(0.02, 0, 0, 180, 0, 40 * t), (0.85, 0.5, 0.2), 0.15, joint="slab"),
    )  # fmt: skip


def _small() -> tuple[Part, ...]:
    return (
        Part("slab", (box(0.035, 0.025, 0.01),), lambda t: pose(-0.01, 0.03, 0.45, 30 * np.sin(3 * t), 50 * t - 25, 15 * t), (0.3, 0.6, 0.6), 0.25),
        Part("pin", (rod(0.0035, -0.04, 0.04), ball(0.007, 0, 0, -0.04)), lambda t: pose(0.09 + 0.02 * t, -0.02, 0.42, 75, 10 * t, 90 * t), (0.8, 0.8, 0.8), 0.1),
        Part("dot", (ball(0.0036),), lambda t: pose(-0.09, -0.06 + 0.05 * t, 0.45, 0, 80 * t), (0.9, 0.8, 0.2), 0.15),
        Part("nut", (box(0.006, 0.006, 0.004), box(0.006, 0.006, 0.004, spin=45)), lambda t: pose(-0.06 + 0.04 * t, -0.055, 0.46, 30, 60 * t, 50 * t), (0.75, 0.3, 0.25), 0.15),
    )  # fmt: skip


def _blur() -> tuple[Part, ...]:
    blades = (rod(0.014, -0.008, 0.008), box(0.05, 0.01, 0.004), box(0.01, 0.05, 0.004))
    return (
        Part("rotor", blades, lambda t: pose(-0.06, -0.01, 0.45, 15, -20, 420 * t), (0.75, 0.5, 0.3), 0.2),
        Part("puck", (rod(0.022, -0.008, 0.008), box(0.022, 0.004, 0.003, 0, 0, -0.009)), lambda t: pose(0.08, 0.055 * np.sin(9 * t), 0.46, 40, 0, 200 * t), (0.25, 0.45, 0.65), 0.25),
        Part("block", (box(0.035, 0.015, 0.02),), lambda t: pose(-0.01 + 0.12 * np.sin(6.3 * t), 0.08, 0.5, 0, 20 * t), (0.45, 0.6, 0.35), 0.25),
    )  # fmt: skip


def _glass() -> tuple[Part, ...]:
    def jar(t: float) -> F64:
        return pose(0.02 * t, 0.02, 0.42, tilt=75, spin=25 * t)

    return (
        Part("jar", (rod(0.042, -0.055, 0.03), box(0.01, 0.006, 0.02, 0.048, 0, -0.01)), jar, (0.55, 0.75, 0.72), 0.1, 0.6, glass=0.6),
        Part("cap", (rod(0.044, 0.031, 0.046), box(0.044, 0.006, 0.004, 0, 0, 0.049)), lambda t: jar(t) @ pose(spin=80 * smooth(t, 0.3, 0.9)), (0.6, 0.3, 0.25), 0.2, joint="jar"),
        Part("figure", (box(0.016, 0.016, 0.02), ball(0.015, 0, 0, 0.03)), lambda t: jar(t) @ pose(0, 0, -0.03, spin=90 * t), (0.85, 0.65, 0.2), 0.25),
        Part("cone", (box(0.03, 0.05, 0.02),), lambda t: pose(0.15 - 0.03 * t, 0.03, 0.6, 5, 30 + 30 * t), (0.35, 0.4, 0.65), 0.25),
    )  # fmt: skip


def _gears() -> tuple[Part, ...]:
    def wheel(x: float, turn: float, start: float):
        return lambda t: pose(x, 0.0, 0.45, -15, 12) @ pose(spin=start + turn * t)

    return (
        Part("frame", (box(0.11, 0.012, 0.006),), lambda t: pose(0.0, 0, 0.45, -15, 12) @ pose(0, 0, 0.02), (0.4, 0.42, 0.45), 0.15),
        Part("wheel", _gear(0.042, 12, 0.009), wheel(-0.046, 150, 0), (0.75, 0.6, 0.3), 0.2, joint="frame"),
        Part("pinion", _gear(0.028, 8, 0.009), wheel(0.037, -225, 22.5), (0.35, 0.5, 0.55), 0.2, joint="frame"),
    )  # fmt: skip


def _logo() -> tuple[Part, ...]:
    def stand(t: float) -> F64:
        return pose(0, 0.065, 0.45, 0, 20 - 30 * t)

    return (
        Part("base", (box(0.06, 0.01, 0.03),), stand, (0.4, 0.38, 0.4), 0.2),
        Part("plate", (box(0.075, 0.0375, 0.006),), lambda t: stand(t) @ pose(0, -0.06, 0, 8 * np.sin(4 * t), 12 * t), (0.85, 0.82, 0.75), 0.05, logo=True),
        Part("screw", (rod(0.008, -0.014, 0.01), box(0.007, 0.0016, 0.001, 0, 0, -0.0145)), lambda t: stand(t) @ pose(0.055, -0.006, -0.028, spin=180 * t), (0.7, 0.7, 0.72), 0.1, 0.6, joint="base"),
    )  # fmt: skip


def _white() -> tuple[Part, ...]:
    white = (0.86, 0.86, 0.85)
    return (
        Part("housing", (box(0.05, 0.028, 0.03), rod(0.02, -0.045, 0)), lambda t: pose(-0.03, 0.03, 0.45, 15, 25 + 20 * t), white, 0.0, 0.3),
        Part("dial", (rod(0.018, -0.06, -0.045), box(0.004, 0.018, 0.003, 0, 0, -0.062)), lambda t: pose(-0.03, 0.03, 0.45, 15, 25 + 20 * t) @ pose(spin=120 * t), white, 0.0, 0.3, joint="housing"),
        Part("egg", (ball(0.024), box(0.006, 0.006, 0.03)), lambda t: pose(0.09 - 0.03 * t, 0.0 + 0.03 * t, 0.46, 40 * t, 60 * t), white, 0.0, 0.3),
    )  # fmt: skip


def _parade() -> tuple[Part, ...]:
    """Three parts go behind two panels, one after the other, before a camera that drifts."""

    def along(start: float, y: float, z: float, turn: float):
        return lambda t: pose(start + 0.26 * t, y + 0.006 * np.sin(6 * t), z, 20, turn * t, 15)

    return (
        Part("panel", (box(0.036, 0.075, 0.008),), lambda t: pose(0.0, 0, 0.36, 0, 8), (0.45, 0.5, 0.42), 0.2),
        Part("fence", (box(0.026, 0.06, 0.006), box(0.03, 0.006, 0.009, 0, 0.05, 0)), lambda t: pose(0.1, 0.01, 0.4, 0, -10), (0.5, 0.42, 0.4), 0.25),
        Part("wedge", (box(0.017, 0.017, 0.012), box(0.008, 0.01, 0.012, 0.008, -0.02, 0)), along(-0.13, -0.045, 0.52, 60), (0.8, 0.35, 0.3), 0.25),
        Part("drum", (rod(0.015, -0.016, 0.016), box(0.004, 0.015, 0.003, 0, 0, -0.018)), along(-0.18, 0.0, 0.5, 40), (0.3, 0.45, 0.75), 0.25),
        Part("knot", (ball(0.016), ball(0.009, 0.016, 0, 0)), along(-0.1, 0.045, 0.54, 100), (0.85, 0.7, 0.25), 0.25),
    )  # fmt: skip


def _carousel() -> tuple[Part, ...]:
    """Pieces on a turning plate go behind a column and come back."""

    def turn(t: float) -> F64:
        return pose(0, 0.045, 0.5, tilt=98) @ pose(spin=330 * t)

    def on(angle: float, high: float):
        a = np.radians(angle)
        return lambda t: turn(t) @ pose(0.08 * np.cos(a), 0.08 * np.sin(a), high, spin=angle)

    return (
        Part("column", (box(0.036, 0.036, 0.055, 0, 0, 0.055),), lambda t: pose(0, 0.045, 0.5, tilt=98) @ pose(spin=20), (0.5, 0.52, 0.58), 0.2),
        Part("disc", (rod(0.105, -0.012, 0.0), box(0.012, 0.004, 0.005, 0.1, 0, 0.002)), turn, (0.6, 0.45, 0.3), 0.25, joint="column"),
        Part("cube", (box(0.013, 0.013, 0.013),), on(150, 0.014), (0.75, 0.3, 0.3), 0.25),
        Part("orb", (ball(0.014),), on(250, 0.016), (0.3, 0.6, 0.4), 0.3),
        Part("tower", (rod(0.009, 0, 0.04), box(0.012, 0.004, 0.006, 0.004, 0, 0.034)), on(30, 0.0), (0.35, 0.4, 0.75), 0.25),
    )  # fmt: skip


def library(size: tuple[int, int] = (640, 360), frames: int = 40) -> list[Scene]:
    """The scenes, at ``size`` and with ``frames`` frames (24 a second) each."""
    made = [
        Scene("joint", _joint(0.2)), Scene("plain_joint", _joint(0.0)), Scene("hinge", _hinge()), Scene("slider", _slider()),
        Scene("crowd", _crowd(), camera=_orbit), Scene("occlusion", _occlusion()), Scene("handheld", _handheld(), camera=_hand),
        Scene("tumble", _tumble(), camera=_orbit), Scene("small_thin", _small()), Scene("blur", _blur(), shutter=0.5),
        Scene("glass", _glass()), Scene("gears", _gears()), Scene("logo", _logo()),
        Scene("white", _white(), camera=_orbit, wall=(0.8, 0.8, 0.8), wall_texture=0.0),
        Scene("parade", _parade(), camera=_orbit), Scene("carousel", _carousel()),
    ]  # fmt: skip
    return [replace(scene, size=size, frames=frames, seed=i + 1) for i, scene in enumerate(made)]
