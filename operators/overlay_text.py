# SPDX-License-Identifier: GPL-3.0-or-later
"""Words on dark plates in the viewport, that give way to each other."""

from typing import Final, NamedTuple

import blf
import gpu
from gpu_extras.batch import batch_for_shader

Colour = tuple[float, float, float]
SIZE: Final = 12.0
PLATE: Final = (0.04, 0.04, 0.04, 0.9)
PAD: Final = 4.0


class Tag(NamedTuple):
    """Words to the right of a place in the region, or ``before`` it; in pixels from its bottom left."""

    text: str
    x: float
    y: float
    colour: Colour
    before: bool = False


class Box(NamedTuple):
    """A plate: left, bottom, width, height."""

    x: float
    y: float
    width: float
    height: float


def placed(tags: list[Tag], sizes: list[tuple[float, float]], scale: float) -> list[Box]:
    """A plate for every tag, of its text's size and padding; one that would cover an earlier one goes up."""
    found: list[Box] = []
    pad = PAD * scale
    for tag, (width, height) in zip(tags, sizes, strict=True):
        left = tag.x - width - 4.0 * pad if tag.before else tag.x + 2.0 * pad
        box = Box(left, tag.y - 0.5 * height - pad, width + 2.0 * pad, height + 2.0 * pad)
        while any(_cover(box, other) for other in found):
            box = box._replace(y=box.y + 0.5 * box.height)
        found.append(box)
    return found


def _cover(one: Box, other: Box) -> bool:
    beside = one.x + one.width < other.x or other.x + other.width < one.x
    return not beside and one.y < other.y + other.height and other.y < one.y + one.height


def draw(tags: list[Tag], scale: float) -> None:
    """Draws all tags; ``scale`` pixels to a unit of the interface."""
    blf.size(0, SIZE * scale)
    sizes = [(_size(tag.text)[0], _size("0g")[1]) for tag in tags]
    boxes = placed(tags, sizes, scale)
    rectangles([(box, PLATE) for box in boxes])
    for tag, box, (_, height) in zip(tags, boxes, sizes, strict=True):
        words(tag.text, box.x + PAD * scale, box.y + PAD * scale + 0.22 * height, tag.colour)


def _size(text: str) -> tuple[float, float]:
    width, height = blf.dimensions(0, text)
    return width, height


def words(text: str, x: float, y: float, colour: Colour) -> None:
    """Draws text in the current size from its bottom left."""
    blf.position(0, round(x), round(y), 0.0)
    blf.color(0, *colour, 1.0)
    blf.draw(0, text)


def rectangles(boxes: list[tuple[Box, tuple[float, float, float, float]]]) -> None:
    """Fills boxes, each with its colour."""
    if not boxes:
        return
    shader = gpu.shader.from_builtin("FLAT_COLOR")
    corners, colours, faces = [], [], []
    for number, (box, colour) in enumerate(boxes):
        right, top, first = box.x + box.width, box.y + box.height, 4 * number
        corners += [(box.x, box.y, 0.0), (right, box.y, 0.0), (right, top, 0.0), (box.x, top, 0.0)]
        colours += [colour] * 4
        faces += [(first, first + 1, first + 2), (first, first + 2, first + 3)]
    batch = batch_for_shader(shader, "TRIS", {"pos": corners, "color": colours}, indices=faces)
    gpu.state.blend_set("ALPHA")
    shader.bind()
    batch.draw(shader)
    gpu.state.blend_set("NONE")
