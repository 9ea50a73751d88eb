# SPDX-License-Identifier: GPL-3.0-or-later
"""What gives way in contact beside what it was made for: detent, snap-fit and press-fit, every preset and other sizes.

python -m tests.bench.bench_flex, with a Python that has bpy
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import bpy
from holdfast.physics import trials
from holdfast.physics.joints import kind_named
from holdfast.physics.joints.base import Check, Pose
from holdfast.physics.joints.record import checked
from holdfast.physics.joints.spec import JointSpec
from holdfast.pipeline.errors import InputError

import tests.conftest  # noqa: F401  (makes the checkout importable as holdfast)

TRIED = {"TWIST_LOCK": ("detent",), "SNAP_FIT": ("insertion", "pull"), "PRESS_FIT": ("press",)}
FORCES = ("detent.torque", "insert.force", "pull.lets_go", "hold.force")
RANDOM = 10


def tried(wish: JointSpec) -> list[Check]:
    kind = kind_named(wish.kind)
    made = kind.make(wish)
    checks: list[Check] = []
    for trial in kind.trials(wish, made, made.at(Pose())):
        if trial.name in TRIED[wish.kind]:
            running = trials.run(made, trial, trials.LabSettings())
            try:
                while True:
                    next(running)
            except StopIteration as stop:
                checks += trial.judge(stop.value)
    return checks


def specs(kind: str) -> Iterator[tuple[str, JointSpec]]:
    """The presets on one peg, then random sizes and forces."""
    sizes = (7.5, 10.0, 7.7, 12.0)
    for name, preset in {"default": None, **kind_named(kind).presets}.items():
        values = dict(preset.values) if preset else {}
        yield name, checked(JointSpec(kind, "joint", "peg", "body", *sizes, values))
    chance = random.Random(5)
    for number in range(RANDOM):
        radius, length, push = chance.uniform(3, 20), chance.uniform(8, 25), chance.uniform(5, 150)
        values = {
            "TWIST_LOCK": {"lugs": chance.randint(1, 3), "torque_nm": chance.uniform(0.01, 1.5)},
            "SNAP_FIT": {"insert_n": push, "pull_n": push * chance.uniform(0.5, 2.5)},
            "PRESS_FIT": {
                "insert_n": push,
                "pull_n": push / chance.uniform(1.6, 3.3),
                "lugs": chance.randint(3, 6),
            },
        }[kind]
        sizes = (radius, length, radius + chance.uniform(0.1, 0.3), length + 2.0)
        yield f"random {number}", checked(JointSpec(kind, "joint", "peg", "body", *sizes, values))


def main() -> None:
    print(f"Blender {bpy.app.version_string}")
    for kind in TRIED:
        worst: dict[str, float] = {}
        failed = count = 0
        for name, wish in specs(kind):
            start = time.perf_counter()
            try:
                found = tried(wish)
            except InputError as error:
                print(f"{kind} {name}: refused: {error}")
                continue
            seconds = time.perf_counter() - start
            count, failed = count + 1, failed + (not all(check.ok for check in found))
            for check in found:
                worst[check.id] = max(worst.get(check.id, 0.0), abs(check.value))
            errors = ", ".join(f"{check.id} {check.value:+.2f} %" for check in found if check.id in FORCES)
            bad = "; ".join(check.says for check in found if not check.ok)
            print(f"{kind} {name}: {errors}; {seconds:.2f} s{'; FAILED: ' + bad if bad else ''}")
        most = ", ".join(f"{key} {value:.2f} %" for key, value in worst.items() if key in FORCES)
        deep = ", ".join(
            f"{key} {worst[key]:.4f} mm"
            for key in ("contact.depth", "pull.lift", "hold.creep")
            if key in worst
        )
        print(f"{kind}: {count - failed} of {count} pass; at most off: {most}{'; ' + deep if deep else ''}")


if __name__ == "__main__":
    main()
