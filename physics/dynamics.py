# SPDX-License-Identifier: GPL-3.0-or-later
"""Free rigid-body motion for a shot: dropped, thrown, hung, welded into one body, or joined by links that may break.

Bullet runs in a lab, with settings chosen from sizes and speeds; what comes back are plain poses to be keyed.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..pipeline.errors import UsageError
from .ballistic import advise
from .lab import lab_scene
from .links import Link
from .rigid import Array, inverse, move_points, multiply, translation
from .simulation import Body, Simulation, World

SUBSTEPS = (10, 120)
ITERATIONS = 20
LINKED = (30, 50)
"""Substeps and iterations at least where bodies are linked."""
BREAKABLE = (100, 1000)
"""Iterations of a link that may break, by its lever: with too few, 3 cm on 10 g let go at half the force."""
LEVER = 0.5
"""Units that the longest lever may have where links break: beyond one, Bullet compares the torque with the force."""
MARGINS = (5e-6, 2e-4)
SLACK = 5e-4
"""Metres that a link may open without counting as broken."""
STILL = (0.15, 0.15)
"""A body sleeps below this share of its size a second, and this many rad/s, for two seconds."""
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
    world = world or chosen
    found = np.empty((frames, len(every), 4, 4))
    with lab_scene("dynamics") as lab:
        simulation = Simulation(
            lab, [_half_step_back(body, world) for body in every], firm(links, every), world
        )
        watched = [link for link in links if link.break_n is not None]
        gaps = np.zeros((frames, len(watched)))
        for frame in range(frames):
            if frame:
                simulation.step(targets={name: way[frame] for name, way in (targets or {}).items()})
            found[frame] = simulation.poses()
            gaps[frame] = [simulation.gap(link.name) for link in watched]
            yield (frame + 1) / frames
    names, poses = _apart(bodies, welds, found)
    return Motion(names, poses, _breaks(watched, gaps), world, says)


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
        margin=min(body.margin for body in members), faces=None,
    )  # fmt: skip
    return Weld(replace(whole, **changes), places)  # type: ignore[arg-type]


def hung(name: str, anchor: str, body: str, at: Array, break_n: float | None = None) -> tuple[Body, Link]:
    """A fixed anchor and a POINT link that hangs ``body`` on it at the (3,) world point ``at``."""
    corners = 1e-3 * np.array(((1.0, 1, 1), (-1, -1, 1), (-1, 1, -1), (1, -1, -1)))
    peg = Body(anchor, "SPHERE", (corners,), translation(at), kind="PASSIVE", groups=(19,))
    return peg, Link(name, "POINT", anchor, body, translation(at), break_n=break_n)


def for_shot(body: Body) -> Body:
    """The body as a shot wants it: a little damping, and at rest without a tremor."""
    return replace(body, damping=SHOT_DAMPING, sleep=(STILL[0] * _extent(body), STILL[1]))


def sized(body: Body) -> Body:
    """A body whose pieces have their true size, with the margin for that size and hulls shrunk by it."""
    margin = float(np.clip(1e-3 * _thickness(body), *MARGINS))
    made = replace(body, margin=margin)
    return made if body.shape in ("BOX", "SPHERE", "CYLINDER", "MESH") else replace(made, pieces=tuple(
        _shrunk(piece, margin) for piece in body.pieces))  # fmt: skip


def hulls_of(body: Body) -> tuple[Array, ...]:
    """The pieces as hulls shrunk by the margin; primitives are not shrunk, as Bullet holds their margin inside."""
    if body.shape not in ("BOX", "SPHERE", "CYLINDER"):
        return body.pieces
    return tuple(_shrunk(piece, body.margin) for piece in body.pieces)


def settings_for(
    bodies: Sequence[Body], links: Sequence[Link], fps: float, gravity: Sequence[float]
) -> tuple[World, tuple[str, ...]]:
    """Solver settings for these bodies, and sentences about what will be less exact than a shot may want.

    A substep is short enough that nothing sinks in (0.1 sqrt(L/g)) and nothing passes through (a quarter of the
    thinnest piece at the highest speed): the rules of thumb that stacks and falls of 2 to 30 mm parts have given.
    """
    moving = [body for body in bodies if body.kind == "ACTIVE"]
    if not moving:
        return World(fps, gravity=_three(gravity)), ()
    pull = float(np.sqrt(np.square(gravity).sum()))
    limit = 0.1 * float(np.sqrt(min(_extent(body) for body in moving) / max(pull, 1e-3)))
    if len(bodies) > 1:
        fastest = _top_speed(bodies, moving, gravity, pull)
        limit = min(limit, 0.25 * min(_thickness(body) for body in moving) / max(fastest, 1e-6))
    least = LINKED[0] if links else SUBSTEPS[0]
    wanted = int(np.ceil(1.0 / (fps * limit) - 1e-9))
    world = World(
        fps, min(max(wanted, least), SUBSTEPS[1]), LINKED[1] if links else ITERATIONS, _three(gravity),
        _scale(moving, bodies, links),
    )  # fmt: skip
    return world, _doubts(moving, links, wanted)


def _three(vector: Sequence[float]) -> tuple[float, float, float]:
    x, y, z = (float(part) for part in vector)
    return x, y, z


def firm(links: Sequence[Link], bodies: Sequence[Body]) -> list[Link]:
    """The links that may break with iterations of their own.

    Rows of force and torque are solved in turns, and the error shrinks by a share of 1 + m l^2 / I a turn with the
    lever l from the link to the centre of mass; ten times that many turns leave nothing of it.
    """
    by_name = {body.name: body for body in bodies}
    made = []
    for link in links:
        if link.break_n is not None and not link.iterations:
            ratio = max(_lever(link, by_name[name]) for name in (link.a, link.b) if name in by_name)
            link = replace(link, iterations=min(max(int(10.0 * (1.0 + ratio)), BREAKABLE[0]), BREAKABLE[1]))
        made.append(link)
    return made


def _lever(link: Link, body: Body) -> float:
    """Mass times lever squared over the inertia of the bounding box, for a body that moves."""
    if body.kind != "ACTIVE":
        return 0.0
    arm = float(np.square(link.frame[:3, 3] - body.pose[:3, 3]).sum())
    sides = np.sort(np.ptp(np.concatenate(body.pieces), axis=0))
    return 12.0 * arm / float(sides[0] ** 2 + sides[1] ** 2)


def _half_step_back(body: Body, world: World) -> Body:
    """Half a substep of gravity less velocity: Bullet's steps then lie exactly on the parabola of a free fall."""
    if body.kind != "ACTIVE":
        return body
    return replace(body, velocity=_three(np.array(body.velocity) - 0.5 * world.dt * np.array(world.gravity)))


