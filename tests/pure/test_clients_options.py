# SPDX-License-Identifier: GPL-3.0-or-later
"""Options and references of a model as a person chooses them, and what becomes of a negative prompt."""

from dataclasses import replace

import pytest
from holdfast.clients import options, references, takes
from holdfast.clients.check import check_job
from holdfast.clients.descriptor import InputLimit, Price, read_catalogue
from holdfast.clients.job_steps import spec_of
from holdfast.clients.prompting import fields_of
from holdfast.pipeline.errors import HoldfastError, InputError, ProviderRejected, UsageError
from holdfast.pipeline.jobs import Job, Step
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.prompts.contract import PromptContract, Reference
from holdfast.pipeline.prompts.folding import fold
from holdfast.pipeline.prompts.render import render
from holdfast.pipeline.store import hash_input

from ..loopback import media
from ..loopback.harness import job_of

MODELS = read_catalogue().models
RESTYLE = [
    model for model in MODELS.values() if "video_restyle" in model.modes and model.network and model.adapter
]
ALEPH, KLING = MODELS["runway/aleph2"], MODELS["kling/kling-3.0-omni"]
NO_CLIPS = Manifest("holdfast/control", {}, {}, {"clips": {}, "count": 24, "fps": [24, 1]})


def test_values_are_what_the_catalogue_has():
    luma = MODELS["luma/ray-3.2"]
    assert options.read(luma, "depth", "TRUE") is True and options.read(luma, "depth_blur", "0.5") == 0.5
    assert options.read(KLING, "seconds", "5") == 5 and options.read(ALEPH, "ratio", "16:9") == "16:9"
    assert options.read(MODELS["ltx/ltx-2-3-pro"], "fps", "24") == 24
    vace = MODELS["fal/fal-ai/wan-vace-14b/depth"]
    assert (options.read(vace, "steps", "30"), options.read(vace, "acceleration", "regular")) == (
        30,
        "regular",
    )


@pytest.mark.parametrize(("model", "name", "text", "says"), [
    (ALEPH, "colour", "1", "no option 'colour'.*format"), (ALEPH, "ratio", "5:4", "one of 16:9"),
    (KLING, "seconds", "99", "3 to 15, a whole number"), (KLING, "seconds", "4.5", "3 to 15"),
    (KLING, "seconds", "true", "3 to 15"), (ALEPH, "keyframes_at", "1", "no option"),
])  # fmt: skip
def test_what_is_none_is_a_sentence(model, name, text, says):
    with pytest.raises(UsageError, match=says):
        options.read(model, name, text)


@pytest.mark.parametrize("model", RESTYLE, ids=lambda model: model.id)
def test_every_choice_of_every_model_passes_its_own_check(model):
    for name, rule in options.settable(model).items():
        for text in options.choices(rule) or (
            [f"{rule['min']}", f"{rule['max']}"] if "min" in rule else ["1"]
        ):
            job = job_of(model.provider, model.model, **{name: options.read(model, name, text)})
            check_job(replace(job, prompt=""), replace(model, inputs={}))


def test_only_what_the_model_has_is_sent_and_the_price_follows():
    texts = {"resolution": "720p", "ratio": "", "strength": "flex_1"}
    assert options.chosen(KLING, texts) == {"resolution": "720p"}
    assert options.chosen(KLING, {"resolution": "8k"}, lenient=True) == {}
    with pytest.raises(UsageError):
        options.chosen(KLING, {"resolution": "8k"})
    dear, cheap = (takes.price_of(KLING, NO_CLIPS, each) for each in ({}, options.chosen(KLING, texts)))
    assert (dear, cheap) == (168_000, 126_000)
    flag = Price(per_second_micros=100, factors={"audio=True": 2.0}, as_of="x")
    assert flag.estimate_micros(1, options={"audio": True}) == 200


@pytest.fixture
def files(tmp_path):
    (tmp_path / "ink.png").write_bytes(media.png())
    (tmp_path / "move.mp4").write_bytes(media.mp4())
    return tmp_path


