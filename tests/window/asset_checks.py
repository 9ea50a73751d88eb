# SPDX-License-Identifier: GPL-3.0-or-later
"""The window test of Assets: a form asked by a click, two meshes that come by themselves, one used, one from a file."""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import bpy
from validate_checks import only

from tests.loopback import media
from tests.loopback.meshy import MeshyServer
from tests.loopback.server import Loopback
from tests.loopback.tripo import TripoServer

Check = Generator[float, None, str | None]
_servers: dict[str, Loopback] = {}
SAMPLE = Path(__file__).parents[2] / "clients" / "offline" / "samples" / "lantern_body.jpg"


def assets_form(walk: Any) -> Check:
    """What a model is asked: pictures, the common options, its own ones, price, and what stands in the way."""
    bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)
    yield 0.3
    yield from walk.hand.one_view()
    folder = walk.folder / "assets"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "lantern.blend"))
    _serve(walk, folder)
    settings = bpy.context.scene.holdfast.assets
    for view in ("main", "back"):
        picture = folder / f"{view}.png"
        bpy.data.images.load(str(SAMPLE)).save(filepath=str(picture))
        row = settings.pictures.add()
        row.path, row.view = f"//{view}.png", view
    settings.provider, settings.name, settings.draft = "meshy/image-to-3d", "lantern", True
    settings.compare.add().name = "tripo/image-to-model"
    settings.polycount, settings.topology, settings.size_mm = 20000, "quad", 180.0
    only(walk, "_assets")
    yield from walk.hand.show_tab()
    walk.module("operators.job_cache").ask()
    yield 2.0
    walk.hand.picture("90-assets-form", walk.hand.sidebar)
    return None


def assets_ask(walk: Any) -> Check:
    """A click asks both; they come by themselves, and one goes into the scene in one step of undo."""
    seen = walk.module("operators.asset_watch").seen
    yield from walk.hand.press_button("ask_meshes(")
    yield 0.7
    walk.hand.picture("91-assets-on-their-way", walk.hand.sidebar)
    assert walk.session.job is None, "nobody waits for the meshes"
    yield from _until(lambda: len(seen.items) == 2 and not seen.jobs)
    yield 1.2
    walk.hand.picture("92-assets-came", walk.hand.sidebar)
    name = next(
        name for name, item in seen.items.items() if item.data["draft"] and "meshy" in item.data["model"]
    )
    assert bpy.ops.holdfast.use_mesh("EXEC_DEFAULT", True, item=name) == {"FINISHED"}, (
        "as its button calls it"
    )
    yield 1.0
    thing = bpy.data.objects["lantern"]
    assert abs(max(thing.dimensions) - 0.18) < 1e-5 and thing["holdfast_provider"] == "meshy", tuple(
        thing.dimensions
    )
    assert bpy.ops.holdfast.refine_mesh(item=name) == {"FINISHED"}
    yield from _until(lambda: len(seen.items) == 3)
    yield 1.5
    walk.hand.picture("93-assets-used", walk.hand.sidebar)
    walk.hand.picture("94-assets-window")
    bpy.ops.ed.undo()
    yield 0.6
    assert "lantern" not in bpy.data.objects, "one step of undo"
    return f"{len(seen.items)} meshes: {', '.join(item.data['label'] for item in seen.items.values())}"


def assets_file(walk: Any) -> Check:
    """A file through the operator as a drop calls it; one that lies is refused in a sentence, and the scene is as before."""
    folder, seen = walk.folder / "assets", walk.module("operators.asset_watch").seen
    handlers = [
        each for each in bpy.types.FileHandler.__subclasses__() if each.__name__ == "HOLDFAST_FH_mesh"
    ]
    assert handlers and ".glb" in handlers[0].bl_file_extensions
    (folder / "monkey.glb").write_bytes(media.glb())
    (folder / "bad.glb").write_bytes(media.glb()[:300])
    bpy.context.scene.holdfast.assets.size_mm = 0.0
    bpy.ops.holdfast.bring_in("INVOKE_DEFAULT", filepath=str(folder / "monkey.glb"))
    yield from walk.wait()
    assert "monkey" in bpy.data.objects and walk.status("assets")[0] != "failed", walk.status("assets")
    many = len(bpy.data.objects)
    bpy.ops.holdfast.bring_in("INVOKE_DEFAULT", filepath=str(folder / "bad.glb"))
    yield from walk.wait()
    status, reason = walk.status("assets")
    assert (status, len(bpy.data.objects)) == ("failed", many) and "bad.glb" in reason, (status, reason)
    yield 1.0
    walk.hand.picture("95-assets-file", walk.hand.sidebar)
    for server in _servers.values():
        server.__exit__(None, None, None)
    assert len(seen.items) == 4
    return reason


def _serve(walk: Any, folder: Path) -> None:
    """Both services on this machine; what they make is a monkey, so that there is something to look at."""
    bpy.ops.mesh.primitive_monkey_add()
    bpy.ops.export_scene.gltf(filepath=str(folder / "made.glb"))
    bpy.data.objects.remove(bpy.context.object)
    whole = (folder / "made.glb").read_bytes()
    media.glb = lambda: whole
    root = folder / "lantern.holdfast"
    root.mkdir(exist_ok=True)
    told = []
    for name, kind, script in (("meshy", MeshyServer, ["SUCCEEDED"]), ("tripo", TripoServer, ["success"])):
        server = kind()
        server.script = script
        _servers[name] = server.__enter__()
        walk.module("pipeline.secret").hold(f"HOLDFAST_{name.upper()}_KEY", server.key)
        told.append(f'[{name}]\nbase = "{server.url}"\n')
    (root / "services.toml").write_text("\n".join(told))


def _until(done: Any, limit_s: float = 150.0) -> Generator[float, None, None]:
    end = time.monotonic() + limit_s
    while not done():
        if time.monotonic() > end:
            raise AssertionError("it did not happen")
        yield 0.2


ALL = (assets_form, assets_ask, assets_file)
