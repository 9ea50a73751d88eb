# SPDX-License-Identifier: GPL-3.0-or-later
"""What each maker of meshes is asked of one form: pictures in their places, its own options, drafts and what they become."""

from pathlib import Path

import pytest
from holdfast.clients.asset_jobs import (
    Form,
    fitted,
    is_draft,
    makers,
    options_of,
    placed,
    price_of,
    refine_request,
    refining,
    request_of,
    reserve_of,
    takes_text,
    unused,
    usual_seconds,
    views_of,
)
from holdfast.clients.check import check_job
from holdfast.clients.contract import JobSpec, MediaRef
from holdfast.clients.descriptor import Descriptor
from holdfast.pipeline.errors import InputError, ProviderRejected

from tests.loopback.harness import built_in

MAKERS = makers(built_in().models.values())


def model(name: str) -> Descriptor:
    return built_in().models[name]


@pytest.fixture
def views(tmp_path: Path) -> list[tuple[str, Path]]:
    found = []
    for view in ("left", "main", "back", "top"):
        path = tmp_path / f"{view}.png"
        path.write_bytes(view.encode())
        found.append((view, path))
    return found


def roles(name: str, form: Form) -> list[tuple[str, str]]:
    return [(role, path.stem) for role, path in placed(model(name), form)]


def test_all_services_of_meshes_are_offered_and_none_that_needs_a_workflow() -> None:
    services = {each.provider for each in MAKERS}
    assert {"meshy", "tripo", "rodin", "hunyuan", "hunyuan_local", "stability", "fal", "nvidia"} <= services
    assert "comfyui" not in services and all(each.network for each in MAKERS)


def test_pictures_go_where_each_model_wants_them(views: list[tuple[str, Path]]) -> None:
    form = Form(views)
    assert roles("meshy/image-to-3d", form) == [("picture", "main")]
    assert roles("meshy/multi-image-to-3d", form) == [
        ("picture", each) for each in ("main", "left", "back", "top")
    ]
    assert roles("rodin/gen-2", form)[0] == ("picture", "main") and len(roles("rodin/gen-2", form)) == 4
    assert roles("tripo/multiview-to-model", form) == [
        ("view_front", "main"),
        ("view_left", "left"),
        ("view_back", "back"),
    ]
    assert roles("hunyuan/pro", form) == [
        ("picture", "main"), ("view_left", "left"), ("view_back", "back"), ("view_top", "top")
    ]  # fmt: skip
    assert unused(model("meshy/image-to-3d"), form) == ["3 of the pictures"]
    assert views_of(model("tripo/multiview-to-model")) == ("main", "left", "back", "right")
    assert views_of(model("stability/stable-fast-3d")) == ("main",)


@pytest.mark.parametrize("each", MAKERS, ids=lambda each: each.id)
def test_what_is_asked_is_what_the_model_takes(each: Descriptor, views: list[tuple[str, Path]]) -> None:
    """Every request of the form passes the check that comes before anything is sent."""
    form = Form(views, "a brass lamp", 7, {"pbr": True, "texture": True, "polycount": 20000, "nonsense": 1})
    asked = request_of(each, form)
    assert "nonsense" not in asked["options"] and asked["options"].get("format") in (None, "glb", "GLB")
    refs = tuple(
        MediaRef(each.inputs[one["role"]].kinds[0], one["path"], one["role"]) for one in asked["inputs"]
    )
    check_job(
        JobSpec(each.provider, each.model, refs, asked["prompt"], asked["seed"], asked["options"], "x"), each
    )
    assert all(one["sha256"] for one in asked["inputs"])
    if takes_text(each):
        alone = request_of(each, Form(text="a brass lamp"))
        assert alone["prompt"] == "a brass lamp" and not alone["inputs"]
    else:
        with pytest.raises(ProviderRejected, match="picture"):
            request_of(each, Form(text="a brass lamp"))


