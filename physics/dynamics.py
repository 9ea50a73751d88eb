# SPDX-License-Identifier: GPL-3.0-or-later
"""Free rigid-body motion for a shot: dropped, thrown, hung, welded into one body, or joined by links that may break.

Bullet runs in a lab, with settings chosen from sizes and speeds; what comes back are plain poses to be keyed.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..pipeline.errors import UsageError
from .ballistic import ball, fly, start
from .bounce import Plane, Solid
from .lab import lab_scene
from .links import Link
from .rigid import Array, inverse, move_points, multiply, translation
from .simulation import Body, Simulation, World
from .solver import Pace, breakable, extent, firm, half_step_back, settings_for, thinnest, vector3
from .tumble import inverse3, rate_of

MARGINS = (5e-6, 2e-4)
SLACK = 5e-4
"""Metres that a link may open without counting as broken."""
STILL = (0.3, 0.3)
"""A body sleeps below this share of its size a second, and this many rad/s, for two seconds."""
CROWD, STILL_IN_CROWD = 20, (1.0, 1.0)
"""From so many bodies on it does so earlier: in a heap what the solver leaves over shakes each of them without a sight."""
SHOT_DAMPING = (0.04, 0.1)


@dataclass(frozen=True)
class Break:
    """A link that let go: its name, the index of the first frame in which it is open, and the stated force in N."""

    link: str
    frame: int
    force_n: float


@dataclass(frozen=True, eq=False)
class Motion:
    """``poses`` (F, B, 4, 4) float64 world poses of ``names``, from the frame of release; what broke; how it was run."""

    names: tuple[str, ...]
    poses: Array
    breaks: tuple[Break, ...]
    world: World
    says: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Weld:
    """Several bodies as one: ``body`` moves, and each member keeps its (4, 4) place in it."""

    body: Body
    places: Mapping[str, Array] = field(default_factory=dict)


MotionGenerator = Generator[float, None, Motion]


def simulate(
    bodies: Sequence[Body],
    links: Sequence[Link] = (),
    *,
    fps: float,
    frames: int,
    gravity: tuple[float, float, float] = (0.0, 0.0, -9.81),
    targets: Mapping[str, Array] | None = None,
    welds: Sequence[Weld] = (),
    world: World | None = None,
) -> MotionGenerator:
    """Runs ``frames`` scene frames; the first is the release itself. Yields the fraction done.

    ``targets``: (frames, 4, 4) poses of led bodies. ``welds`` join ``bodies``; the motion names their members.
    ``world`` overrides the settings that are else chosen. Raises UsageError for names that are doubled or unknown.
    """
    every = [*bodies, *(weld.body for weld in welds)]
    chosen, says = settings_for(every, links, fps, gravity)
    pace = None if world or breakable(links) or len(every) < 2 else Pace(chosen, every)
    world = world or chosen
    substeps, pull = pace.substeps if pace else world.substeps, world.gravity
    watched = [link for link in links if link.break_n is not None]
    found, gaps = np.empty((frames, len(every), 4, 4)), np.zeros((frames, len(watched)))
    with lab_scene("dynamics") as lab:
        released = [half_step_back(body, world, substeps) for body in every]
        simulation = Simulation(lab, released, firm(links, every), world)
        for frame in range(frames):
            if frame:
                if pace and frame > 1:
                    substeps, pull = pace.step(found[frame - 2], found[frame - 1])
                simulation.pace(substeps)
                simulation.step(pull, {name: way[frame] for name, way in (targets or {}).items()})
            found[frame] = simulation.poses()
            gaps[frame] = [simulation.gap(link.name) for link in watched]
            yield (frame + 1) / frames
    names, poses = _apart(bodies, welds, found)
    return Motion(names, poses, _breaks(watched, gaps), world, says)


def exact(
    body: Body,
    solid: Solid,
    plane: Plane | None,
    *,
    fps: float,
    frames: int,
    gravity: tuple[float, float, float] = (0.0, 0.0, -9.81),
    ground: Sequence[Body] = (),
) -> MotionGenerator:
    """One body on its exact path, with true bounces; Bullet lets it settle on ``ground`` once they have faded.

    Without a plane it only flies.
    """
    times = [frame / fps for frame in range(frames)]
    path = fly(solid, start(body.pose, body.velocity, body.spin, solid), times, plane, gravity)
    yield 0.5
    done = len(path.poses)
    if done == frames or not done:
        return Motion((body.name,), path.poses[:, None], (), World(fps, gravity=gravity))
    spin = rate_of(path.end.spin, inverse3(solid.inertia))
    rest = replace(
        body, pose=path.poses[-1], velocity=vector3(path.end.velocity), spin=vector3(spin), restitution=0.0
    )
    settled = yield from simulate([rest, *ground], fps=fps, frames=frames - done + 1, gravity=gravity)
    poses = np.concatenate((path.poses[:, None], settled.poses[1:, :1]))
    return replace(settled, names=(body.name,), poses=poses)


def solid_of(body: Body, floor_friction: float = 1.0, floor_restitution: float = 1.0) -> Solid:
    """The body for its exact path: a ball by its radius, else the hull of its points with a box's inertia.

    Friction and restitution are products with those of the floor, as Bullet has them.
    """
    friction, bounce = body.friction * floor_friction, body.restitution * floor_restitution
    if body.shape == "SPHERE":
        return ball(body.mass, 0.5 * extent(body), bounce, friction)
    points = np.concatenate(body.pieces)
    squares = np.square(np.ptp(points, axis=0))
    inertia = np.diag(body.mass / 12.0 * (squares.sum() - squares))
    return Solid(body.mass, inertia, points, 0.0, bounce, friction)


def weld(name: str, members: Sequence[Body], **changes: object) -> Weld:
    """One COMPOUND body of several in their present poses, with their summed mass about their common centre.

    It does not open by a micrometre, whatever hits it. ``changes`` are fields of ``Body`` for the whole, as velocity
    and spin. Raises UsageError without members.
    """
    if not members:
        raise UsageError("A weld needs bodies", todo="Choose the parts to be welded.")
    masses = np.array([body.mass for body in members])
    centres = np.stack([body.pose[:3, 3] for body in members])
    centre = translation((masses[:, None] * centres).sum(axis=0) / masses.sum())
    places = {body.name: multiply(inverse(centre), body.pose) for body in members}
    pieces = [move_points(places[body.name], piece) for body in members for piece in hulls_of(body)]
    first = max(members, key=lambda body: body.mass)
    whole = replace(
        first, name=name, shape="COMPOUND", pieces=tuple(pieces), pose=centre, mass=float(masses.sum()),
        margin=min(body.margin for body in members),
    )  # fmt: skip
    return Weld(replace(whole, **changes), places)  # type: ignore[arg-type]


def hung(name: str, anchor: str, body: str, at: Array, break_n: float | None = None) -> tuple[Body, Link]:
    """A fixed anchor and a POINT link that hangs ``body`` on it at the (3,) world point ``at``."""
    corners = 1e-3 * np.array(((1.0, 1, 1), (-1, -1, 1), (-1, 1, -1), (1, -1, -1)))
    peg = Body(anchor, "SPHERE", (corners,), translation(at), kind="PASSIVE", groups=(19,))
    return peg, Link(name, "POINT", anchor, body, translation(at), break_n=break_n)


def for_shot(body: Body, among: int = 1) -> Body:
    """The body as a shot wants it, ``among`` so many: a little damping, and at rest without a tremor."""
    still = STILL_IN_CROWD if among >= CROWD else STILL
    return replace(body, damping=SHOT_DAMPING, sleep=(still[0] * extent(body), still[1]))


def sized(body: Body) -> Body:
    """A body whose pieces have their true size, with the margin for that size and hulls shrunk by it."""
    margin = float(np.clip(1e-3 * thinnest([body]), *MARGINS))
    made = replace(body, margin=margin)
    return made if body.shape in ("BOX", "SPHERE", "CYLINDER", "MESH") else replace(made, pieces=tuple(
        _shrunk(piece, margin) for piece in body.pieces))  # fmt: skip


def hulls_of(body: Body) -> tuple[Array, ...]:
    """The pieces as hulls shrunk by the margin; primitives are not shrunk, as Bullet holds their margin inside."""
    if body.shape not in ("BOX", "SPHERE", "CYLINDER"):
        return body.pieces
    return tuple(_shrunk(piece, body.margin) for piece in body.pieces)


def _shrunk(points: Array, margin: float) -> Array:
    """Points drawn in by ``margin`` along each axis: exact for boxes, within the margin for other hulls."""
    low, high = points.min(axis=0), points.max(axis=0)
    half = np.maximum(0.5 * (high - low), 1e-12)
    centre = 0.5 * (high + low)
    shrunk: Array = centre + (points - centre) * np.maximum(1.0 - margin / half, 0.0)
    return shrunk


def _apart(bodies: Sequence[Body], welds: Sequence[Weld], found: Array) -> tuple[tuple[str, ...], Array]:
    """Names and (F, N, 4, 4) poses of the bodies and of the members of welds."""
    names, columns = [body.name for body in bodies], [found[:, : len(bodies)]]
    for index, made in enumerate(welds, start=len(bodies)):
        for name, place in made.places.items():
            names.append(name)
            columns.append(multiply(found[:, index], place[None])[:, None])
    return tuple(names), np.concatenate(columns, axis=1)


def _breaks(watched: Sequence[Link], gaps: Array) -> tuple[Break, ...]:
    """Links that are open for good: a soft one that an impact opens comes back."""
    events = []
    for link, gap in zip(watched, gaps.T, strict=True):
        closed = np.nonzero(gap <= SLACK)[0]
        first = int(closed[-1]) + 1 if len(closed) else 0
        if first < len(gap):
            events.append(Break(link.name, first, float(link.break_n or 0.0)))
    return tuple(sorted(events, key=lambda event: (event.frame, event.link)))
