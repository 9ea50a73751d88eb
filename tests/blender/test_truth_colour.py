# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist sees comes back as the light that it was, or is refused: on Blender's own views, looks and renders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy
import cv2
import numpy as np
import pytest
from holdfast import compat
from holdfast.pipeline.colour import ToLinear, disagreement, stops_apart
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.pictures import read_exact, read_exr
from holdfast.rendering import colour, invert, throwaway

pytestmark = pytest.mark.sweep

SHOWN = (12, 243)  # codes of 255 in which a channel tells of its light


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[bpy.types.Scene]:
    """A new file's scene; what it was shown with is there again afterwards, and nothing else."""
    monkeypatch.setattr(colour, "_measured", {})
    yield bpy.context.scene
    assert len(bpy.data.scenes) == 1 and not [i for i in bpy.data.images if i.name.startswith("Holdfast")]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer nodes: exact enough to decide, and to see large faults."""
    monkeypatch.setattr(invert, "LEVELS", (9, 17))


def measure(scene: bpy.types.Scene) -> ToLinear:
    asking = colour.table(colour.record(scene), lambda share: share)
    shares = []
    try:
        while True:
            shares.append(next(asking))
    except StopIteration as end:
        assert shares == sorted(shares) and all(0 <= share <= 1 for share in shares)
        return end.value


def show(scene: bpy.types.Scene, light, folder: Path, bits: int = 8):
    """(H, W, 3) scene-linear -> the picture of it, saved through the artist's own scene."""
    height, width = light.shape[:2]
    image = bpy.data.images.new("light", width, height, float_buffer=True)
    compat.make_linear(image)
    image.pixels.foreach_set(np.dstack([light, np.ones(light.shape[:2])])[::-1].astype(np.float32).ravel())
    compat.write_png(scene.render.image_settings, bits)
    image.save_render(str(folder / "shown.png"), scene=scene)
    bpy.data.images.remove(image)
    return read_exact(folder / "shown.png")


def colours(stops=(-6, 3), grey=0.18):
    """(64, 64, 3) light from dark to bright about mid grey, of all tints up to saturated ones."""
    chance = np.random.default_rng(5)
    tint = chance.random((64, 64, 3))
    tint = 1 - chance.random((64, 64, 1)) * (1 - tint / tint.max(-1, keepdims=True))
    return (grey * 2 ** chance.uniform(*stops, (64, 64, 1)) * tint).astype(np.float32)


def views() -> list[str]:
    known = ["Standard", "AgX", "Filmic", "Filmic Log", "Raw", "False Color", "Khronos PBR Neutral"]
    return known + (["ACES 1.3", "ACES 2.0"] if bpy.app.version >= (5, 0, 0) else [])


LOOKS = [
    ("AgX", "AgX - Punchy"), ("AgX", "AgX - Medium High Contrast"), ("AgX", "AgX - High Contrast"),
    ("AgX", "AgX - Greyscale"), ("Filmic", "Very High Contrast"), ("Standard", "Low Contrast"),
]  # fmt: skip


def test_every_view_and_some_looks(scene: bpy.types.Scene, quick: None, tmp_path: Path) -> None:
    print(f"\nBlender {bpy.app.version_string}: view, look: can be undone, median and 99 of 100 in stops")
    refused = set()
    for view, look in [(view, "None") for view in views()] + LOOKS:
        scene.view_settings.view_transform, scene.view_settings.look = view, look
        try:
            table = measure(scene)
        except InputError as error:
            refused.add((view, look))
            print(f"{view:20} {look:28} no: {error}")
            assert view in str(error) and (look == "None" or look in str(error)) and "Choose" in str(error)
            continue
        light = colours(grey=float(table.apply(np.full((1, 1, 3), 0.5)).max()))
        picture = show(scene, light, tmp_path)
        inside = ((picture > SHOWN[0]) & (picture < SHOWN[1])).all(-1)
        off = stops_apart(light, table.apply(picture))[inside]
        print(f"{view:20} {look:28} yes {np.median(off):.3f} {np.percentile(off, 99):.3f}")
        assert np.median(off) < 0.05 and np.percentile(off, 95) < 0.2
        assert disagreement(light, picture, table) < 0.02 < 0.3 < disagreement(light * 2, picture, table)
    assert refused == {("False Color", "None"), ("AgX", "AgX - Greyscale")}


