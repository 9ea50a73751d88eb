# SPDX-License-Identifier: GPL-3.0-or-later
"""Variants by a remote image model, against a service on this machine: one bill, results found again, branches, the lock."""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path

import bpy
import pytest
from holdfast.clients.idea_board import read_board, rounds_folder
from holdfast.operators import drive, ideate, ideate_models, ideate_remote, locate, steps
from holdfast.pipeline import secret
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError, ProviderRejected, Refused, UsageError
from holdfast.pipeline.jobs import JobStore, Step
from holdfast.pipeline.manifest import Manifest

from tests.loopback.runway import RunwayServer

pytestmark = pytest.mark.sweep

SAMPLES = Path(__file__).parents[2] / "clients" / "offline" / "samples"
PATH = "/v1/text_to_image"


@pytest.fixture
def runway():
    with RunwayServer() as server:
        server.script, server.expired, server.credits = ["SUCCEEDED"], -1, 8
        yield server


@pytest.fixture
def scene(tmp_path: Path, runway: RunwayServer) -> bpy.types.Scene:
    """A saved scene with a sketch and a brief, whose project knows Runway at the loopback address."""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    own = locate.project().root / "catalogue"
    own.mkdir(parents=True)
    (own / "runway.toml").write_text(
        f'[[service]]\nid = "runway"\nlabel = "Runway"\nbase = "{runway.url}"\nkeys = ["HOLDFAST_RUNWAY_KEY"]\n'
        'settings = { version = "2024-11-06", credit_micros = 10000 }\n'
    )
    settings = bpy.context.scene.holdfast
    shutil.copy(SAMPLES / "lantern_body.jpg", tmp_path)
    sketch = settings.sketches.add()
    sketch.name, sketch.path = "lantern_body", str(tmp_path / "lantern_body.jpg")
    ideate_settings = settings.ideate
    ideate_settings.provider, ideate_settings.brief, ideate_settings.count = (
        "runway/gen4_image",
        "A travel lantern",
        3,
    )
    secret.hold("HOLDFAST_RUNWAY_KEY", runway.key)
    yield bpy.context.scene
    secret.hold("HOLDFAST_RUNWAY_KEY", "")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker tasks run in this process."""

    def run(function, request, context, *_more):
        module, _, name = function.partition(":")
        return getattr(importlib.import_module(f"holdfast.{module}"), name)(request, context)

    monkeypatch.setattr(drive, "run_in_foreground", run)


def go(generator):
    return drive.run_blocking(generator, Context())


def ask(scene, **options):
    return go(ideate.STAGE.run(scene, locate.shot_of(scene), steps.StageOptions(**options)))


def board_of(scene):
    return read_board(locate.shot_of(scene).concepts)


def test_variants_come_back_with_all_that_is_known_of_them(scene, runway):
    shot = locate.shot_of(scene)
    assert ideate.STAGE.state(scene, shot).status == "missing"
    concepts = ask(scene)
    board = board_of(scene)
    assert list(board.ideas) == ["1a", "1b", "1c"]
    sent = [each.json for each in runway.of("POST", PATH)]
    assert sorted(body["seed"] for body in sent) == [1, 2, 3] == [idea.seed for idea in board.ideas.values()]
    assert all("@picture1" in body["promptText"] for body in sent)
    assert len(runway.uploads) >= 1 or all(
        body["referenceImages"][0]["uri"].startswith("data:") for body in sent
    )
    idea = board.ideas["1a"]
    assert (idea.provider, idea.model, idea.cost, idea.cost_told) == ("runway", "gen4_image", 80_000, True)
    assert (shot.concepts / idea.picture).is_file() and (shot.concepts / idea.thumb).is_file()
    jobs = JobStore(locate.project().root).jobs()
    assert {job.id for job in jobs} == {each.job for each in board.ideas.values()}
    assert {job.step for job in jobs} == {Step.APPLIED}
    assert [each["name"] for each in concepts.data["ideas"]] == ["1a", "1b", "1c"]
    assert ideate.STAGE.state(scene, shot) == ("partial", "3 ideas; none is locked")
    ask(scene)
    assert len(runway.of("POST", PATH)) == 3, "what is there is not asked for again"
    scene.holdfast.ideate.count = 5
    ask(scene)
    assert sorted(body.json["seed"] for body in runway.of("POST", PATH)) == [1, 2, 3, 4, 5]


def test_after_a_kill_results_are_found_by_what_was_asked(scene, runway, at_once):
    shot, model = locate.shot_of(scene), ideate_models.chosen("runway/gen4_image")
    order = ideate_remote.order_of(scene, model)
    made = go(ideate_remote.asking(scene, shot, model, order, ideate_remote.sketches_of(scene)))
    store = JobStore(locate.project().root)
    for job in store.jobs():  # killed before it was sent
        store.move(job.id, Step.CANCELLED, billed=0)
    assert board_of(scene).ideas == {} and len(board_of(scene).waiting()) == 3
    again = ideate_remote.again(scene, shot)
    assert sorted(job.digest for job in again) == sorted(ask["digest"] for ask in made.data["asks"])
    ask(scene)
    assert list(board_of(scene).ideas) == ["1a", "1b", "1c"] and len(runway.of("POST", PATH)) == 3
    for path in (shot.concepts / "ideas").glob("1*"):
        path.unlink()
    ask(scene)
    assert list(board_of(scene).ideas) == ["1a", "1b", "1c"] and len(runway.of("POST", PATH)) == 3


def test_a_kill_before_the_jobs_are_made_loses_nothing(scene, runway, at_once, monkeypatch):
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(
            ideate_remote.remote_jobs, "prepared", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        ask(scene)
    assert len(board_of(scene).waiting()) == 3 and JobStore(locate.project().root).jobs() == []
    ask(scene)
    assert list(board_of(scene).ideas) == ["1a", "1b", "1c"] and len(runway.of("POST", PATH)) == 3


def test_branches_know_their_parents(scene, runway, at_once):
    ask(scene)
    shot, model = locate.shot_of(scene), ideate_models.chosen("runway/gen4_image")
    for how, names, words in (
        ("more", ["1b"], ""),
        ("edit", ["2a"], "a red handle"),
        ("mix", ["1a", "3a"], ""),
    ):
        order, pictures = ideate_remote.branch_of(scene, shot, model, how, names, words, 1)
        go(ideate_remote.run(scene, shot, steps.StageOptions(), model, order, pictures))
    board = board_of(scene)
    assert [board.ideas[name].parents for name in ("2a", "3a", "4a")] == [("1b",), ("2a",), ("1a", "3a")]
    assert board.line("4a") == ["4a", "1a", "3a", "2a", "1b"]
    sent = runway.of("POST", PATH)[-1].json
    assert len(sent["referenceImages"]) == 2 and "@picture1 and @picture2" in sent["promptText"]
    assert "a red handle" in runway.of("POST", PATH)[-2].json["promptText"]
    with pytest.raises(InputError, match="Two ideas"):
        ideate_remote.branch_of(scene, shot, model, "mix", ["1a", "1a"], "", 1)
    with pytest.raises(InputError, match="9z"):
        ideate_remote.branch_of(scene, shot, model, "edit", ["9z"], "red", 1)


def test_the_locked_idea_goes_on(scene, runway, at_once):
    ask(scene)
    shot = locate.shot_of(scene)
    scene.holdfast.ideate.idea = "1b"
    assert ideate.STAGE.state(scene, shot).status == "stale"
    kept = ideate.keep_idea(shot, "1b")
    assert ideate.STAGE.state(scene, shot) == ("fresh", "1b is locked")
    found = Manifest.load(shot.concepts / "concepts.json", ideate.SCHEMA)
    assert found.digest == kept.digest and found.data["idea"]["name"] == "1b"
    assert (shot.concepts / found.data["locked_picture"]).is_file()
    assert found.data["locked_picture"] in found.files
    assert "locked_picture" not in ideate.keep_idea(shot, "").data
    with pytest.raises(InputError, match="no idea '9z'"):
        ideate.keep_idea(shot, "9z")


def test_nothing_is_sent_that_may_not_be(scene, runway, at_once):
    settings = scene.holdfast.ideate
    shot = locate.shot_of(scene)
    scene.holdfast.jobs.cap_request = 0.01
    with pytest.raises(Refused, match="over the cap"):
        ask(scene)
    assert not list(rounds_folder(shot.concepts).glob("*.json")), "a refused round leaves nothing"
    scene.holdfast.jobs.cap_request = 5.0
    settings.brief = ""
    with pytest.raises(UsageError, match="brief is empty"):
        ask(scene)
    settings.brief = "word " * 300
    with pytest.raises(ProviderRejected, match="UTF-16"):
        ask(scene)
    settings.brief, settings.ratio = "A lantern", "7:3"
    with pytest.raises(ProviderRejected, match="no ratio '7:3'"):
        ask(scene)
    settings.ratio, settings.provider = "", "runway/gen9"
    with pytest.raises(UsageError, match="gen9"):
        ask(scene)
    assert runway.log == []


def test_a_service_that_refuses_all_says_why(scene, runway, at_once):
    secret.hold("HOLDFAST_RUNWAY_KEY", "another key")
    with pytest.raises(ProviderRejected, match="key"):
        ask(scene)
    shot = locate.shot_of(scene)
    assert board_of(scene).ideas == {} and ideate.STAGE.state(scene, shot).status == "partial"
    round_one = json.loads(next(rounds_folder(shot.concepts).glob("*.json")).read_text())
    assert not Path(round_one["data"]["asks"][0]["request"]["inputs"][0]["path"]).is_absolute()


def test_files_that_are_dropped_are_sketches(scene, tmp_path):
    shutil.copy(SAMPLES / "lantern_lid.jpg", tmp_path)
    files = [{"name": "lantern_lid.jpg"}]
    bpy.ops.holdfast.add_sketches("INVOKE_DEFAULT", directory=str(tmp_path), files=files)
    assert [sketch.name for sketch in scene.holdfast.sketches] == ["lantern_body", "lantern_lid"]
