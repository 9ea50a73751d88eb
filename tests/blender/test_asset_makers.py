# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes by every service of them, from the picture to the object in the scene; each against a server on this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import bpy
import pytest
from holdfast.assets.bring import pool
from holdfast.operators import (
    asset_file,
    asset_form,
    asset_identity,
    asset_remote,
    asset_watch,
    assets,
    drive,
    locate,
    remote_jobs,
    steps,
)
from holdfast.pipeline import secret
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import ProviderRejected, Refused, UsageError
from holdfast.pipeline.jobs import JobStore, Step
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.worker import run_in_foreground

from tests.loopback import media
from tests.loopback.fal import Fal
from tests.loopback.hunyuan import HunyuanServer
from tests.loopback.hunyuan_local import HunyuanLocalServer
from tests.loopback.meshy import MeshyServer
from tests.loopback.rodin import RodinServer
from tests.loopback.server import Answer, Loopback
from tests.loopback.stability import StabilityServer
from tests.loopback.tripo import TripoServer

pytestmark = pytest.mark.sweep

MAKERS: dict[str, tuple[type[Loopback], str, list[object]]] = {
    "meshy": (MeshyServer, "image-to-3d", ["SUCCEEDED"]),
    "tripo": (TripoServer, "image-to-model", ["success"]),
    "rodin": (RodinServer, "gen-2", [["Done", "Done"]]),
    "hunyuan": (HunyuanServer, "pro", ["DONE"]),
    "hunyuan_local": (HunyuanLocalServer, "hunyuan3d-2", ["completed"]),
    "stability": (StabilityServer, "stable-fast-3d", []),
    "fal": (Fal, "fal-ai/trellis", [{"status": "COMPLETED", "metrics": {}}]),
}  # service: its server, a model, states that make it done at the first look
MODELS = [f"{service}/{model}" for service, (_, model, _) in MAKERS.items()]


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Loopback]]:
    with ExitStack() as stack:
        found = {}
        for service, (server, _, script) in MAKERS.items():
            found[service] = stack.enter_context(server())
            if script:
                found[service].script = script
            if service == "fal":
                found[service].result = Answer(
                    200, {"model_mesh": {"url": f"{found[service].url}/files/mesh.glb"}}
                )
            secret.hold(f"HOLDFAST_{service.upper()}_KEY", found[service].key)
        yield found
    for service in MAKERS:
        secret.hold(f"HOLDFAST_{service.upper()}_KEY", "")