@pytest.mark.parametrize(("view", "limit"), [("AgX", 0.03), ("Standard", 0.001), ("Filmic", 0.001)])
def test_the_matching_input_space_says_the_same(
    scene: bpy.types.Scene, tmp_path: Path, view: str, limit: float
) -> None:
    """Blender's own input space and the table are two ways to the same light."""
    scene.view_settings.view_transform = view
    table, made = measure(scene), colour.record(scene)
    light = colours()
    picture = show(scene, light, tmp_path, 16)
    image = bpy.data.images.load(str(tmp_path / "shown.png"))
    image.colorspace_settings.name = made["input_space"]
    read = np.empty(64 * 64 * 4, np.float32)
    image.pixels.foreach_get(read)
    bpy.data.images.remove(image)
    theirs = read.reshape(64, 64, 4)[::-1, :, :3]
    inside = ((picture > SHOWN[0] * 257) & (picture < SHOWN[1] * 257)).all(-1)
    ours = table.apply(picture)
    for name, a, b in (("ours", ours, light), ("theirs", theirs, light), ("apart", ours, theirs)):
        off = stops_apart(a, b)[inside]
        print(
            f"{view} by {made['input_space']}: {name} median {np.median(off):.5f}, 99 of 100 {np.percentile(off, 99):.4f}"
        )
    assert np.median(stops_apart(ours, theirs)[inside]) < limit
    assert np.median(stops_apart(ours, light)[inside]) < 0.005


def bend(view) -> None:
    view.use_curve_mapping = True
    view.curve_mapping.curves[3].points.new(0.3, 0.2)
    view.curve_mapping.curves[0].points[1].location = (1.0, 0.9)
    view.curve_mapping.update()


def light_the_world(scene: bpy.types.Scene) -> None:
    """Fills the picture with known, smooth light, of a few stops below and above white."""
    scene.world = bpy.data.worlds.new("World")
    scene.world.cycles.sampling_method = "NONE"
    tree = compat.node_tree_of(scene.world)
    at, scaled = tree.nodes.new("ShaderNodeTexCoord"), tree.nodes.new("ShaderNodeVectorMath")
    scaled.operation = "MULTIPLY_ADD"
    scaled.inputs[1].default_value, scaled.inputs[2].default_value = (2.0, 1.0, 0.0), (0.05, 0.1, 0.3)
    ground = next(node for node in tree.nodes if node.type == "BACKGROUND")
    tree.links.new(at.outputs["Window"], scaled.inputs[0])
    tree.links.new(scaled.outputs[0], ground.inputs["Color"])


def rendered(scene: bpy.types.Scene, folder: Path):
    """The picture of a scene as Blender renders it to a file, and its light."""
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 48, 32, 100
    scene.render.dither_intensity, scene.cycles.use_denoising = 0.0, False
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(camera)
    scene.camera = camera
    compat.write_png(scene.render.image_settings)
    scene.render.filepath = str(folder / "beauty.png")
    bpy.ops.render.render(write_still=True)
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.image_settings.color_depth = "32"
    scene.render.filepath = str(folder / "beauty.exr")
    bpy.ops.render.render(write_still=True)
    return read_exact(folder / "beauty.png"), read_exr(folder / "beauty.exr")[..., :3]


