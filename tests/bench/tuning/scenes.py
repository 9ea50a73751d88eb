# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes of rigid parts and their exact casts: ids, depth, normals, vectors, for any region of the picture.

A cast can be changed (`Change`): parts gone, cut, moved, bent in the picture, or added. So a planted fault is drawn
as truly as the scene itself and has no paste edge.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from .solids import F32, F64, Solid, hit

WALL_Z, FLOOR_Y = 1.4, 0.4
NEAR = 0.02


@dataclass(frozen=True)
class Part:
    """A rigid part: ``pose(t)`` with t in 0..1 gives its 4x4 world matrix.

    ``texture`` 0 is plain plastic, ``logo`` draws text on its -z face, ``glass`` is how much of what is behind shows,
    ``joint`` names the part against which it turns about (and moves along) its own z axis.
    """

    name: str
    solids: tuple[Solid, ...]
    pose: Callable[[float], F64]
    colour: tuple[float, float, float] = (0.6, 0.5, 0.4)
    texture: float = 0.2
    gloss: float = 0.1
    logo: bool = False
    glass: float = 0.0
    joint: str = ""

    @property
    def corners(self) -> F64:
        return np.concatenate([solid.corners for solid in self.solids])

    @property
    def radius(self) -> float:
        """Metres from its middle to the farthest corner of its box."""
        c = self.corners
        return float(np.linalg.norm(np.ptp(c, axis=0)) / 2)


