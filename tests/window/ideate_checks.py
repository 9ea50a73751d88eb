# SPDX-License-Identifier: GPL-3.0-or-later
"""The window test of Ideate with a remote model: the grid fills by itself, a part of it is shown, clicks pick, star, lock."""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import bpy
from validate_checks import only

from tests.loopback.painter import Painter

Check = Generator[float, None, str | None]
KEY = "HOLDFAST_RUNWAY_KEY"
SAMPLES = Path(__file__).parents[2] / "clients" / "offline" / "samples"
_server: list[Painter] = []


def ideate_ask(walk: Any) -> Check:
    """A click asks for six; five come and are seen while one is still drawn and one is refused."""
    bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)
    yield 0.3
    yield from walk.hand.one_view()
    folder = walk.folder / "ideate"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "lantern.blend"))
    server = Painter()
    server.slow, server.refused = {7}, {8}
    server.__enter__()
    _server.append(server)
    own = folder / "lantern.holdfast" / "catalogue"
    own.mkdir(parents=True)
    (own / "runway.toml").write_text(
        f'[[service]]\nid = "runway"\nlabel = "Runway"\nbase = "{server.url}"\nkeys = ["{KEY}"]\n'
        'settings = { version = "2024-11-06", credit_micros = 10000 }\n'
    )
    walk.module("pipeline.secret").hold(KEY, server.key)
    scene = bpy.context.scene.holdfast
    sketch = scene.sketches.add()
    shutil.copy(SAMPLES / "lantern_body.jpg", folder)
    sketch.name, sketch.path = "lantern_body", "//lantern_body.jpg"
    ideate = scene.ideate
    ideate.provider, ideate.count = "runway/gen4_image", 8
    ideate.brief = "A travel lantern with a bayonet lid, glazed ceramic and turned birch, warm studio light"
    with walk.hand.override():
        bpy.ops.mesh.primitive_monkey_add(size=3)
    yield 0.5
    with walk.hand.override():
        assert bpy.ops.holdfast.sketch_from_view() == {"FINISHED"}
    _look_at_view(walk, Path(bpy.path.abspath(scene.sketches[1].path)))
    scene.sketches.remove(1)
    only(walk, "_ideate")
    yield from walk.hand.show_tab()
    walk.module("operators.job_cache").ask()
    yield 2.0
    walk.hand.picture("80-ideate-brief", walk.hand.sidebar)
    yield from walk.hand.press_button("ask_ideas()")
    seen = walk.module("operators.ideate_watch").seen
    yield from _until(lambda: len(seen.board.ideas) == 6 and seen.unsent == 1)
    yield 1.0
    walk.hand.picture("81-ideate-grid", walk.hand.sidebar)
    assert walk.session.job is None, "the stage does not wait for the pictures"
    return f"{len(seen.board.ideas)} of 8 shown, one is drawn, one refused"


def _look_at_view(walk: Any, path: Path) -> None:
    """The picture of the viewport is kept and is not of one colour."""
    picture = walk.module("pipeline.pictures").read_picture(path)
    shutil.copy(path, walk.hand.out / "79-ideate-view.png")
    assert max(picture.shape[:2]) == 1600 and picture.std() > 5, (picture.shape, picture.std())


def ideate_pick(walk: Any) -> Check:
    """Clicks pick, star, discard and lock; two are compared large."""
    seen, view = walk.module("operators.ideate_watch").seen, bpy.context.window_manager.holdfast_ideas
    yield from walk.hand.press_button('pick_idea(idea="1a"')
    yield 0.3
    assert view.active == "1a", view.active
    bpy.ops.holdfast.pick_idea(idea="1b", second=True)
    yield 0.3
    assert (view.active, view.other) == ("1a", "1b"), (view.active, view.other)
    yield from _press_beside(walk, 'pick_idea(idea="1a"', "starred")
    bpy.ops.holdfast.mark_idea(idea="1c", which="hidden")
    yield 0.6
    assert seen.board.starred == {"1a"} and seen.board.hidden == {"1c"}, seen.board
    bpy.ops.holdfast.lock_idea(idea="1a")
    yield 0.8
    assert bpy.context.scene.holdfast.ideate.idea == "1a"
    yield from walk.wait()
    assert walk.status("ideate")[0] == "fresh", walk.status("ideate")
    walk.hand.picture("82-ideate-locked", walk.hand.sidebar)
    walk.hand.editor_beside(0.5)
    yield 0.4
    bpy.ops.holdfast.view_ideas(both=True)
    yield 2.0
    walk.hand.picture("83-ideate-compare")
    return None


