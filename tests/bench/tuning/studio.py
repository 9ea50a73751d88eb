# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes pictures and truth of a scene: casts once, paints looks, draws faults into the region that they touch."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from . import store, takes
from .faults import Fault, Plan, plan
from .looks import LOOKS, draw, squeeze
from .paint import Canvas, Skin, skins_of
from .scenes import Box, Change, Passes, Scene, cast, drawn
from .solids import F32

U8 = NDArray[np.uint8]
OVERSAMPLE = 2
SUBS = 6
"""Casts in an open shutter, each at one sample a pixel."""
MARGIN_PX = 24
"""Px of a 1920 wide picture around a region that its glow and blur need."""


@dataclass
class Studio:
    """``cache`` is a folder for all scenes and sizes; None keeps the last frames in memory only."""

    scene: Scene
    cache: Path | str | None = None
    _pictures: store.Recent = field(default_factory=lambda: store.Recent(160))
    _exact: store.Recent = field(default_factory=lambda: store.Recent(48))
    _mattes: store.Recent = field(default_factory=lambda: store.Recent(48))
    _fine: store.Recent = field(default_factory=lambda: store.Recent(2))
    _coded: store.Recent = field(default_factory=lambda: store.Recent(6))

    def __post_init__(self) -> None:
        self.skins = skins_of(self.scene)
        self.geometry = store.code_of("solids", "scenes", "library")
        self.paints = store.code_of("paint", "looks")

    def skin(self, part: str) -> Skin:
        return self.skins[self.scene.names.index(part)]

    def _path(self, *name: str) -> Path | None:
        if self.cache is None:
            return None
        (w, h), scene = self.scene.size, self.scene
        return Path(self.cache, f"{w}x{h}x{scene.frames}", f"{scene.name}-{self.geometry}", *name)

    # the truth

    def exact(self, index: int) -> Passes:
        """ids, depth and camera normals (OpenCV axes) at pixel centres; ``local`` is there only when just cast."""

        def make() -> dict[str, np.ndarray]:
            got = cast(self.scene, self.scene.when(index), exact=True)
            return {
                "ids": got.ids,
                "depth": got.depth.astype(np.float32),
                "normal": got.normal.astype(np.float32),
            }

        def load() -> Passes:
            got = store.arrays(self._path("exact", f"{index:04d}.npz"), make)
            return Passes(got["ids"], got["depth"], got["normal"], np.empty((0, 0, 3)))

        return self._exact.get(index, load)

    def _stored_mattes(self, index: int) -> dict[str, np.ndarray]:
        path = self._path("mattes", f"{index:04d}.npz")
        return self._mattes.get(index, lambda: store.arrays(path, lambda: self._make_mattes(index), True))

    def _make_mattes(self, index: int) -> dict[str, np.ndarray]:
        ids, fine, out = self.exact(index).ids, self.fine(index), {}
        for i, name in enumerate(self.scene.names):
            out[f"matte_{name}"] = _bytes(self._coverage(fine, i + 1))
            whole = np.zeros_like(ids)
            others = frozenset(n for n in self.scene.names if n != name)
            if box := self._region(Plan((name,)), index):
                alone = self._cast(index, box, Change(gone=others))
                whole[box[1] : box[3], box[0] : box[2]] = _bytes(self._coverage(alone, i + 1))
            out[f"whole_{name}"] = whole
        each = np.stack([out[f"matte_{name}"] for name in self.scene.names])
        bare = 255 - np.minimum(255, each.sum(0, dtype=int))
        out["sure"] = np.take_along_axis(np.concatenate([bare[None], each]), ids[None].astype(int), 0)[
            0
        ].astype(np.uint8)
        return out

    def matte(self, part: str, index: int) -> F32:
        """(H, W) 0..1: how much of each pixel the visible part covers."""
        return self._stored_mattes(index)[f"matte_{part}"].astype(np.float32) / 255

    def whole(self, part: str, index: int) -> F32:
        """(H, W) 0..1: how much of each pixel the part would cover if nothing stood before it."""
        return self._stored_mattes(index)[f"whole_{part}"].astype(np.float32) / 255

    def sure(self, index: int) -> F32:
        """(H, W) 0..1: how much of each pixel is covered by what its id names."""
        return self._stored_mattes(index)["sure"].astype(np.float32) / 255

    # pictures

    def fine(self, index: int) -> list[Passes]:
        return self._fine.get(index, lambda: self._cast(index, None, Change()))

    def _times(self, index: int) -> list[float]:
        if not self.scene.shutter:
            return [self.scene.when(index)]
        return [self.scene.when(index + self.scene.shutter * ((k + 0.5) / SUBS - 0.5)) for k in range(SUBS)]

    def _cast(self, index: int, region: Box | None, change: Change) -> list[Passes]:
        times = self._times(index)
        if len(times) == 1:
            return [cast(self.scene, times[0], region, OVERSAMPLE, change)]
        spots = [(((0.755 * k) % 1 - 0.5) * 0.7, ((0.57 * k) % 1 - 0.5) * 0.7) for k in range(SUBS)]
        return [cast(self.scene, t, region, 1, change, spot) for t, spot in zip(times, spots, strict=True)]

    @staticmethod
    def _coverage(subs: list[Passes], number: int) -> F32:
        total = sum((p.ids == number).astype(np.float32) for p in subs) / len(subs)
        s, (h, w) = subs[0].scale, subs[0].ids.shape
        return cv2.resize(total, (w // s, h // s), interpolation=cv2.INTER_AREA) if s > 1 else total

    def _paint(self, look: str, index: int, subs: list[Passes], skins: list[Skin]) -> F32:
        drawn_all = [draw(LOOKS[look], Canvas(self.scene, passes, skins, index)) for passes in subs]
        return np.clip(sum(drawn_all) / len(subs), 0, 1)

    def painted(self, look: str, index: int) -> U8:
        """(H, W, 3) RGB of a clean frame before what the look does ``after``."""
        look = LOOKS[look].paint.__name__
        path = self._path(f"{look}-{self.paints}", f"{index:04d}.png")
        make = lambda: _bytes(self._paint(look, index, self.fine(index), self.skins))  # noqa: E731
        return self._pictures.get((look, index), lambda: store.picture(path, make))

    def frame(self, look: str, index: int, faults: tuple[Fault, ...] = ()) -> U8:
        """(H, W, 3) uint8 RGB: frame ``index`` of a take in ``look`` with ``faults`` planted."""
        made = LOOKS[look]
        if made.gop:
            out = self._group(look, index // made.gop * made.gop, faults)[index % made.gop]
        else:
            out = self._faulty(look, index, faults)
            if made.after:
                out = made.after(look, out, takes.source(faults, index, self.scene.frames), self.scene.seed)
        return takes.picture(faults, out)

    picture = frame

    def _group(self, look: str, first: int, faults: tuple[Fault, ...]) -> list[U8]:
        """The frames that are coded together, from ``first`` on."""
        last = min(self.scene.frames, first + LOOKS[look].gop)
        near = tuple(f for f in faults if not f.part or (f.frames[0] < last and f.frames[1] >= first))
        return self._coded.get(
            (look, first, near), lambda: squeeze([self._faulty(look, i, near) for i in range(first, last)])
        )

    def _faulty(self, look: str, index: int, faults: tuple[Fault, ...]) -> U8:
        source = takes.source(faults, index, self.scene.frames)
        on = [f for f in faults if f.part and f.frames[0] <= index <= f.frames[1]]
        clean = self.painted(look, source)
        if not on:
            return clean
        wanted = _together([plan(self, fault, source) for fault in on])
        region = self._region(wanted, source)
        if region is None:
            return clean
        x0, y0, x1, y1 = region
        wide = self._grown(region, MARGIN_PX)
        new = self._planted(look, source, wanted, wide)[
            y0 - wide[1] : y1 - wide[1], x0 - wide[0] : x1 - wide[0]
        ]
        out = clean.copy()
        if wanted.opacity < 1:
            new = new * wanted.opacity + clean[y0:y1, x0:x1] * np.float32((1 - wanted.opacity) / 255)
        out[y0:y1, x0:x1] = _bytes(new)
        return out

    def _grown(self, region: Box, px: float) -> Box:
        n, (w, h) = int(np.ceil(px * self.scene.size[0] / 1920)) + 3, self.scene.size
        return max(0, region[0] - n), max(0, region[1] - n), min(w, region[2] + n), min(h, region[3] + n)

    def _region(self, wanted: Plan, index: int) -> Box | None:
        """All that the plan can change, with the lines and glow around it."""
        scene, found = self.scene, []
        by_name = {part.name: part for part in scene.parts + wanted.change.extra}
        for t in self._times(index):
            for name in wanted.touched:
                if name in scene.names:
                    found.append(drawn(scene, by_name[name], t, Change()))
                found.append(drawn(scene, by_name[name], t, wanted.change))
        boxes = np.array([b for b in found if b is not None])
        if not len(boxes):
            return None
        (x0, y0), (x1, y1) = boxes[:, :2].min(0), boxes[:, 2:].max(0)
        w, h = scene.size
        x0, y0, x1, y1 = (int(np.clip(v, 0, m)) for v, m in ((x0, w), (y0, h), (x1 + 1, w), (y1 + 1, h)))
        return self._grown((x0, y0, x1, y1), MARGIN_PX) if x1 > x0 and y1 > y0 else None

    def _planted(self, look: str, index: int, wanted: Plan, region: Box) -> F32:
        subs = self._cast(index, region, wanted.change)
        if wanted.merged:
            for t, passes in zip(self._times(index), subs, strict=True):
                _merge(self.scene, t, passes, *wanted.merged)
        names = self.scene.names + [part.name for part in wanted.change.extra]
        extra = [_skin(wanted, part, self.scene.seed) for part in wanted.change.extra]
        skins = [wanted.skins.get(name, skin) for name, skin in zip(names, self.skins + extra, strict=True)]
        out = self._paint(look, index, subs, skins)
        if wanted.lab:
            lab = cv2.cvtColor(np.ascontiguousarray(out, np.float32), cv2.COLOR_RGB2LAB)
            for name, by in wanted.lab.items():
                lab += self._coverage(subs, names.index(name) + 1)[..., None] * np.float32(by)
            out = np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1)
        return out


def _skin(wanted: Plan, part, seed: int) -> Skin:
    return wanted.skins.get(part.name) or Skin(part.colour, part.texture, seed + 777, part.gloss)


def _bytes(picture: F32) -> U8:
    return (picture * 255 + 0.5).astype(np.uint8)


def _together(plans: list[Plan]) -> Plan:
    out = plans[0]
    for more in plans[1:]:
        a, b = out.change, more.change
        change = Change(
            a.gone | b.gone, {**a.moved, **b.moved}, {**a.bent, **b.bent}, {**a.cut, **b.cut}, {**a.near, **b.near},
            a.extra + b.extra,
        )  # fmt: skip
        out = replace(
            out, touched=out.touched + more.touched, change=change, skins={**out.skins, **more.skins},
            lab={**out.lab, **more.lab}, merged=out.merged or more.merged, opacity=min(out.opacity, more.opacity),
        )  # fmt: skip
    return out


def _merge(scene: Scene, t: float, passes: Passes, a: str, b: str) -> None:
    """The first part's surface goes on with the second one's texture; shading runs smoothly over the border. In place."""
    ia, ib = (scene.names.index(name) + 1 for name in (a, b))
    first, second = passes.ids == ia, passes.ids == ib
    over = np.linalg.inv(scene.part(b).pose(t)) @ scene.part(a).pose(t)
    local = passes.local[first]
    passes.local[first] = local @ over[:3, :3].T.astype(local.dtype) + over[:3, 3].astype(local.dtype)
    passes.ids[first] = ib
    sigma = max(1.0, 9 * scene.size[0] / 1920 * passes.scale)
    both = (first | second).astype(np.float32)
    soft = cv2.GaussianBlur(passes.normal * both[..., None], (0, 0), sigma)
    near = [cv2.GaussianBlur(m.astype(np.float32), (0, 0), sigma) for m in (first, second)]
    share = np.clip(6 * near[0] * near[1], 0, 1)[..., None] * both[..., None]
    mixed = passes.normal * (1 - share) + soft * share
    passes.normal[:] = mixed / np.maximum(np.linalg.norm(mixed, axis=-1, keepdims=True), 1e-6)
