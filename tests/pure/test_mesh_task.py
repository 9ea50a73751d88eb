# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker tasks together: the two sample photographs become a lantern whose parts fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from holdfast.clients.offline import ideate, meshes
from holdfast.clients.offline.mate import mated
from holdfast.clients.offline.outline import Outline, load_outline
from holdfast.clients.offline.outline_features import Feature
from holdfast.clients.offline.texture import palette
from holdfast.pipeline.context import CancelToken, Context
from holdfast.pipeline.errors import Cancelled, InputError, UsageError
from holdfast.pipeline.pictures import read_picture

SAMPLES = Path(__file__).parents[2] / "clients" / "offline" / "samples"
SKETCHES = [
    {"name": name, "path": str(SAMPLES / f"{name}.jpg"), "kind": "AUTO", "height_mm": height}
    for name, height in (("lantern_body", 44.0), ("lantern_lid", 28.0))
]


@pytest.fixture(scope="module")
def concepts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("concepts")
    ideate.run({"sketches": SKETCHES, "out": str(folder)}, Context())
    return folder


def request(concepts: Path, out: Path, **more: Any) -> dict[str, Any]:
    return {
        "outlines": [str(concepts / s["name"] / "outline.json") for s in SKETCHES],
        "out": str(out),
        "detail": 64,
        "texture_px": 256,
        "mate": [{"peg": "lantern_lid", "socket": "lantern_body", "clearance_mm": 0.2}],
        **more,
    }


@pytest.fixture(scope="module")
def made(concepts: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("assets")
    return out, meshes.run(request(concepts, out), Context())


def parts(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {part["name"]: part for asset in result["assets"] for part in asset["parts"]}


def test_files_are_there_and_the_referee_agrees(made: tuple[Path, dict[str, Any]]) -> None:
    out, result = made
    assert set(parts(result)) == {"body", "lid", "peg"}
    for part in parts(result).values():
        solid = trimesh.load(out / part["mesh"], process=False, force="mesh")
        solid.merge_vertices(merge_tex=True, merge_norm=True)
        assert solid.is_watertight and solid.is_winding_consistent and solid.euler_number == 2
        assert solid.volume == pytest.approx(part["quality"]["volume_m3"], rel=1e-6)
        assert read_picture(out / part["texture"]).shape == (256, 256, 3)
        mtl = (out / part["material"]).read_text()
        assert f"map_Kd {part['name']}.png" in mtl
    json.dumps(result)


def test_lantern_is_six_centimetres_high_and_its_parts_mate(made: tuple[Path, dict[str, Any]]) -> None:
    found = parts(made[1])
    socket, peg = found["body"]["features"][0], found["peg"]["features"][0]
    assert socket["kind"] == "socket" and peg["kind"] == "peg" and found["lid"]["features"] == []
    assert socket["radius"] - peg["radius"] == pytest.approx(0.0002, abs=1e-9)
    assert peg["length"] < socket["depth"]
    assert 0.0065 < peg["radius"] < 0.0085 and socket["depth"] > 0.0115
    assert found["body"]["quality"]["wall_mm"] > 3.5
    height = socket["origin"][2] * 1000 + found["lid"]["quality"]["size_mm"][2]
    assert height == pytest.approx(60, abs=1.5)


def test_physics_has_room_for_its_lugs(made: tuple[Path, dict[str, Any]]) -> None:
    out, result = made
    body = parts(result)["body"]
    solid = trimesh.load(out / body["mesh"], process=False, force="mesh")
    socket = body["features"][0]
    rim = solid.vertices[:, 2] > socket["origin"][2] - 0.006
    assert np.hypot(*solid.vertices[rim, :2].T).max() >= socket["radius"] + 0.0045


def test_same_request_gives_the_same_bytes(
    made: tuple[Path, dict[str, Any]], concepts: Path, tmp_path: Path
) -> None:
    out, result = made
    assert meshes.run(request(concepts, tmp_path), Context()) == result
    for part in parts(result).values():
        for key in ("mesh", "texture", "material"):
            assert (tmp_path / part[key]).read_bytes() == (out / part[key]).read_bytes()


def test_palette_colours_the_coat_and_may_differ_by_sketch(concepts: Path, tmp_path: Path) -> None:
    colours = {"lantern_body": {"base": "#b03020"}, "lantern_lid": {"base": [0.1, 0.2, 0.6]}}
    result = meshes.run(request(concepts, tmp_path, palette=colours), Context())
    body = read_picture(tmp_path / parts(result)["body"]["texture"]).reshape(-1, 3)
    lid = read_picture(tmp_path / parts(result)["lid"]["texture"]).reshape(-1, 3)
    assert np.median(body[:, 0]) > 2 * np.median(body[:, 2]) and np.median(lid[:, 2]) > 2 * np.median(
        lid[:, 0]
    )
    for bad in ("red", "#12", [1, 2], 5):
        with pytest.raises(UsageError):
            palette({"base": bad})


def drawn(name: str, feature: Feature | None) -> Outline:
    features = (feature,) if feature else ()
    return Outline(name, 40, "REVOLVE", 1, (), np.empty((0, 2)), np.empty((0, 2)), features=features)


def test_mating_averages_the_drawn_sizes_and_says_so() -> None:
    lid, body = (
        drawn("lid", Feature("peg", 7.4, 14.0, 14.0, 1, "")),
        drawn("body", Feature("socket", 8.2, 12.0, 40, 1, "")),
    )
    both, says = mated({"lid": lid, "body": body}, [{"peg": "lid", "socket": "body", "clearance_mm": 0.3}])
    peg, socket = both["lid"].feature("peg"), both["body"].feature("socket")
    assert peg is not None and socket is not None
    assert peg.radius_mm == pytest.approx(7.65) and socket.radius_mm == pytest.approx(7.95)
    assert peg.length_mm == pytest.approx(11.6) and socket.length_mm == 12.0
    assert "14.80" in says[0] and "15.30" in says[0] and "shortened" in says[0]


def test_mating_what_was_not_drawn_is_refused() -> None:
    lid = drawn("lid", Feature("peg", 7.4, 14.0, 14.0, 1, ""))
    with pytest.raises(InputError, match="No socket was found in the sketch body"):
        mated({"lid": lid, "body": drawn("body", None)}, [{"peg": "lid", "socket": "body"}])
    with pytest.raises(UsageError, match="no sketch named body"):
        mated({"lid": lid}, [{"peg": "lid", "socket": "body"}])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": "holdfast/motion"}, "not an outline"),
        ({"version": 99}, "newer"),
        ({"contour": [[1, "x"]]}, "damaged"),
        ({"contour": [[1, float("nan")]]}, "damaged"),
        ({"method": {"name": "MELT", "confidence": 1, "reasons": []}}, "damaged"),
        ({"features": [{"kind": "peg"}]}, "damaged"),
    ],
)
def test_damaged_outline_is_refused(
    concepts: Path, tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    data = json.loads((concepts / "lantern_lid" / "outline.json").read_text())
    path = tmp_path / "outline.json"
    path.write_text(json.dumps({**data, **change}))
    with pytest.raises(InputError, match=says):
        load_outline(path)


def test_nothing_to_build_and_cancel(concepts: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        meshes.run({"outlines": [], "out": str(tmp_path)}, Context())
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        meshes.run(request(concepts, tmp_path), Context(cancel=token))
    assert list(tmp_path.iterdir()) == []
