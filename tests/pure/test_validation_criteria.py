# SPDX-License-Identifier: GPL-3.0-or-later
"""Palette, background and readable parts: planted violations are found with their frames, clean looks are left alone.

The scene is analytic: a label moves before a wall, and the camera moves along both.
"""

from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np
import pytest
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import Cancelled
from holdfast.pipeline.intent import Intent
from holdfast.pipeline.truth import PartInfo
from holdfast.validation.anchors import Rig
from holdfast.validation.criteria import Criterion, Subject, hexed, judge, spans
from holdfast.validation.criteria_palette import Palette, ciede2000
from holdfast.validation.plates import load_plate

SIZE, FRAMES, FOCAL = (400, 225), 24, 420.0
WALL_M, LABEL_M = 2.0, 1.5
LABEL = PartInfo(1, "label", "label", "label")
STAYS = Intent(background="stays")
READABLE = Intent(readable=("label",))


@cache
def sheet(text: str = "HOLD 24") -> np.ndarray:
    """(120, 300) ink 0..1."""
    ink = np.zeros((120, 300), np.float32)
    cv2.rectangle(ink, (6, 6), (293, 113), 1, 4, cv2.LINE_AA)
    cv2.putText(ink, text, (18, 76), cv2.FONT_HERSHEY_DUPLEX, 1.75, 1, 4, cv2.LINE_AA)
    return ink


@cache
def cloud(seed: int, scale: float = 40, size: tuple[int, int] = (1200, 700)) -> np.ndarray:
    """(H, W) smooth noise of about unit strength."""
    small = np.random.default_rng(seed).normal(0, 1, (int(size[1] / scale) + 2, int(size[0] / scale) + 2))
    return cv2.resize(small.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)


@dataclass
class World:
    """Truth and take; ``take(world, frame, render)`` draws the take. Cameras look along z, x right, y down."""

    take: object = None
    seen: dict[int, dict[str, np.ndarray]] = field(default_factory=dict)
    size = SIZE

    def where(self, frame: int) -> tuple[float, float, float]:
        """Camera x and label x, y in metres."""
        t = frame / FRAMES
        return 0.25 * t, 0.05 + 0.3 * t, 0.03 * np.sin(5 * t)

    def passes(self, frame: int) -> dict[str, np.ndarray]:
        if frame not in self.seen:
            camera, x0, y0 = self.where(frame)
            x, y = np.meshgrid(np.arange(SIZE[0]) + 0.5, np.arange(SIZE[1]) + 0.5)
            ray_x, ray_y = (x - SIZE[0] / 2) / FOCAL, (y - SIZE[1] / 2) / FOCAL
            u, v = (ray_x * LABEL_M + camera - x0) / 0.45 + 0.5, (ray_y * LABEL_M - y0) / 0.18 + 0.5
            on = (u > 0) & (u < 1) & (v > 0) & (v < 1)
            self.seen[frame] = {
                "ids": on.astype(np.uint8), "depth": np.where(on, LABEL_M, WALL_M).astype(np.float32),
                "u": (u * 300 - 0.5).astype(np.float32), "v": (v * 120 - 0.5).astype(np.float32),
                "x": ((ray_x * WALL_M + camera) * 300 + 400).astype(np.float32),
                "y": (ray_y * WALL_M * 300 + 350).astype(np.float32),
            }  # fmt: skip
        return self.seen[frame]

    def on_wall(self, frame: int, picture: np.ndarray) -> np.ndarray:
        at = self.passes(frame)
        return cv2.remap(picture, at["x"], at["y"], cv2.INTER_LINEAR)

    def on_label(self, frame: int, picture: np.ndarray) -> np.ndarray:
        at = self.passes(frame)
        return cv2.remap(picture, at["u"], at["v"], cv2.INTER_LINEAR)

    def paint(self, frame, wall, label, ink, drawn=None) -> np.ndarray:
        """Float RGB: wall colour x cloud, label with ink."""
        out = np.float32(wall) * (1 + 0.15 * self.on_wall(frame, cloud(1)))[..., None]
        share = self.on_label(frame, sheet() if drawn is None else drawn)[..., None]
        board = np.float32(label) * (1 - share) + np.float32(ink) * share
        return np.where(self.passes(frame)["ids"][..., None] > 0, board, out)

    def beauty(self, frame: int) -> np.ndarray:
        at = self.passes(frame)
        if "beauty" not in at:
            at["beauty"] = self.rendered(frame)
        return at["beauty"]

    def rendered(self, frame: int) -> np.ndarray:
        return to_bytes(self.paint(frame, (120, 110, 100), (200, 190, 170), (40, 40, 90)))

    def frame(self, frame: int) -> np.ndarray:
        return to_bytes(self.take(self, frame))

    def ids(self, frame: int) -> np.ndarray:
        return self.passes(frame)["ids"]

    def depth(self, frame: int) -> np.ndarray:
        return self.passes(frame)["depth"]

    def normal(self, frame: int) -> np.ndarray:
        return np.zeros((*SIZE[::-1], 3), np.float32)

    def subject(self) -> Subject:
        K = np.array([[FOCAL, 0, SIZE[0] / 2], [0, FOCAL, SIZE[1] / 2], [0, 0, 1.0]])
        poses, cameras = {}, {}
        for frame in range(FRAMES):
            camera, x0, y0 = self.where(frame)
            move, pose = np.eye(4), np.eye(4)
            move[0, 3], pose[:3, 3] = -camera, (x0, y0, LABEL_M)
            poses[frame], cameras[frame] = {1: pose}, (K, move)

        def load(index: int):
            return load_plate(self, self, index, index, (0.0, 0.0))

        return Subject(load, Rig(poses, cameras), [LABEL], [101 + i for i in range(FRAMES)])


