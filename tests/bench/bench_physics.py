# SPDX-License-Identifier: GPL-3.0-or-later
"""The acceptance of Physics as one table: item, limit, and what each installed version of Blender found.

python -m tests.bench.bench_physics [--full] [--versions 4.5,5.2] [--groups lab,stage,bodies,dynamics,axis,same]
By default few parts and processes are taken; --full takes 200 parts a case and 64 processes (half an hour and more).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time

import tests.conftest  # noqa: F401  (makes the checkout importable as holdfast)
from scripts import blender_host
from tests.bench import bench_axis, bench_same
from tests.bench.physics_figures import GROUPS, Figure

AXIS = (("1% no click", 99.0), ("3% one click", 97.0))


def in_blender(version: str, groups: list[str]) -> list[Figure]:
    """What one version measures, in a process of its own."""
    command = [str(bench_same.python_of(version)), "-m", "tests.bench.physics_figures", *groups]
    ran = subprocess.run(
        command, cwd=blender_host.ROOT, text=True, capture_output=True, timeout=3600, check=False
    )
    lines = [line.removeprefix("FIGURE ") for line in ran.stdout.splitlines() if line.startswith("FIGURE ")]
    found = [Figure(**json.loads(line)) for line in lines]
    if ran.returncode:
        said = (ran.stderr.strip().splitlines() or ["no word"])[-1]
        found.append(Figure("The bench itself", "ends", said, False))
    return found


def axis(parts: int) -> list[Figure]:
    """The axis finder on random parts, all shapes together."""
    kinds = list(bench_axis.random_parts.KINDS)
    found = bench_axis.measure(kinds, [case for case, _ in AXIS], range(parts))
    figures = []
    for case, limit in AXIS:
        trials = [trial for kind in kinds for trial in found[kind, case]]
        right = 100.0 * sum(trial.right for trial in trials) / len(trials)
        wrong = sum(not trial.right and not trial.said for trial in trials)
        figures.append(Figure(f"Axis found, noise {case}, {len(trials)} parts", f"{limit:g} %, none wrong unsaid",
                              f"{right:.1f} %, {wrong} wrong unsaid", right >= limit and not wrong))  # fmt: skip
    return figures


def same(processes: int) -> Figure:
    """One motion and one report from fresh processes of all versions."""
    found = bench_same.measure(processes, 2, bench_same.versions())
    return Figure(f"Hashes, {len(bench_same.versions())} versions, 1 and 2 processors, under load", "1 motion, 1 report",
                  bench_same.hashes(found), bench_same.hashes(found).startswith("1 motion, 1 report"))  # fmt: skip


def table(found: dict[str, list[Figure]]) -> None:
    """One block an item; a version that found the same as the one before it shares its line."""
    items: dict[tuple[str, str], dict[str, list[str]]] = {}
    for version, figures in found.items():
        for figure in figures:
            said = f"{figure.found}{'' if figure.ok else '   <-- over the limit'}"
            items.setdefault((figure.item, figure.limit), {}).setdefault(said, []).append(version)
    print(f"\n{'item':64} {'limit':40} {'Blender':20} found")
    for (item, limit), says in items.items():
        for index, (said, versions) in enumerate(says.items()):
            print(f"{'' if index else item:64} {'' if index else limit:40} {', '.join(versions):20} {said}")
    missed = sum(not figure.ok for figures in found.values() for figure in figures)
    total = sum(len(figures) for figures in found.values())
    print(f"\n{total - missed} of {total} figures are within their limits", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--versions", default=",".join(bench_same.versions()))
    parser.add_argument("--groups", default=",".join([*GROUPS, "axis", "same"]))
    args = parser.parse_args()
    groups, found, began = args.groups.split(","), {}, time.monotonic()
    inside = [group for group in groups if group in GROUPS]
    for version in args.versions.split(",") if inside else ():
        found[version] = in_blender(version, inside)
        print(
            f"Blender {version}: {len(found[version])} figures, {time.monotonic() - began:.0f} s so far",
            flush=True,
        )
    every = axis(200 if args.full else 5) if "axis" in groups else []
    if "same" in groups:
        every.append(same(64 if args.full else 8))
    table({**found, **({"all": every} if every else {})})
    return 0


if __name__ == "__main__":
    blender_host.leave(main())
