# SPDX-License-Identifier: GPL-3.0-or-later
"""Where our clips, words and numbers go in a person's workflow, and what is said when they can't."""

import json
from pathlib import Path
from typing import Any

import pytest
from holdfast.clients.providers.comfyui_says import of_execution, of_prompt, of_skipped
from holdfast.clients.providers.comfyui_workflow import bound, find_node, own_titles, place_of, read_workflow
from holdfast.pipeline.errors import InputError


def node(kind: str, title: str = "", **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs, **({"_meta": {"title": title}} if title else {})}


FLOW = {
    "1": node("LoadImage", "Holdfast First", image="a.png", upload="image"),
    "2": node("CLIPTextEncode", "holdfast: prompt", text="?", clip=["9", 1]),
    "3": node("CLIPTextEncode", "Negative", text="bad", clip=["9", 1]),
    "4": node("KSampler", "Sampler v1.5", seed=1, cfg=6.0, steps=20, positive=["2", 0]),
    "5": node("PrimitiveInt", "Holdfast width", value=512),
    "6": node("Note", "Holdfast fps", text="16"),
}


def test_titles_bind_without_a_table() -> None:
    assert own_titles(FLOW) == {"first": ["1"], "prompt": ["2"], "width": ["5"], "fps": ["6"]}
    made = bound(FLOW, {}, {"first": "h.png", "prompt": "ink", "width": 832, "fps": 24, "seed": 9})
    assert made["1"]["inputs"]["image"] == "h.png" and made["2"]["inputs"]["text"] == "ink"
    assert made["5"]["inputs"]["value"] == 832 and made["4"]["inputs"]["seed"] == 9
    assert made["6"]["inputs"]["text"] == "24"
    assert FLOW["1"]["inputs"]["image"] == "a.png", "the person's own is not changed"


def test_places_by_id_title_class_and_several() -> None:
    assert place_of(FLOW, "4.seed", 1) == ("4", "seed")
    assert place_of(FLOW, "Sampler v1.5.steps", 1) == ("4", "steps"), "a title may have dots"
    assert place_of(FLOW, "sampler V1.5", 1) == ("4", "seed")
    assert place_of(FLOW, "KSampler.cfg", 1.0) == ("4", "cfg")
    made = bound(FLOW, {"prompt": ["2.text", "3"], "guidance": "4.cfg", "steps": "4.steps"},
                 {"prompt": "x", "guidance": 7, "steps": 30.0})  # fmt: skip
    assert made["2"]["inputs"]["text"] == made["3"]["inputs"]["text"] == "x"
    assert made["4"]["inputs"]["cfg"] == 7 and made["4"]["inputs"]["steps"] == 30
    assert isinstance(made["4"]["inputs"]["steps"], int)


@pytest.mark.parametrize(
    ("places", "values", "words"),
    [
        ({}, {"mask_video": "m.mp4"}, "no place for mask_video"),
        ({"seed": "KSamplr.seed"}, {"seed": 1}, "no node called"),
        ({"prompt": "CLIPTextEncode.text"}, {"prompt": "x"}, "2 nodes called"),
        ({"steps": "4.stps"}, {"steps": 1}, "no input 'stps'"),
        ({"prompt": "2.clip"}, {"prompt": "x"}, "comes from another node"),
        ({"strength": "1"}, {"strength": 0.5}, "not plain which input"),
    ],
)
def test_what_has_no_place(places: dict[str, Any], values: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        bound(FLOW, places, values)


def test_two_seeds_are_not_guessed() -> None:
    with pytest.raises(InputError, match="no place for seed"):
        bound({**FLOW, "7": node("RandomNoise", noise_seed=5)}, {}, {"seed": 3})
    assert bound({"7": node("RandomNoise", noise_seed=5)}, {}, {"seed": 3})["7"]["inputs"]["noise_seed"] == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"nodes": [], "links": [], "version": 0.4}', "editor saves"),
        ("[1]", "not a ComfyUI workflow"),
        ("{}", "not a ComfyUI workflow"),
        ('{"3": {"inputs": {}}}', "Node 3"),
        ("nonsense", "not a workflow"),
        ("[" * 100000, "not a workflow"),
    ],
)
def test_files_that_are_no_workflow(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "flow.json"
    path.write_text(text)
    with pytest.raises(InputError, match=words) as told:
        read_workflow(str(path))
    assert "Export (API)" in told.value.todo


def test_workflows_as_file_as_table_and_none(tmp_path: Path) -> None:
    path = tmp_path / "flow.json"
    path.write_text(json.dumps({"prompt": FLOW, "extra_data": {}}))
    assert read_workflow(path) == FLOW == read_workflow(FLOW)
    assert find_node(FLOW, "negative") == "3"
    for nothing in ("", None, tmp_path / "no.json"):
        with pytest.raises(InputError):
            read_workflow(nothing)


def test_words_for_answers_of_any_shape() -> None:
    assert "no reason given" in of_prompt({}, {}).says
    assert "out of luck" in of_prompt({"error": "out of luck"}, {}).says
    many = {"1": {"class_type": "A", "errors": [{"message": f"e{n}"} for n in range(5)]}, "2": 7}
    assert "(and 2 more)" in of_prompt({"error": {}, "node_errors": many}, {}).says
    assert of_skipped(None, {}) == "" and "'Mine' (node 1): e0" in of_skipped(many, {"1": "Mine"})
    stopped, why = of_execution({"messages": [None, ["x"], ["execution_error", {}]]}, {})
    assert not stopped and why.says == "failed in 'a node': no reason given"
