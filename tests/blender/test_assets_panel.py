# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel Assets says: who is asked, for how much, what is lacking, what will not be seen."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import bpy
import pytest
from holdfast.operators import asset_drawn, asset_watch
from holdfast.panels import asset_pool, assets
from holdfast.pipeline.jobs import Job, Step
from holdfast.pipeline.manifest import Manifest


class Layout:
    """Takes all that a panel draws and keeps the words of labels and buttons, and the names of fields."""

    def __init__(self, said: list[str]) -> None:
        object.__setattr__(self, "said", said)

    def __setattr__(self, name: str, value: object) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        def draw(*args: object, **told: Any) -> Any:
            if name in ("label", "operator", "progress") and told.get("text"):
                self.said.append(str(told["text"]))
            if name == "prop":
                self.said.append(f"<{args[1]}>")
            return (Layout(self.said), Layout(self.said)) if name == "panel" else Layout(self.said)

        return draw


@pytest.fixture
def scene() -> bpy.types.Scene:
    asset_watch.forget()
    yield bpy.context.scene
    asset_watch.forget()


def drawn(scene: bpy.types.Scene, shown: Any = None) -> list[str]:
    said: list[str] = []
    context = SimpleNamespace(
        scene=scene, region=SimpleNamespace(width=2000), preferences=SimpleNamespace(system=SimpleNamespace(ui_scale=1.0))
    )  # fmt: skip
    panel = assets.HOLDFAST_PT_assets
    own = SimpleNamespace(
        layout=Layout(said),
        stage="assets",
        verb="Build parts",
        words_of_button=lambda context: ("Build parts", ""),
    )
    panel.settings(own, Layout(said), context, scene.holdfast)
    assets._draw_ask(Layout(said), context)
    assets.draw_place(Layout(said), context, scene.holdfast.assets)
    asset_pool.draw_pool(Layout(said), context, shown or SimpleNamespace(manifests={}))
    return said


def test_offline_it_is_as_before(scene):
    said = drawn(scene)
    assert {"<provider>", "<detail>", "<texture_px>"} <= set(said) and "<polycount>" not in said


def test_one_model_with_its_price_and_what_it_needs(scene):
    scene.holdfast.assets.provider = "meshy/image-to-3d"
    said = drawn(scene)
    assert "Ask for Mesh ($0.60)" in said and "Meshy image to 3D needs a picture." in said
    assert {"<polycount>", "<topology>", "<draft>", "<pbr>", "<size_mm>", "<origin>"} <= set(
        said
    ) and "<seed>" not in said
    scene.holdfast.assets.draft = True
    assert "Ask for Draft ($0.40)" in drawn(scene)
    assert "Options of Meshy image to 3D" in said and "<choice>" in said


def test_several_with_their_sum_and_what_is_not_known(scene):
    settings = scene.holdfast.assets
    settings.provider = "meshy/image-to-3d"
    for name in ("stability/stable-fast-3d", "tripo/image-to-model"):
        settings.compare.add().name = name
    settings.pictures.add().path = "/x/a.png"
    row = settings.pictures.add()
    row.path, row.view = "/x/b.png", "back"
    settings.text = "a lamp"
    said = drawn(scene)
    assert "Ask for 3 Meshes ($0.70 + ?)" in said and "price unknown" in said and "$0.10" in said
    assert (
        "Meshy image to 3D, Stable Fast 3D and Tripo image to model will not see 1 of the pictures." in said
    )
    assert "Stable Fast 3D and Tripo image to model will not see the text." in said
    asset_watch.seen.usual["stability/stable-fast-3d"] = 130.0
    assert "Ask for 3 Meshes ($0.70 + ?, 2 min)" in drawn(scene)


def test_a_model_that_takes_words_needs_no_picture(scene):
    scene.holdfast.assets.provider = "meshy/text-to-3d"
    assert "Meshy text to 3D, preview needs words or a picture." in drawn(scene)
    scene.holdfast.assets.text = "a lamp"
    said = drawn(scene)
    assert "Ask for Draft ($0.40)" in said and not any("needs" in text for text in said)


def test_a_model_that_there_is_not_is_said(scene):
    scene.holdfast.assets.provider = "midjourney/v9"
    assert any("There is no model 'midjourney/v9'" in text for text in drawn(scene))


def test_options_of_its_own_are_fitted(scene):
    settings = scene.holdfast.assets
    settings.provider = "rodin/gen-2"
    names = {row.name for row, _listed in asset_drawn.shown_options(settings)}
    assert {"tier", "quality", "condition_mode"} <= names and not names & {
        "format",
        "polycount",
        "topology",
        "tpose",
    }
    settings.options["tier"].choice = "Sketch"
    assert settings.options["tier"].value == "Sketch"
    settings.provider = "stability/stable-fast-3d"
    assert "tier" not in {row.name for row, _listed in asset_drawn.shown_options(settings)}


def test_the_list_says_what_each_is_and_offers_the_final_of_a_draft(scene):
    facts = {"triangles": 12000, "textures": [{"missing": False, "width": 2048, "height": 2048}], "notes": []}
    told = {
        "generator": "Meshy image to 3D (Meshy)",
        "job": "t-1",
        "licence": "https://terms",
        "provider": "meshy",
    }
    data = {"model": "meshy/image-to-3d", "draft": True, "label": "Meshy image to 3D", "facts": facts, "identity": told,
            "cost_micros": 400_000, "currency": "USD"}  # fmt: skip
    asset_watch.seen.items = {"m-1": Manifest("holdfast/asset", {}, {}, data)}
    asset_watch.seen.jobs = [
        Job("j-2", Step.REMOTE, "tripo", "image-to-model", progress=0.4, price=300_000),
        Job("j-3", Step.FAILED, "tripo", "image-to-model", says="The picture was refused."),
    ]
    said = drawn(scene)
    assert "Meshes: 1, 1 to come" in said and "12,000 triangles, 1 texture to 2048 px" in said
    assert "draft, $0.40" in said and "Refine ($0.20)" in said and "Use" in said
    assert "40%" in said and any("The picture was refused." in text for text in said)
    chosen = SimpleNamespace(
        manifests={"assets": Manifest("holdfast/assets", {}, {}, {"chosen": "m-1", "assets": []})}
    )
    assert "In the Scene" in drawn(scene, chosen)
    gone = {"chosen": "m-1", "assets": [{"parts": [{"name": "lamp"}]}]}
    undone = SimpleNamespace(manifests={"assets": Manifest("holdfast/assets", {}, {}, gone)})
    assert "In the Scene" not in drawn(scene, undone), "its object is not there"