def to_bytes(picture: np.ndarray) -> np.ndarray:
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)


SEEN: dict[int, dict[str, np.ndarray]] = {}


def check(take, intent: Intent, every: int = 3) -> list[Criterion]:
    found, _ = judge(
        World(take, SEEN).subject(), intent, [LABEL] if intent.readable else [], Context(), every
    )
    for one in found:
        print(f"{one.kind} {one.part} {one.first}-{one.last}: {one.value} against {one.limit}; {one.says}")
    return found


def restyled(world, frame):
    """Another wall, inverted label, ink lines: everything else than the render, but the same all over the take."""
    out = world.paint(frame, (90, 120, 150), (60, 30, 70), (240, 220, 150))
    wall = world.on_wall(frame, cloud(5, 25))
    return np.where(world.ids(frame)[..., None] > 0, out, out + 25 * wall[..., None])


def noisy(world, frame):
    """The same with what good models do: it shakes by a px, is soft, drifts in exposure and is noisy."""
    rng = np.random.default_rng(frame)
    move = np.float32([[1, 0, rng.uniform(-0.5, 0.5)], [0, 1, rng.uniform(-0.5, 0.5)]])
    out = cv2.warpAffine(restyled(world, frame), move, SIZE, borderMode=cv2.BORDER_REPLICATE)
    out = cv2.GaussianBlur(out, (0, 0), 0.7) * (1 + 0.03 * np.sin(frame / 4))
    return out + rng.normal(0, 1.5, out.shape)


def shadowed(world, frame):
    """A shadow that follows the label and that the render does not have."""
    near = cv2.blur(np.roll(world.ids(frame), (6, 6), (0, 1)).astype(np.float32), (9, 9))[..., None]
    out = restyled(world, frame)
    return np.where(world.ids(frame)[..., None] > 0, out, out * (1 - 0.4 * near))


@pytest.mark.parametrize("look", [restyled, noisy, shadowed])
def test_clean_looks_meet_every_criterion(look):
    palette = Intent(background="stays", readable=("label",), palette=("#5a7896", "#3c1e46", "#f0dc96"))
    assert check(look, palette) == []


def region(world, frame):
    """From frame 20 on a corner of the wall is something else."""
    out = restyled(world, frame)
    corner = np.zeros((700, 1200), np.float32)
    corner[:330, :420] = 1
    out += (
        40
        * (world.on_wall(frame, cloud(9, 30) * corner) * (frame >= 13) * (world.ids(frame) == 0))[..., None]
    )
    return out


def flash(world, frame):
    return (
        restyled(world, frame)
        + 30 * (world.on_wall(frame, cloud(9, 30)) * (9 <= frame <= 16) * (world.ids(frame) == 0))[..., None]
    )


def stuck(world, frame):
    """The wall stays where it is on the screen while the camera moves."""
    out = restyled(world, frame)
    return np.where(
        world.ids(frame)[..., None] > 0,
        out,
        restyled(world, 0) if frame == 0 else 100 + 25 * cloud(5, 25)[: SIZE[1], : SIZE[0], None],
    )


def boiling(world, frame):
    return (
        restyled(world, frame)
        + 14 * (world.on_wall(frame, cloud(100 + frame, 30)) * (world.ids(frame) == 0))[..., None]
    )


def drifting(world, frame):
    """The wall slides by 50 px at 1080p over the shot."""
    out = world.paint(frame, (90, 120, 150), (60, 30, 70), (240, 220, 150))
    wall = world.on_wall(frame, np.roll(cloud(5, 25), round(frame * 0.9), 1))
    return np.where(world.ids(frame)[..., None] > 0, out, out + 25 * wall[..., None])


@pytest.mark.parametrize(
    ("take", "says", "frames"),
    [
        (region, "changes", (114, 124)), (flash, "changes", (110, 117)), (stuck, "", None), (boiling, "boils", None),
        (drifting, "drifts", None),
    ],
)  # fmt: skip
def test_background_that_does_not_stay(take, says, frames):
    found = check(take, STAYS)
    assert {one.kind for one in found} == {"background"}
    assert any(says in one.says for one in found)
    assert check(take, Intent()) == []
    if frames:
        [one] = found
        assert abs(one.first - frames[0]) <= 1
        assert abs(one.last - frames[1]) <= 1