def ideate_out(walk: Any) -> Check:
    """Contact sheet and reference sheet of the locked idea; the numbers stand beside an idea."""
    seen = walk.module("operators.ideate_watch").seen
    ideate = bpy.context.scene.holdfast.ideate
    ideate.sheet_facts, ideate.product = True, "lantern"
    for what in ("sheet", "reference"):
        bpy.ops.holdfast.make_idea_output(what=what)
        yield from walk.wait()
        assert walk.status("ideate")[0] == "fresh", walk.status("ideate")
    yield from _until(lambda: set(seen.made) == {"sheet", "reference"} and len(seen.match) == 6)
    assert all(path.is_file() for path in seen.made.values()), seen.made
    assert seen.match["1a"]["de"] < 0.5 and seen.match["1a"]["shape"] > 0.99, seen.match["1a"]
    for path in (*seen.made.values(), seen.made["sheet"].with_suffix(".png")):
        shutil.copy(path, walk.hand.out)
    yield from walk.hand.scroll(4)
    walk.hand.picture("85-ideate-out", walk.hand.sidebar)
    return str({name: near["says"] for name, near in seen.match.items()})


def ideate_many(walk: Any) -> Check:
    """Sixty more: pages, thumbnails a few at a time, and no tick of ours that holds the window up."""
    seen, view = walk.module("operators.ideate_watch").seen, bpy.context.window_manager.holdfast_ideas
    concepts = seen.concepts
    _plant(walk, concepts, 60)
    with walk.hand.watch() as gaps:
        yield from _until(lambda: len(seen.board.ideas) == 66)
        for _page in range(4):
            bpy.ops.holdfast.turn_idea_page(by=1)
            yield 0.4
    own = 1000 * max(own for _wall, own in gaps)
    yield 0.6
    watch = walk.module("operators.ideate_watch")
    assert all(watch.icon(name) for name in watch.page_names()), watch.page_names()
    walk.hand.picture("84-ideate-many", walk.hand.sidebar)
    assert view.page == 4, view.page
    assert own < 150, f"{own:.0f} ms at once"
    _server.pop().__exit__()
    walk.module("pipeline.secret").hold(KEY, "")
    return f"{len(seen.board.ideas)} ideas; the longest of the main thread's own work {own:.0f} ms"


def _plant(walk: Any, concepts: Path, count: int) -> None:
    """Another round of so many ideas, with the pictures of the first."""
    board, manifest = walk.module("clients.idea_board"), walk.module("pipeline.manifest").Manifest
    old = list(walk.module("operators.ideate_watch").seen.board.ideas.values())
    asks = [
        {"request": {"seed": n}, "digest": f"planted {n}", "results": 1, "price": 80_000}
        for n in range(count)
    ]
    data = {
        "round": 2,
        "how": "brief",
        "words": "",
        "prompt": "",
        "model": "",
        "parents": [],
        "kind": "",
        "asks": asks,
    }
    folder = concepts / board.FOLDER
    for number in range(count):
        like = old[number % len(old)]
        name = f"2{board.letters(number)}"
        thumb = folder / "thumbs" / f"{name}.png"
        shutil.copy(concepts / like.thumb, thumb)
        record = {**like.to_json(), "name": name, "thumb": thumb.relative_to(concepts).as_posix()}
        walk.module("pipeline.store").write_json(folder / f"{name}.json", record)
    manifest(board.ROUND, {}, {}, data).save(board.round_file(concepts, 2))


def _press_beside(walk: Any, known: str, wanted: str) -> Check:
    """Clicks a small button to the right of one that is found."""
    spot = yield from walk.hand.find_button(known)
    assert spot is not None, known
    for x in range(spot[0], spot[0] + 130, 7):
        yield from walk.hand.move(x, spot[1])
        yield 0.12
        if wanted in walk.hand._command_under_mouse(walk.hand.sidebar):
            yield from walk.hand.click(x, spot[1])
            return None
    raise AssertionError(f"no {wanted} beside {known}")


def _until(done: Any, limit_s: float = 120.0) -> Check:
    began = time.monotonic()
    while not done():
        assert time.monotonic() - began < limit_s, "it did not happen"
        yield 0.1
    return None


ALL = (ideate_ask, ideate_pick, ideate_out, ideate_many)