def _extent(body: Body) -> float:
    points = np.concatenate(body.pieces)
    return float(np.ptp(points, axis=0).min())


def _thickness(body: Body) -> float:
    return min(float(np.ptp(piece, axis=0).min()) for piece in body.pieces)


def _top_speed(
    bodies: Sequence[Body], moving: Sequence[Body], gravity: Sequence[float], pull: float
) -> float:
    """The highest speed in m/s that a body reaches before it meets the lowest point of any of the bodies."""
    down = np.array(gravity) / max(pull, 1e-9)
    depth = max(
        float((move_points(body.pose, piece) * down).sum(axis=1).max())
        for body in bodies
        for piece in body.pieces
    )
    found = []
    for body in moving:
        fall = max(depth - float((body.pose[:3, 3] * down).sum()), 0.0)
        speed = float(np.square(body.velocity).sum()) + 2.0 * pull * fall
        radius = max(float(np.sqrt(np.square(piece).sum(axis=1)).max()) for piece in body.pieces)
        found.append(np.sqrt(speed) + radius * np.sqrt(np.square(body.spin).sum()))
    return float(max(found))


def _scale(moving: Sequence[Body], bodies: Sequence[Body], links: Sequence[Link]) -> float:
    """Units a metre, a power of two: about one a body, but levers of links that break stay short."""
    size = float(np.median([_extent(body) for body in moving]))
    power = int(np.frexp(1.4 / size)[1]) - 1
    if any(link.break_n is not None for link in links):
        where = np.concatenate([move_points(body.pose, piece) for body in moving for piece in body.pieces])
        ends = np.stack([link.frame[:3, 3] for link in links])
        reach = float(np.ptp(np.concatenate((where, ends)), axis=0).max())
        power = min(power, int(np.frexp(LEVER / reach)[1]) - 1)
    return float(2.0 ** min(max(power, -6), 10))


def _doubts(moving: Sequence[Body], links: Sequence[Link], wanted: int) -> tuple[str, ...]:
    says = [sentence for body in moving if (sentence := advise(body))]
    if wanted > SUBSTEPS[1]:
        says.append(
            f"The fastest body needs {wanted} substeps a frame and gets {SUBSTEPS[1]}: it may pass through thin parts."
        )
    masses = {body.name: body.mass for body in moving}
    for link in links:
        pair = [masses[name] for name in (link.a, link.b) if name in masses]
        if len(pair) == 2 and max(pair) > 20.0 * min(pair):
            ratio = max(pair) / min(pair)
            says.append(
                f"Link {link.name!r} joins masses of 1 to {ratio:.0f}: it will give; weld them instead."
            )
    return tuple(says)


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