def test_light_may_change_when_asked_to():
    def relit(world, frame):
        return restyled(world, frame) * (1 - 0.6 * frame / FRAMES)

    assert check(relit, Intent(background="stays", relight=True)) == []


def scrambled(world, frame, text="DLOH 42"):
    if not 10 <= frame <= 19:
        return noisy(world, frame)
    drawn = sheet().copy()
    drawn[20:100, 15:285] = sheet(text)[20:100, 15:285]
    return world.paint(frame, (90, 120, 150), (60, 30, 70), (240, 220, 150), drawn)


def faded(world, frame):
    return (
        world.paint(frame, (90, 120, 150), (60, 30, 70), (60, 30, 70)) if frame >= 18 else noisy(world, frame)
    )


@pytest.mark.parametrize(("take", "frames"), [(scrambled, (111, 120)), (faded, (119, 124))])
def test_text_that_can_not_be_read(take, frames):
    [one] = check(take, READABLE)
    assert (one.kind, one.part, one.unit) == ("readable", "label", "share")
    assert one.value < one.limit
    assert abs(one.first - frames[0]) <= 1
    assert abs(one.last - frames[1]) <= 1


def test_one_wrong_letter_is_found():
    found = check(lambda world, frame: scrambled(world, frame, "HOLD 21"), READABLE)
    assert [one.kind for one in found] == ["readable"]


def test_a_label_elsewhere_can_be_read():
    def moved(world, frame):
        return np.roll(noisy(world, frame), (0, 4), (0, 1))

    assert check(moved, READABLE) == []


def test_a_part_without_a_drawing_is_a_note():
    world = World(restyled, SEEN)
    world.beauty = lambda frame: np.full((*SIZE[::-1], 3), 128, np.uint8)
    found, notes = judge(world.subject(), READABLE, [LABEL], Context())
    assert found == []
    assert notes == ["Nothing is drawn on label that is large enough to read."]


def test_colour_outside_the_palette():
    def green(world, frame):
        label = (40, 120, 50) if 8 <= frame <= 15 else (60, 30, 70)
        return world.paint(frame, (90, 120, 150), label, (240, 220, 150))

    palette = ("#5a7896", "#3c1e46", "#f0dc96")
    [one] = check(green, Intent(palette=palette))
    assert (one.kind, one.part, one.first, one.last) == ("palette", "label", 109, 116)
    assert one.value > one.limit
    assert "#" in one.says
    found = check(restyled, Intent(palette=palette[1:]))
    assert [(one.kind, one.part, one.first, one.last) for one in found] == [("palette", "", 101, 124)]


def test_shades_belong_to_the_palette_and_hues_do_not():
    palette = Palette(["#b04030", "#d8d0c0"])

    def apart(text: str) -> float:
        rgb = np.float32([[[int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)]]])
        return float(palette.outside(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[0])[0])

    assert max(apart(shade) for shade in ("#b04030", "#5a2018", "#1c0a08", "#d0503c", "#6c6860")) < 5
    assert min(apart(other) for other in ("#3060b0", "#30a050", "#a03090", "#c0b020")) > 12


def test_ciede2000_is_that_of_its_authors():
    """Pairs of Sharma, Wu and Dalal 2005, table 1."""
    pairs = np.array(
        [
            (50.0, 2.6772, -79.7751, 50.0, 0.0, -82.7485, 2.0425), (50.0, -1.3802, -84.2814, 50.0, 0.0, -82.7485, 1.0),
            (50.0, 0.0, 0.0, 50.0, -1.0, 2.0, 2.3669), (50.0, 2.49, -0.001, 50.0, -2.49, 0.0009, 7.1792),
            (50.0, 2.49, -0.001, 50.0, -2.49, 0.0011, 7.2195), (50.0, 2.5, 0.0, 73.0, 25.0, -18.0, 27.1492),
            (60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644), (2.0776, 0.0795, -1.135, 0.9033, -0.0636, -0.5514, 0.9082),
        ]
    )  # fmt: skip
    assert ciede2000(pairs[:, :3], pairs[:, 3:6]) == pytest.approx(pairs[:, 6], abs=1e-4)


def test_spans_are_found_to_the_frame():
    bad = {*range(13, 30), *range(41, 43)}

    def measure(index: int) -> float:
        return float(index in bad)

    found = list(spans({i: measure(i) for i in range(0, 60, 5)}, 0.5, measure, 60))
    assert [(span.first, span.last) for span in found] == [(13, 29)]
    found = list(spans({i: measure(i) for i in range(60)}, 0.5, measure, 60))
    assert [(span.first, span.last) for span in found] == [(13, 29)]
    assert next(spans({0: float("nan"), 5: 1.0, 10: float("nan")}, 0.5, lambda i: 1.0, 11)).last == 10


def test_hex_of_lab_and_cancel():
    assert hexed(np.float32([100, 0, 0])) == "#ffffff"
    context = Context()
    context.cancel.cancel()
    with pytest.raises(Cancelled):
        judge(World(restyled, SEEN).subject(), STAYS, [], context)