def test_one_form_is_told_each_model_in_its_words_and_limits() -> None:
    form = Form(options={"topology": "quad", "polycount": 20000, "texture": False, "pbr": True})
    assert fitted(model("hunyuan/pro"), form.options) == {
        "topology": "quadrilateral",
        "polycount": 20000,
        "pbr": True,
    }
    assert fitted(model("rodin/gen-2"), form.options) == {"topology": "Quad", "polycount": 20000}
    tripo = fitted(model("fal/tripo3d/tripo/v2.5/image-to-3d"), form.options)
    assert (
        tripo["texture"] == "no"
        and fitted(model("fal/fal-ai/hunyuan-3d/v3.1/pro/image-to-3d"), form.options)["polycount"] == 40000
    )
    worded = fitted(model("fal/tripo3d/tripo/v2.5/image-to-3d"), {"texture": True})
    assert worded == {"texture": None}, "it has words for how much, and is left to choose"


def test_a_form_that_gives_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProviderRejected, match="words or a picture"):
        request_of(model("hunyuan/pro"), Form())
    with pytest.raises(InputError, match="missing"):
        request_of(model("meshy/image-to-3d"), Form([("main", tmp_path / "gone.png")]))


def test_text_beside_a_picture_goes_only_to_who_takes_both(views: list[tuple[str, Path]]) -> None:
    form = Form(views, "a lamp")
    assert request_of(model("hunyuan/pro"), form)["prompt"] == "" and "the text" in unused(
        model("hunyuan/pro"), form
    )
    sketch = Form(views, "a lamp", options={"generate_type": "Sketch"})
    assert request_of(model("hunyuan/pro"), sketch)["prompt"] == "a lamp"
    assert request_of(model("rodin/gen-2"), form)["prompt"] == "a lamp"


def test_drafts_come_before_what_is_paid_for(views: list[tuple[str, Path]]) -> None:
    picture, words = model("meshy/image-to-3d"), model("meshy/text-to-3d")
    form = Form(views, draft=True, options={"texture": True, "pbr": True})
    assert (
        options_of(picture, form)["texture"] is False
        and options_of(picture, Form(views)).get("texture") is None
    )
    assert is_draft(picture, form) and not is_draft(picture, Form(views)) and is_draft(words, Form(text="x"))
    assert price_of(picture, options_of(picture, form)) == pytest.approx(400_200, abs=300)
    step = refining(picture)
    assert step is not None and step.model == "retexture"
    final = refine_request(model("meshy/retexture"), step, "task-9", form)
    assert [(one["role"], one.get("value")) for one in final["inputs"]] == [
        ("mesh", "task-9"),
        ("reference", None),
    ]
    assert final["options"] == {"pbr": True}
    worded = refine_request(model("meshy/retexture"), step, "task-9", Form(views, "brass"))
    assert worded["prompt"] == "brass" and len(worded["inputs"]) == 1, "one of the two, never both"
    after = refining(words)
    assert after is not None and after.always and after.model == "text-to-3d-refine"
    assert refining(model("rodin/gen-2")) is None


@pytest.mark.parametrize("each", MAKERS, ids=lambda each: each.id)
def test_each_draft_has_a_model_that_takes_it(each: Descriptor, views: list[tuple[str, Path]]) -> None:
    step = refining(each)
    if step is None:
        return
    final = model(f"{each.provider}/{step.model}")
    assert "job_output" in final.inputs["mesh"].kinds and set(step.draft) <= set(each.options)
    asked = refine_request(final, step, "task", Form(views, "x" * 5000 if final.prompt_max else ""))
    refs = tuple(MediaRef(one.get("kind", final.inputs[one["role"]].kinds[0]), one.get("value", one.get("path", "")), one["role"])
                 for one in asked["inputs"])  # fmt: skip
    check_job(JobSpec(final.provider, final.model, refs, asked["prompt"], None, asked["options"], "x"), final)


def test_the_price_of_what_nobody_knows_is_not_nothing() -> None:
    assert price_of(model("fal/fal-ai/trellis"), {}) is None
    tripo = model("tripo/image-to-model")
    assert price_of(tripo, {}) is None and reserve_of(tripo, {}) == 300_000, "caps count what is assumed"
    assert price_of(model("hunyuan_local/hunyuan3d-2"), {}) == 0
    assert price_of(model("stability/stable-fast-3d"), {}) == 100_000


def test_usual_time_is_the_middle_of_what_it_took() -> None:
    assert usual_seconds([]) is None and usual_seconds([0.0, 50.0, 70.0, 900.0]) == 70.0
