# SPDX-License-Identifier: GPL-3.0-or-later
"""Photographed drawings of known shape: what is read must be what was drawn."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from holdfast.clients.offline import ideate
from holdfast.clients.offline.outline import load_outline
from holdfast.clients.offline.sketch import Drawing, read_drawing
from holdfast.pipeline.context import CancelToken, Context
from holdfast.pipeline.errors import Cancelled, InputError, UsageError
from PIL import Image

from scripts.pencil import Sheet, arc
from tests.pure import sketch_photos as shapes

SAMPLES = Path(__file__).parents[2] / "clients" / "offline" / "samples"


def read(path: Path, height_mm: float = 60.0, kind: str = "AUTO") -> Drawing:
    return read_drawing(path, name=path.stem, height_mm=height_mm, kind=kind)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("photos")
    made = {"gear": shapes.gear(), "creature": shapes.creature(), "cup": shapes.cup()}
    paths = {name: shapes.photo(sheet, folder / f"{name}.jpg") for name, sheet in made.items()}
    paths["vase"] = shapes.photo(shapes.vase(), folder / "vase.jpg", tilt_deg=7.0)
    paths["scan"] = shapes.photo(shapes.vase(), folder / "scan.jpg", borders=False)
    paths["gap"] = shapes.photo(shapes.vase(gap_mm=2.5), folder / "gap.jpg")
    return paths


def test_sample_body_is_a_turned_part_with_a_socket() -> None:
    outline = read(SAMPLES / "lantern_body.jpg", 44).outline
    socket = outline.feature("socket")
    assert outline.method == "REVOLVE" and outline.confidence > 0.9 and outline.centre_line
    assert socket is not None and outline.feature("peg") is None
    assert socket.radius_mm == pytest.approx(8.1, abs=0.4)  # as drawn
    assert socket.length_mm == pytest.approx(12.8, abs=0.5)
    assert float(np.ptp(outline.contour[:, 1])) == pytest.approx(44, abs=0.7)
    assert float(outline.half[:, 0].max()) == pytest.approx(18.2, abs=0.6)


def test_sample_lid_has_a_peg() -> None:
    outline = read(SAMPLES / "lantern_lid.jpg", 27.85).outline
    peg = outline.feature("peg")
    assert outline.method == "REVOLVE" and peg is not None and outline.feature("socket") is None
    assert peg.radius_mm == pytest.approx(7.5, abs=0.35)
    assert peg.length_mm == pytest.approx(11.4, abs=0.4)


def test_closed_panes_are_found_and_open_ribs_are_not() -> None:
    assert len(read(SAMPLES / "lantern_body.jpg", 44).outline.panes) == 3
    assert read(SAMPLES / "lantern_lid.jpg", 27.85).outline.panes == ()


def test_samples_are_small_enough_to_ship() -> None:
    for name in ("lantern_body", "lantern_lid"):
        assert (SAMPLES / f"{name}.jpg").stat().st_size < 400_000


def test_gear_is_a_plate_with_seven_holes(photos: dict[str, Path]) -> None:
    outline = read(photos["gear"], 88).outline
    assert outline.method == "EXTRUDE" and len(outline.holes) == 7
    sizes = sorted(float(np.ptp(hole, axis=0).mean()) for hole in outline.holes)
    assert sizes[-1] == pytest.approx(18, abs=0.8) and np.allclose(sizes[:-1], 11, atol=0.8)
    assert float(np.ptp(outline.contour[:, 0])) == pytest.approx(88, rel=0.02)


def test_creature_is_blown_up_and_stays_upright(photos: dict[str, Path]) -> None:
    outline = read(photos["creature"]).outline
    assert outline.method == "INFLATE" and outline.tilt_deg == 0 and not outline.features


@pytest.mark.parametrize("name", ["vase", "scan", "gap"])
def test_vase_is_turned_though_no_axis_is_drawn(photos: dict[str, Path], name: str) -> None:
    drawing = read(photos[name], 128)
    outline = drawing.outline
    assert outline.method == "REVOLVE" and not outline.centre_line and not outline.features
    assert outline.symmetry > 0.97
    assert float(outline.half[:, 0].max()) == pytest.approx(40, abs=1.2)
    heights = outline.half[outline.half[:, 0] > 39, 1]
    assert float(heights.mean()) == pytest.approx(170 - 112, abs=3)


def test_gap_in_the_outline_is_bridged_and_reported(photos: dict[str, Path]) -> None:
    assert any("bridged" in note for note in read(photos["gap"], 128).outline.notes)


def test_cavity_cut_into_the_outline_is_a_socket(photos: dict[str, Path]) -> None:
    socket = read(photos["cup"], 80, "REVOLVE").outline.feature("socket")
    assert socket is not None
    assert socket.radius_mm == pytest.approx(18, abs=0.7) and socket.length_mm == pytest.approx(50, abs=1.2)


def test_kind_that_is_asked_for_wins(photos: dict[str, Path]) -> None:
    outline = read(photos["vase"], kind="EXTRUDE").outline
    assert outline.method == "EXTRUDE" and outline.confidence == 1 and "asked" in outline.reasons[0]


def test_exif_rotation_is_honoured(photos: dict[str, Path], tmp_path: Path) -> None:
    with Image.open(photos["scan"]) as image:
        exif = Image.Exif()
        exif[0x0112] = 6  # the camera was turned: rotate 90 degrees clockwise to see it upright
        image.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.jpg", exif=exif, quality=92)
    straight, turned = read(photos["scan"]).outline, read(tmp_path / "turned.jpg").outline
    assert turned.method == "REVOLVE"
    assert float(turned.half[:, 0].max()) == pytest.approx(float(straight.half[:, 0].max()), rel=0.01)


def test_twelve_megapixels_take_less_than_two_seconds_of_work(
    photos: dict[str, Path], tmp_path: Path
) -> None:
    big = cv2.resize(cv2.imread(str(photos["vase"])), (3000, 4000), interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(tmp_path / "big.jpg"), big)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        started = time.process_time()
        assert read(tmp_path / "big.jpg").outline.method == "REVOLVE"
        assert time.process_time() - started < 5  # 2 s on an idle core; other work may slow it
    finally:
        cv2.setNumThreads(threads)


def test_transparent_and_sixteen_bit_pictures_are_read(tmp_path: Path) -> None:
    line = np.full((700, 500), 65535, np.uint16)
    cv2.ellipse(line, (250, 350), (120, 220), 0, 0, 360, 9000, 7, cv2.LINE_AA)
    cv2.imwrite(str(tmp_path / "deep.png"), line)
    clear = np.zeros((700, 500, 4), np.uint8)
    cv2.ellipse(clear, (250, 350), (120, 220), 0, 0, 360, (20, 20, 20, 255), 7, cv2.LINE_AA)
    cv2.imwrite(str(tmp_path / "clear.png"), clear)
    for name in ("deep.png", "clear.png"):
        outline = read(tmp_path / name, 44).outline
        assert float(outline.half[:, 0].max()) == pytest.approx(12, abs=0.2)


def test_blue_pen_is_read_though_pencil_is_preferred(tmp_path: Path) -> None:
    page = np.full((700, 500, 3), 245, np.uint8)
    cv2.ellipse(page, (250, 350), (120, 220), 0, 0, 360, (220, 90, 40), 7, cv2.LINE_AA)  # BGR
    cv2.imwrite(str(tmp_path / "pen.png"), page)
    assert read(tmp_path / "pen.png", 44).outline.method == "REVOLVE"


def _blank(folder: Path) -> Path:
    return shapes.photo(Sheet(148, 210, 3, 6), folder / "blank.jpg")


def _open_curve(folder: Path) -> Path:
    sheet = Sheet(148, 210, 4, 6)
    sheet.line(arc(74, 100, 40, 50, 20, 200), over_mm=0)
    return shapes.photo(sheet, folder / "open.jpg")


def _text(folder: Path) -> Path:
    (folder / "notes.png").write_text("this is no picture\n" * 50)
    return folder / "notes.png"


def _cut_short(folder: Path) -> Path:
    data = (SAMPLES / "lantern_lid.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(data[: len(data) // 3])
    return folder / "cut.jpg"


def _tiny(folder: Path) -> Path:
    cv2.imwrite(str(folder / "tiny.png"), np.full((90, 120, 3), 240, np.uint8))
    return folder / "tiny.png"


def _bomb(folder: Path) -> Path:
    Image.new("1", (13_000, 13_000)).save(folder / "bomb.png")  # 20 kB on disk, 169 megapixels
    return folder / "bomb.png"


def _empty(folder: Path) -> Path:
    (folder / "empty.jpg").write_bytes(b"")
    return folder / "empty.jpg"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_blank, "blank"),
        (_open_curve, "No closed shape"),
        (_text, "not a picture"),
        (_cut_short, "cut short"),
        (_tiny, "too small"),
        (_bomb, "megapixels"),
        (_empty, "not a picture"),
        (lambda folder: folder / "gone.jpg", "missing"),
        (lambda folder: folder, "missing"),
    ],
)
def test_bad_input_gives_one_clear_sentence(make: object, says: str, tmp_path: Path) -> None:
    path = make(tmp_path)
    with pytest.raises(InputError) as caught:
        read(path)
    assert says in str(caught.value) and path.name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("height", "kind"), [(0.0, "AUTO"), (float("nan"), "AUTO"), (60.0, "LATHE")])
def test_senseless_settings_are_refused(height: float, kind: str) -> None:
    with pytest.raises(UsageError):
        read(SAMPLES / "lantern_lid.jpg", height, kind)


def test_task_writes_what_it_promises(tmp_path: Path) -> None:
    sketches = [
        {"name": "lantern_lid", "path": str(SAMPLES / "lantern_lid.jpg"), "kind": "AUTO", "height_mm": 28}
    ]
    seen: list[float] = []
    result = ideate.run({"sketches": sketches, "out": str(tmp_path)}, Context(lambda f, m: seen.append(f)))
    asset = result["assets"][0]
    for key in ("cleaned", "found", "outline"):
        assert (tmp_path / asset[key]).is_file()
    assert load_outline(tmp_path / asset["outline"]).name == "lantern_lid"
    assert asset["method"] == "REVOLVE" and asset["features"][0]["kind"] == "peg" and seen[-1] == 1.0
    first = (tmp_path / asset["outline"]).read_bytes()
    ideate.run({"sketches": sketches, "out": str(tmp_path)}, Context())
    assert (tmp_path / asset["outline"]).read_bytes() == first  # same in, same out


def test_task_stops_when_asked_and_refuses_names_that_are_paths(tmp_path: Path) -> None:
    token = CancelToken()
    token.cancel()
    sketch = {"name": "a", "path": str(SAMPLES / "lantern_lid.jpg"), "kind": "AUTO", "height_mm": 28}
    with pytest.raises(Cancelled):
        ideate.run({"sketches": [sketch], "out": str(tmp_path)}, Context(cancel=token))
    for names in (["../a"], ["a", "a"], [""]):
        with pytest.raises(UsageError):
            ideate.run({"sketches": [{**sketch, "name": n} for n in names], "out": str(tmp_path)}, Context())
    assert list(tmp_path.iterdir()) == []
