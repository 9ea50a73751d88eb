# SPDX-License-Identifier: GPL-3.0-or-later
"""How the picture is made of the light, and the way back, measured from Blender's own colour management.

    colour.refuse(scene)                                      # at once; InputError
    made = colour.record(scene)                               # for truth.json
    table = yield from colour.table(made, lambda share: Progress(0.02 * share, "Measuring the view"))   # InputError
    table.save(folder / "colour" / "to_linear.npz")           # some seconds the first time, then from memory

``table`` shows chosen colours to a scene of its own, made from the record, which is gone afterwards also when the
generator is closed; the artist's scene is not touched.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import bpy
import numpy as np

from .. import compat
from ..pipeline.colour import ToLinear
from ..pipeline.errors import InputError
from ..pipeline.pictures import read_exact
from ..pipeline.store import digest_json
from .invert import F64, SHARE, Inverse, inverse
from .throwaway import MARK

T = TypeVar("T")
WIDTH = 128
CHOOSE = "Choose the view AgX, Filmic or Standard with the look None and no curves under Render > Color Management."
_measured: dict[str, Inverse] = {}
_CURVES = "tone use_clip clip_min_x clip_min_y clip_max_x clip_max_y extend black_level white_level"


def record(scene: bpy.types.Scene) -> dict[str, Any]:
    """How the beauty is made display-referred; all that is needed to make it so again, and to undo it.

    ``display``, ``view``, ``look``, ``exposure`` (stops), ``gamma``; ``curves`` (empty without) and ``white_balance``
    (empty without; kelvin and tint); ``linear``: the space of scene-linear; ``input_space``: Blender's name for
    a picture of this view (look None, exposure 0, gamma 1), empty if it has none; ``dither`` of the picture, 0.
    """
    view = scene.view_settings
    display = scene.display_settings.display_device
    balance = getattr(view, "use_white_balance", False)
    return {
        "display": display,
        "view": view.view_transform,
        "look": view.look,
        "exposure": round(view.exposure, 6),
        "gamma": round(view.gamma, 6),
        "curves": _curves(view.curve_mapping) if view.use_curve_mapping else {},
        "white_balance": {
            "temperature": round(view.white_balance_temperature, 4), "tint": round(view.white_balance_tint, 4)
        } if balance else {},
        "linear": compat.scene_linear(),
        "input_space": _input_space(view.view_transform, display),
        "dither": 0.0,
    }  # fmt: skip


def refuse(scene: bpy.types.Scene) -> None:
    """Raises InputError if the picture is not made for an sRGB display, as models take it to be, or not all frames alike."""
    display = scene.display_settings.display_device
    place = "under Render > Color Management"
    if "srgb" not in display.lower():
        todo = f"Choose the display device sRGB {place}: models take pictures for sRGB."
        raise InputError(f"The scene is displayed as {display}", where=scene.name, todo=todo)
    if moved := sorted(
        path for path in _animated(scene) if path.startswith(("view_settings", "display_settings"))
    ):
        todo = f"Take the animation off {place}, and animate the light or the film's exposure instead."
        raise InputError("The view is animated", where=", ".join(moved), todo=todo)


def _animated(scene: bpy.types.Scene) -> set[str]:
    """What of the scene itself is animated or driven, as data paths."""
    data = scene.animation_data
    if data is None:
        return set()
    actions = {strip.action for track in data.nla_tracks for strip in track.strips} | {data.action}
    curves = [curve for action in actions if action for curve in compat.fcurves_of(action)]
    return {curve.data_path for curve in (*curves, *data.drivers)}


def table(made: Mapping[str, Any], step: Callable[[float], T]) -> Generator[T, None, ToLinear]:
    """The way back for a ``record``, measured in slices of some milliseconds; yields ``step(share done)`` in between.

    Raises InputError if too few of the colours that the view shows come back (see rendering.invert).
    """
    key = digest_json(dict(made))
    if key not in _measured:
        try:
            _measured[key] = yield from _measure(made, key, step)
        except ReferenceError as error:
            raise InputError(
                "The scene was taken away while its view was measured", todo="Run Ground truth again."
            ) from error
    found = _measured[key]
    if found.table is None or not found.good:
        raise InputError(_sentence(made, found), todo=CHOOSE)
    return found.table


def _measure(made: Mapping[str, Any], key: str, step: Callable[[float], T]) -> Generator[T, None, Inverse]:
    with _shown(made) as shows:
        asking, left = inverse(key), 1.0
        points = next(asking)
        while True:
            shown = shows(points)
            left *= 0.99  # how much is left is not known: a good view needs 100 to 400 answers
            yield step(1.0 - left)
            try:
                points = asking.send(shown)
            except StopIteration as end:
                return end.value


def _sentence(made: Mapping[str, Any], found: Inverse) -> str:
    extras = [f"the look {made['look']}"] if made["look"] != "None" else []
    extras += [f"gamma {made['gamma']:.3g}"] if made["gamma"] != 1 else []
    extras += [name.replace("_", " ") for name in ("curves", "white_balance") if made[name]]
    how = f"The view {made['view']}" + (f" with {', '.join(extras)}" if extras else "")
    return f"{how} can't be undone: of the colours that it shows {found.back:.0%} come back, not {SHARE:.0%}"


@contextmanager
def _shown(made: Mapping[str, Any]) -> Iterator[Callable[[F64], F64]]:
    """A function that says what the display shows, (n, 3) in 0..1 to 16 bits, of scene-linear colours (n, 3)."""
    scene = bpy.data.scenes.new("Holdfast colour")
    images: dict[int, bpy.types.Image] = {}
    try:
        scene[MARK] = True
        _dress(scene, made)
        with TemporaryDirectory(prefix="holdfast") as folder:
            yield lambda colours: _show(scene, images, Path(folder) / "shown.png", colours)
    finally:
        with suppress(ReferenceError):  # an undo has taken them
            for image in images.values():
                bpy.data.images.remove(image)
            compat.remove_scene(scene)


def _show(scene: bpy.types.Scene, images: dict[int, bpy.types.Image], path: Path, colours: F64) -> F64:
    rows = 1 << (-(-len(colours) // WIDTH) - 1).bit_length()  # few sizes, so few images
    if rows not in images:
        images[rows] = bpy.data.images.new("Holdfast colour", WIDTH, rows, float_buffer=True)
        images[rows][MARK] = True
        compat.make_linear(images[rows])
    pixels = np.ones((rows * WIDTH, 4), np.float32)
    pixels[: len(colours), :3] = colours
    images[rows].pixels.foreach_set(pixels.ravel())
    images[rows].save_render(str(path), scene=scene)
    stored = read_exact(path)[::-1].reshape(-1, 3)  # Blender's rows go up
    return np.asarray(stored[: len(colours)] / 65535.0, np.float64)


def _dress(scene: bpy.types.Scene, made: Mapping[str, Any]) -> None:
    """Gives a scene the colour management of a ``record`` and an output of 16-bit PNG."""
    compat.write_png(scene.render.image_settings, 16)
    scene.render.image_settings.compression = 0
    scene.render.dither_intensity = 0.0
    view: Any = scene.view_settings
    scene.display_settings.display_device = made["display"]
    view.view_transform, view.look = made["view"], made["look"]
    view.exposure, view.gamma = made["exposure"], made["gamma"]
    if made["white_balance"]:
        view.use_white_balance = True
        view.white_balance_temperature = made["white_balance"]["temperature"]
        view.white_balance_tint = made["white_balance"]["tint"]
    if made["curves"]:
        view.use_curve_mapping = True
        _bend(view.curve_mapping, made["curves"])


def _curves(mapping: bpy.types.CurveMapping) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for name in _CURVES.split():
        value = getattr(mapping, name)
        settings[name] = (
            value if isinstance(value, str | bool | float) else [round(part, 6) for part in value]
        )
    settings["points"] = [
        [
            [round(point.location[0], 6), round(point.location[1], 6), point.handle_type]
            for point in curve.points
        ]
        for curve in mapping.curves
    ]
    return settings


def _bend(mapping: bpy.types.CurveMapping, curves: Mapping[str, Any]) -> None:
    for name in _CURVES.split():
        setattr(mapping, name, curves[name])
    for curve, points in zip(mapping.curves, curves["points"], strict=True):
        while len(curve.points) > 2:
            curve.points.remove(curve.points[1])
        while len(curve.points) < len(points):
            curve.points.new(0.5, 0.5)
        for point, (across, up, handle) in zip(curve.points, points, strict=True):
            point.location, point.handle_type = (across, up), handle
    mapping.update()


def _input_space(view: str, display: str) -> str:
    """Blender's colour space of pictures that were shown through a view, "" if there is none."""
    spaces = compat.input_spaces()
    plain = {"Standard": display, "Raw": compat.scene_linear(), "Filmic Log": "Filmic Log"}
    wanted = (plain.get(view, ""), f"{view} {display}", f"{view} Base {display}")
    return next((name for name in wanted if name in spaces), "")