def test_a_render_with_everything_that_a_view_can_have(
    scene: bpy.types.Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A true pair agrees by the table of its record; a stop off, or without one of its settings, it does not."""
    view = scene.view_settings
    view.view_transform, view.look, view.exposure, view.gamma = "AgX", "AgX - Medium High Contrast", 0.7, 1.5
    bend(view)
    if hasattr(view, "use_white_balance"):
        view.use_white_balance, view.white_balance_temperature, view.white_balance_tint = True, 5200.0, 20.0
    light_the_world(scene)
    picture, light = rendered(scene, tmp_path)
    before = colour.record(scene)
    table = measure(scene)
    assert colour.record(scene) == before and table.made_from
    off = stops_apart(light, table.apply(picture))
    print(
        f"\nBlender {bpy.app.version_string}: a render comes back within {np.median(off):.4f} stops, {off.max():.3f} at most"
    )
    share = disagreement(light, picture, table)
    print(f"as it is: {share:.4f} of the pixels disagree")
    assert np.median(off) < 0.03 and share < 0.01 and disagreement(light * 2, picture, table) > 0.95
    monkeypatch.setattr(invert, "LEVELS", (9, 17))
    for setting, plain in (("exposure", 0.0), ("gamma", 1.0), ("look", "None")):
        kept = getattr(view, setting)
        setattr(view, setting, plain)
        share = disagreement(light, picture, measure(scene))
        print(f"tagged without its {setting}: {share:.3f} of the pixels disagree")
        assert share > 0.2
        setattr(view, setting, kept)


def test_refusals(scene: bpy.types.Scene) -> None:
    scene.view_settings.view_transform = "False Color"
    with pytest.raises(InputError, match=r"The view False Color can't be undone.*Choose the view AgX"):
        measure(scene)
    with pytest.raises(InputError, match="False Color"):  # from memory, with no colour shown
        next(colour.table(colour.record(scene), lambda share: share))
    colour.refuse(scene)
    scene.display_settings.display_device = "Display P3"
    with pytest.raises(InputError, match=r"displayed as Display P3.*sRGB"):
        colour.refuse(scene)
    scene.display_settings.display_device = "sRGB"
    scene.keyframe_insert("gravity")
    colour.refuse(scene)
    scene.view_settings.keyframe_insert("exposure", frame=1)
    with pytest.raises(InputError, match=r"The view is animated \(view_settings.exposure\)"):
        colour.refuse(scene)
    scene.animation_data_clear()
    scene.view_settings.driver_add("gamma")
    with pytest.raises(InputError, match=r"The view is animated \(view_settings.gamma\)"):
        colour.refuse(scene)


def test_curves_that_go_flat_are_refused(scene: bpy.types.Scene, quick: None) -> None:
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.use_curve_mapping = True
    mapping = scene.view_settings.curve_mapping
    for across in (0.02, 0.9):
        mapping.curves[3].points.new(across, 0.3)
    mapping.update()
    with pytest.raises(InputError, match="The view AgX with curves can't be undone"):
        measure(scene)


def test_nothing_is_left_behind_and_nothing_measured_twice(scene: bpy.types.Scene) -> None:
    scene.view_settings.view_transform = "Standard"
    made = colour.record(scene)
    begun = colour.table(made, lambda share: share)
    for _ in range(3):
        next(begun)
    assert len(bpy.data.scenes) == 2
    begun.close()
    assert len(bpy.data.scenes) == 1 and not bpy.data.images and colour.record(scene) == made
    begun = colour.table(made, lambda share: share)
    next(begun)
    bpy.data.scenes.remove(next(other for other in bpy.data.scenes if other != scene))
    with pytest.raises(InputError, match="taken away"):
        list(begun)
    throwaway.purge()
    first = measure(scene)
    assert measure(scene) is first and not bpy.data.images
    scene.view_settings.exposure = 1.0
    doubled = measure(scene).apply(np.full((1, 3), 128, np.uint8)) * 2
    assert np.allclose(doubled, first.apply(np.full((1, 3), 128, np.uint8)), rtol=1e-3)


def test_the_record(scene: bpy.types.Scene) -> None:
    spaces = {}
    for view in views():
        scene.view_settings.view_transform = view
        spaces[view] = colour.record(scene)["input_space"]
    print(spaces)
    assert (
        spaces["AgX"] == "AgX Base sRGB"
        and spaces["Filmic"] == "Filmic sRGB"
        and spaces["Standard"] == "sRGB"
    )
    assert spaces["Raw"] == "Linear Rec.709" and spaces["False Color"] == ""
    if bpy.app.version >= (5, 0, 0):
        assert spaces["ACES 2.0"] == "ACES 2.0 sRGB"
    bend(scene.view_settings)
    made = colour.record(scene)
    assert made["curves"]["points"][3][1][:2] == pytest.approx([0.3, 0.2]) and made["dither"] == 0.0


@pytest.mark.skipif(
    bpy.app.version < (5, 0, 0), reason="before 5.0 light is always in the configuration's space"
)
def test_another_working_space(scene: bpy.types.Scene) -> None:
    """In ACEScg the same picture stands for the same light, named in other primaries."""
    scene.view_settings.view_transform = "Standard"
    pixels = np.random.default_rng(2).uniform(0.2, 0.8, (50, 3))
    plain = measure(scene).apply(pixels)
    assert bpy.ops.wm.set_working_color_space(working_space="ACEScg") == {"FINISHED"}
    made = colour.record(scene)
    wide = measure(scene).apply(pixels)
    # ACES' AP1 from Rec.709 with Bradford's adaptation from D65 to ACES white
    matrix = np.array([[0.6131, 0.3395, 0.0474], [0.0702, 0.9164, 0.0134], [0.0206, 0.1096, 0.8698]])
    off = stops_apart(wide, plain @ matrix.T)
    print(f"{made['linear']}: {off.max():.4f} stops at most")
    assert made["linear"] == "ACEScg" and off.max() < 0.01


def test_cv2_reads_what_was_shown(tmp_path: Path) -> None:
    """Rows of Blender's images go up and channels are RGB: a picture that is not symmetric comes back as it was."""
    light = np.zeros((3, 4, 3), np.float32)
    light[0, 1] = (0.25, 0.5, 0.75)
    bpy.context.scene.view_settings.view_transform = "Raw"
    picture = show(bpy.context.scene, light, tmp_path, 16)
    assert picture.dtype == np.uint16 and np.allclose(picture / 65535, light, atol=1e-4)
    assert cv2.imread(str(tmp_path / "shown.png"), cv2.IMREAD_UNCHANGED)[0, 1, 0] == picture[0, 1, 2]