def new_shot(folder: Path, servers: dict[str, Loopback]) -> bpy.types.Scene:
    """A saved file whose project knows the services at their loopback addresses, with a picture in the form."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
    root = locate.project().root
    root.mkdir(parents=True, exist_ok=True)
    told = [f'[{name}]\nbase = "{server.url}"\n' for name, server in servers.items()]
    told = [f'{text}rest = "{servers["fal"].url}"\n' if text.startswith("[fal]") else text for text in told]
    (root / "services.toml").write_text("\n".join(told))
    (folder / "lamp.png").write_bytes(media.png())
    scene = bpy.context.scene
    settings = scene.holdfast.assets
    settings.pictures.add().path = str(folder / "lamp.png")
    settings.name, settings.size_mm = "lamp", 50.0
    return scene


def run(scene: bpy.types.Scene, **options: object) -> Manifest:
    return drive.run_blocking(
        assets.STAGE.run(scene, locate.shot_of(scene), steps.StageOptions(**options)), Context()
    )


@pytest.fixture(scope="module")
def round_(servers, tmp_path_factory) -> Path:
    """One request to all of them at once; the folder of the file."""
    folder = tmp_path_factory.mktemp("round")
    scene = new_shot(folder, servers)
    settings = scene.holdfast.assets
    settings.provider = MODELS[0]
    for name in MODELS[1:]:
        settings.compare.add().name = name
    made = run(scene)
    assert made.data["problems"] == [], made.data["problems"]
    assert len(made.data["asked"]) == len(MODELS)
    bpy.ops.wm.save_mainfile()
    return folder


@pytest.fixture
def scene(round_) -> bpy.types.Scene:
    bpy.ops.wm.open_mainfile(filepath=str(round_ / "shot.blend"))
    return bpy.context.scene


@pytest.mark.parametrize("service", list(MAKERS))
def test_from_a_picture_to_an_object_with_its_origin(scene, servers, service):
    shot = locate.shot_of(scene)
    items = {
        item.data["model"].partition("/")[0]: name for name, item in pool(asset_remote.pool_of(shot)).items()
    }
    asset_file.use(scene, shot, items[service])
    (thing,) = [each for each in scene.objects if each.type == "MESH"]
    bpy.context.view_layer.update()
    assert thing.name == "lamp" and max(thing.dimensions) == pytest.approx(0.05, rel=1e-5)
    assert len(thing.data.polygons) == 4 and thing.holdfast.is_part
    told, item = asset_identity.of(thing), asset_remote.pool(asset_remote.pool_of(shot))[items[service]]
    assert told == asset_identity.of(thing.data)
    assert f"{told.provider}/{told.model}" == item.data["model"]
    assert told.job and (service == "stability" or told.job != item.data["job"]), (
        "the id that the service gave"
    )
    assert list(told.inputs.values()) == list(item.inputs.values()) and len(told.file) == 64
    assert told.licence and told.licence != "not told" and told.generator
    assert assets.STAGE.state(scene, shot).status == "fresh"
    made = Manifest.load(shot.assets / "assets.json", "holdfast/assets")
    assert (
        made.data["chosen"] == items[service] and made.data["assets"][0]["parts"][0]["quality"]["watertight"]
    )


def test_each_was_billed_once_and_is_not_asked_again(scene, servers):
    store = JobStore(locate.project().root)
    before = {name: len(server.log) for name, server in servers.items()}
    assert sorted(f"{job.provider}/{job.model}" for job in store.jobs()) == sorted(MODELS)
    assert all(job.step is Step.APPLIED and job.purpose == "asset" for job in store.jobs())
    bpy.data.objects.remove(bpy.data.objects["lamp"])
    assert "not in the scene" in assets.STAGE.state(scene, locate.shot_of(scene)).reason
    run(scene)
    assert {name: len(server.log) for name, server in servers.items()} == before
    assert "lamp" in bpy.data.objects


def test_one_that_fails_does_not_lose_the_others(servers, tmp_path):
    scene = new_shot(tmp_path, servers)
    settings = scene.holdfast.assets
    settings.provider, servers["stability"].credits = "stability/stable-fast-3d", 0
    settings.compare.add().name = "tripo/image-to-model"
    made = run(scene)
    assert len(made.data["asked"]) == 1 and "tripo" not in " ".join(made.data["problems"]).lower()
    assert len(made.data["problems"]) == 1 and "lamp" in bpy.data.objects
    servers["stability"].credits = 100


def test_a_draft_is_looked_at_before_the_final_is_paid_for(servers, tmp_path):
    scene = new_shot(tmp_path, servers)
    settings, shot = scene.holdfast.assets, locate.shot_of(scene)
    settings.provider, settings.draft, settings.pbr = "meshy/image-to-3d", True, "YES"
    made = run(scene)
    (name,) = made.data["asked"]
    item = pool(asset_remote.pool_of(shot))[name]
    assert (
        item.data["draft"]
        and servers["meshy"].of("POST", "/image-to-3d$")[-1].json["should_texture"] is False
    )
    ask = asset_remote.refine_ask(scene, shot, name)
    assert (ask.model.id, ask.price) == ("meshy/retexture", 200_000)
    came, _ = drive.run_blocking(asset_remote.made(scene, shot, [ask], (0.0, 1.0)), Context())
    body = servers["meshy"].of("POST", "/retexture$")[-1].json
    assert body["input_task_id"] == item.data["remote"] and body["enable_pbr"] and "image_style_url" in body
    final = pool(asset_remote.pool_of(shot))[came[0]]
    assert (
        final.data["of"] == name and not final.data["draft"] and final.inputs["mesh"] == item.data["sha256"]
    )
    asset_file.use(scene, shot, came[0])
    assert asset_identity.of(bpy.data.objects["lamp"]).model == "retexture"
    assert len([thing for thing in scene.objects if thing.type == "MESH"]) == 1, (
        "it takes the place of the draft"
    )


def test_over_the_cap_or_without_what_is_needed_nothing_is_sent(servers, tmp_path):
    scene = new_shot(tmp_path, servers)
    settings, before = scene.holdfast.assets, len(servers["meshy"].log)
    settings.provider = "meshy/image-to-3d"
    scene.holdfast.jobs.cap_request = 0.10
    with pytest.raises(Refused, match="over the cap"):
        run(scene)
    settings.pictures.clear()
    with pytest.raises(ProviderRejected, match="needs a picture"):
        run(scene)
    settings.provider = "midjourney/v9"
    with pytest.raises(UsageError, match="midjourney"):
        run(scene)
    assert len(servers["meshy"].log) == before and JobStore(locate.project().root).jobs() == []


def test_the_locked_concept_is_the_main_picture(servers, tmp_path):
    scene = new_shot(tmp_path, servers)
    shot = locate.shot_of(scene)
    (shot.concepts / "variants").mkdir(parents=True)
    (shot.concepts / "variants/v3.png").write_bytes(media.png(80, 80))
    concepts = Manifest(
        "holdfast/concepts", {}, {}, {"assets": [], "locked": "", "locked_picture": "variants/v3.png"}
    )
    found = asset_form.pictures_of(scene, concepts, shot.concepts)
    assert [view for view, _ in found] == ["main", "main"] and found[0][1].name == "v3.png"
    scene.holdfast.assets.use_concept = False
    assert [path.name for _, path in asset_form.pictures_of(scene, concepts, shot.concepts)] == ["lamp.png"]


def test_in_the_window_nobody_waits_and_what_comes_is_gathered(servers, tmp_path):
    scene = new_shot(tmp_path, servers)
    scene.holdfast.assets.provider = "stability/stable-fast-3d"
    store, seen = JobStore(locate.project().root), asset_watch.seen
    assert bpy.ops.holdfast.ask_meshes() == {"FINISHED"}
    (job,) = store.jobs()
    assert (job.step, job.purpose, job.price) == (Step.PREPARED, "asset", 100_000)
    asset_watch.refresh_now()
    assert [each.id for each in seen.jobs] == [job.id] and not seen.items
    request = remote_jobs.worker_request(store, [job.id])
    run_in_foreground(remote_jobs.WORKER, request, Context(), bpy.app.python_args, secret.held())
    end = time.monotonic() + 30.0
    while not seen.items and time.monotonic() < end:
        asset_watch.tick()
        time.sleep(0.02)
    ((name, item),) = seen.items.items()
    assert item.data["job"] == job.id and item.data["seconds"] > 0.0 and not seen.problem
    assert asset_watch.seen.usual == {"stability/stable-fast-3d": item.data["seconds"]}
    assert bpy.ops.holdfast.use_mesh(item=name) == {"FINISHED"} and "lamp" in bpy.data.objects
    assert store.get(job.id).step is Step.APPLIED
    assert bpy.ops.holdfast.ask_meshes() == {"FINISHED"} and len(store.jobs()) == 1, "paid for already"
    asset_watch.forget()