def refs(*pairs):
    return [Reference(role, path) for role, path in pairs]


def test_references_go_where_the_model_takes_them(files):
    given = refs(("style", "//ink.png"), ("motion", "move.mp4"), ("first", "ink.png"), ("", ""))
    found = references.inputs_of(KLING, given, files)
    assert [each["role"] for each in found] == ["reference", "reference_video", "first"]
    assert references.inputs_of(ALEPH, given, files) == [] and references.says(ALEPH) == "up to 5 keyframes"
    assert "up to 7 references" in references.says(KLING)
    request = takes.request_of(KLING, files, NO_CLIPS, "ink", 1, {}, found)
    assert [each["role"] for each in request["inputs"]] == ["reference", "reference_video", "first"]
    before = takes.digest_of(KLING, request)
    (files / "ink.png").write_bytes(media.png() + b"\0")
    after = takes.request_of(KLING, files, NO_CLIPS, "ink", 1, {}, references.inputs_of(KLING, given, files))
    assert takes.digest_of(KLING, after) != before


def test_too_many_too_large_and_missing_ones_are_sentences(files):
    with pytest.raises(ProviderRejected, match="takes 7 references, not 8"):
        references.inputs_of(KLING, refs(*[("style", "ink.png")] * 8), files)
    with pytest.raises(InputError, match=r"gone\.png is not there"):
        references.inputs_of(KLING, refs(("style", "gone.png")), files)
    small = replace(KLING, inputs={"reference": InputLimit(("data_uri",), (0, 1), 10)})
    with pytest.raises(ProviderRejected, match=r"ink\.png is larger"):
        references.inputs_of(small, refs(("style", "ink.png")), files)


def test_a_model_that_must_have_one_says_so(files):
    must = replace(KLING, inputs={"reference": InputLimit(("data_uri",), (1, 3))})
    with pytest.raises(ProviderRejected, match=r"needs reference\..*references"):
        takes.request_of(must, files, NO_CLIPS, "ink", 1, {})


def test_a_folder_counts_by_its_files(files):
    folder = files / "frames"
    folder.mkdir()
    (folder / "1.png").write_bytes(b"a")
    one = hash_input(folder)
    job = Job("j", provider="kling", model=KLING.model, step=Step.PREPARED)
    request = {"inputs": [{"path": str(folder), "role": "reference", "sha256": one}]}
    spec_of(request, job)
    (folder / "2.png").write_bytes(b"b")
    assert hash_input(folder) != one
    with pytest.raises(InputError, match="changed"):
        spec_of(request, job)
    (folder / "2.png").rename(folder / "0.png")
    assert hash_input(folder) not in (one, "")


CONTRACT = PromptContract(change=("ink lines",), negative=("flicker", "extra text"), references=(
    Reference("style", "ink.png", "the paper grain"), Reference("motion", "move.mp4"), Reference("first", "a.png")))  # fmt: skip


@pytest.mark.parametrize("model", RESTYLE, ids=lambda model: model.id)
def test_what_must_not_appear_reaches_every_model(model):
    fields = fields_of(model)
    has = "negative" in model.options
    assert not model.negative_max or has, "a limit without the option"
    found = render(
        CONTRACT, replace(fields, negative=(fields.negative or "negative_prompt") if has else "", cite="")
    )
    if has:
        assert found.negative == "flicker, extra text"
        told = {"negative": found.negative}
        check_job(job_of(model.provider, model.model, prompt="", **told), replace(model, inputs={}))
    else:
        assert found.negative == "" and all(
            fold(each).lower() in found.prompt.lower() for each in CONTRACT.negative
        )


def test_the_text_names_pictures_alone():
    kept = references.pictures_of(CONTRACT, KLING)
    assert [each.path for each in kept.references] == ["ink.png"]
    assert references.pictures_of(CONTRACT, ALEPH).references == ()


def test_no_model_of_style_asserts():
    for model in RESTYLE:
        try:
            takes.request_of(model, None, NO_CLIPS, "", 1, {})
        except HoldfastError as error:
            assert "needs" in str(error)
