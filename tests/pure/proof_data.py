# SPDX-License-Identifier: GPL-3.0-or-later
"""A proof as the stage writes it, made up, for the tests of its page."""

from __future__ import annotations

import copy
import re
from html.parser import HTMLParser

EVIL = "</style><img src=x onerror=\"document.title='owned'\"> & 'peg'"
VOID = {"meta", "img", "br"}
SQUARE = [[-4.0, -4.0], [4.0, -4.0], [4.0, 4.0], [-4.0, 4.0]]


def check(
    name: str, value: float, limit: float, *, ok: bool = True, unit: str = "mm", says: str = ""
) -> dict:
    return {
        "id": name,
        "ok": ok,
        "value": value,
        "limit": limit,
        "unit": unit,
        "says": says or f"{name} was looked at",
    }


def proof(peg: str = "lid", socket: str = "body") -> dict:
    trace = {"depth_mm": [0.0, 5.0, 10.0, 10.0], "turned_deg": [0.0, 0.0, 30.0, 60.0], "force_n": [0.0] * 4}
    test = {
        "released": False,
        "depth_mm": 10.0,
        "turned_deg": 60.0,
        "tilt_deg": 0.0,
        "lateral_mm": 0.1,
        "trace": trace,
    }
    peg_shape = {"part": peg, "role": "peg", "loops": [[[0.5 * x, 0.5 * y] for x, y in SQUARE]]}
    socket_shape = {
        "part": socket,
        "role": "socket",
        "loops": [SQUARE, [[0.6 * x, 0.6 * y] for x, y in SQUARE[::-1]]],
    }
    return {
        "verdict": "engaged",
        "says": f"{peg} sits in {socket}.",
        "checks": [
            check("engaged.depth", 0.0002, 0.001), check("swept.penetration", 0.0, 0.01),
            check("swept.meshes", 0.0, 0.0, unit="triangles"), check("pull.held", 0.0, 0.0, unit="released"),
            check("unlock.reverse_twist", 1.0, 1.0, unit="released"), check("settled", 3.0, 4.0, unit="N"),
            check("control.early_twist", 0.05, 0.01), check("control.no_lugs", 1.0, 1.0, unit="released"),
        ],
        "tests": {"insertion": test, "pull": copy.deepcopy(test), "no_lugs": {**copy.deepcopy(test), "released": True}, "own_trial": {}},
        "lab": {"mass": 1.0, "fps": 24, "shake_m_s2": 49.05}, "kit": {"depth": 0.01, "lift": 0.0002, "lug_z": [-0.009, -0.007]},
        "joint": {"kind": "twist_lock", "name": "joint", "peg": peg, "socket": socket, "depth_mm": 10.0, "twist_deg": 60.0, "pull_n": 90.0},
        "motion": {"times": [1.0, 1.5, 2.0], "depth_mm": [0.0, 5.0, 10.0], "turned_deg": [0.0, 0.0, 60.0], "penetration_mm": [0.0] * 3},
        "sections": [{
            "title": f"Cut of {peg}", "says": "Across", "frame": 52.0, "view": "radial", "unit": "mm",
            "shapes": [peg_shape, socket_shape], "marks": [{"at": [2.0, 0.0], "says": f"worst of {peg}"}],
        }],
        "protocol": {"name": "EN 71-1 8.4", "source": "EN 71-1:2014, tension test"},
    }  # fmt: skip


class Reader(HTMLParser):
    """Collects tags and text, and whether every tag is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def path_points(svg: str, kind: str = "line") -> int:
    return sum(len(re.findall(r"[ML]", d)) for d in re.findall(rf'class="{kind} [^"]*" d="([^"]*)"', svg))