@dataclass(frozen=True)
class Scene:
    """``camera(t)`` gives the 4x4 world-to-camera matrix; ``shutter`` is the share of a frame that it is open."""

    name: str
    parts: tuple[Part, ...]
    size: tuple[int, int] = (640, 360)
    frames: int = 36
    camera: Callable[[float], F64] = field(default=lambda t: np.eye(4))
    seed: int = 0
    shutter: float = 0.0
    wall: tuple[float, float, float] = (0.55, 0.57, 0.6)
    wall_texture: float = 0.12

    @property
    def K(self) -> F64:
        width, height = self.size
        return np.array([[1.4 * width, 0, width / 2], [0, 1.4 * width, height / 2], [0, 0, 1.0]])

    @property
    def names(self) -> list[str]:
        return [part.name for part in self.parts]

    def part(self, name: str) -> Part:
        return self.parts[self.names.index(name)]

    def when(self, index: float) -> float:
        return index / max(1, self.frames - 1)

    def project(self, points: F64, t: float) -> F64:
        """(N, 3) world metres -> (N, 3) x px, y px, depth m."""
        cam = self.camera(t)
        q = points @ cam[:3, :3].T + cam[:3, 3]
        uv = q @ self.K.T
        return np.concatenate([uv[:, :2] / np.maximum(uv[:, 2:], NEAR), q[:, 2:]], 1)


Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels, the last ones outside."""


@dataclass(frozen=True)
class Bend:
    """Draws a part elsewhere in the picture: pixels (N, 2) look at ``back(pixels)``, ``to`` away and ``reach`` px about that."""

    back: Callable[[F32], F32]
    reach: float
    to: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Change:
    """What a cast draws otherwise, by part name; ``moved`` 4x4 applied in the part, ``near`` factors of depth in the test of what hides what."""

    gone: frozenset[str] = frozenset()
    moved: Mapping[str, F64] = field(default_factory=dict)
    bent: Mapping[str, Bend] = field(default_factory=dict)
    cut: Mapping[str, tuple[F64, float]] = field(default_factory=dict)
    near: Mapping[str, float] = field(default_factory=dict)
    extra: tuple[Part, ...] = ()


@dataclass
class Passes:
    """One cast of the region at ``origin`` px, ``scale`` samples a pixel along x and y; arrays (h, w, ...)."""

    ids: NDArray[np.uint8]
    depth: NDArray[np.floating]
    normal: NDArray[np.floating]
    local: NDArray[np.floating]
    scale: int = 1
    origin: tuple[int, int] = (0, 0)
    behind: "Passes | None" = None


def bounds(
    scene: Scene, part: Part, t: float, moved: F64 | None = None
) -> tuple[float, float, float, float] | None:
    """x0, y0, x1, y1 px around the part, or None behind the camera."""
    m = part.pose(t) if moved is None else part.pose(t) @ moved
    uv = scene.project(part.corners @ m[:3, :3].T + m[:3, 3], t)
    if (uv[:, 2] < NEAR).all():
        return None
    if (uv[:, 2] < NEAR).any():
        return 0.0, 0.0, float(scene.size[0]), float(scene.size[1])
    lo, hi = uv[:, :2].min(0), uv[:, :2].max(0)
    return float(lo[0]), float(lo[1]), float(hi[0]), float(hi[1])


def drawn(scene: Scene, part: Part, t: float, change: "Change") -> tuple[float, float, float, float] | None:
    """x0, y0, x1, y1 px around what a changed cast draws of a part."""
    found, bend = bounds(scene, part, t, change.moved.get(part.name)), change.bent.get(part.name)
    if found is None or bend is None:
        return found
    (x, y), r = bend.to, bend.reach
    return found[0] + x - r, found[1] + y - r, found[2] + x + r, found[3] + y + r


def _rays(scene: Scene, pixels: NDArray[np.floating]) -> NDArray[np.floating]:
    K = scene.K
    out = np.ones((len(pixels), 3), pixels.dtype)
    out[:, 0] = (pixels[:, 0] - K[0, 2]) / K[0, 0]
    out[:, 1] = (pixels[:, 1] - K[1, 2]) / K[1, 1]
    return out


def _room(scene: Scene, t: float, pixels: NDArray[np.floating], out: Passes) -> None:
    """Wall and floor, two planes that every ray meets."""
    to_world = np.linalg.inv(scene.camera(t))
    d = (_rays(scene, pixels.reshape(-1, 2)) @ to_world[:3, :3].T.astype(pixels.dtype)).reshape(
        *out.ids.shape, 3
    )
    o = to_world[:3, 3].astype(pixels.dtype)
    wall = (WALL_Z - o[2]) / np.maximum(d[..., 2], 1e-6)
    floor = np.where(d[..., 1] > 1e-6, (FLOOR_Y - o[1]) / np.maximum(d[..., 1], 1e-6), np.inf)
    on_floor = floor < wall
    out.depth[:] = np.where(on_floor, floor, wall)
    out.local[:] = o + out.depth[..., None] * d
    turn = scene.camera(t)[:3, :3]
    out.normal[:] = -turn[:, 2]
    out.normal[on_floor] = -turn[:, 1]


def _draw(scene: Scene, t: float, number: int, part: Part, change: Change, pixels, test, out: Passes) -> None:
    """One part into ``out``, where it is nearer than ``test`` (h, w); only inside its box."""
    moved, bend = change.moved.get(part.name), change.bent.get(part.name)
    around, s = drawn(scene, part, t, change), out.scale
    if around is None:
        return
    x0, y0 = (max(0, int(np.floor((around[k] - 1 - out.origin[k]) * s))) for k in (0, 1))
    x1, y1 = (max(0, int(np.ceil((around[k + 2] + 1 - out.origin[k]) * s)) + 1) for k in (0, 1))
    window = np.s_[y0 : max(y0, y1), x0 : max(x0, x1)]
    here = pixels[window]
    if not here.size:
        return
    flat = here.reshape(-1, 2)
    rays = _rays(scene, flat if bend is None else bend.back(flat).astype(flat.dtype))
    to_cam = scene.camera(t) @ (part.pose(t) if moved is None else part.pose(t) @ moved)
    to_local = np.linalg.inv(to_cam)
    o, d = to_local[:3, 3], rays @ to_local[:3, :3].T.astype(rays.dtype)
    best, normal = np.full(len(flat), np.inf, flat.dtype), np.zeros_like(d)
    for solid in part.solids:
        at, n = hit(solid, o, d)
        near = at < best
        best[near], normal[near] = at[near], n[near]
    found = np.isfinite(best)
    local = o.astype(d.dtype) + np.where(found, best, 0)[:, None] * d
    if part.name in change.cut:
        direction, level = change.cut[part.name]
        found &= local @ direction.astype(d.dtype) <= level
    rank = best * change.near.get(part.name, 1.0)
    win = (found & (rank < test[window].ravel())).reshape(here.shape[:2])
    keep = win.ravel()
    test[window][win] = rank[keep]
    out.ids[window][win], out.depth[window][win] = number, best[keep]
    out.normal[window][win] = normal[keep] @ to_cam[:3, :3].T.astype(d.dtype)
    out.local[window][win] = local[keep]


def cast(
    scene: Scene, t: float, region: Box | None = None, scale: int = 1, change: Change = Change(),
    jitter: tuple[float, float] = (0.0, 0.0), exact: bool = False,
) -> Passes:  # fmt: skip
    """Casts a region (None: all) in float64 (``exact``) or float32; ``jitter`` px moves the samples."""
    kind = np.float64 if exact else np.float32
    pixels = grid(scene.size, scale, region, kind) + np.asarray(jitter, kind)
    h, w = pixels.shape[:2]
    x0, y0 = region[:2] if region else (0, 0)
    out = Passes(np.zeros((h, w), np.uint8), np.zeros((h, w), kind), np.zeros((h, w, 3), kind), np.zeros((h, w, 3), kind), scale, (x0, y0))  # fmt: skip
    _room(scene, t, pixels, out)
    test = out.depth.copy()
    everything = [(i + 1, part) for i, part in enumerate(scene.parts + change.extra)]
    shown = [(i, part) for i, part in everything if part.name not in change.gone]
    for number, part in shown:
        _draw(scene, t, number, part, change, pixels, test, out)
    glass = frozenset(part.name for _, part in shown if part.glass)
    if glass and not exact:
        out.behind = cast(scene, t, region, scale, replace(change, gone=change.gone | glass), jitter)
    return out


def grid(
    size: tuple[int, int], scale: int = 1, region: Box | None = None, kind: type = np.float64
) -> NDArray[np.floating]:
    """Sample centres (h * scale, w * scale, 2) in pixels."""
    x0, y0, x1, y1 = region or (0, 0, *size)
    xs = x0 + (np.arange((x1 - x0) * scale, dtype=kind) + 0.5) / scale
    ys = y0 + (np.arange((y1 - y0) * scale, dtype=kind) + 0.5) / scale
    out = np.empty((len(ys), len(xs), 2), kind)
    out[..., 0], out[..., 1] = xs, ys[:, None]
    return out


def vectors(scene: Scene, index: int, passes: Passes) -> F32:
    """(H, W, 4) px: displacement to the next frame [0:2] and to the previous frame [2:4] of every pixel's surface."""
    h, w = passes.ids.shape
    here = grid((w, h))
    out = np.zeros((h, w, 4), np.float32)
    for slot, other in ((0, index + 1), (2, index - 1)):
        t2 = scene.when(other)
        for number in np.unique(passes.ids):
            mask = passes.ids == number
            a = np.eye(4) if number == 0 else scene.parts[number - 1].pose(t2)
            q = scene.project(passes.local[mask] @ a[:3, :3].T + a[:3, 3], t2)
            out[mask, slot : slot + 2] = q[:, :2] - here[mask]
    return out
