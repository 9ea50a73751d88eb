# SPDX-License-Identifier: GPL-3.0-or-later
"""A robot at the window: mouse, keys, pictures of the screen, and a clock that notes every hold-up.

A test is a generator that yields seconds to wait; a Blender timer steps it, so Blender goes on living between
two steps as it does between two clicks of a person. Pictures come from the X server, since Blender's own
screenshots are black under a software display.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import bpy
import numpy as np

Steps = Generator[float, None, None]
CLOCK_SECONDS = 0.008
MOST_PAGES = 5
STEP_PX = 15
"""Rows of the sidebar are 20 pixels high."""
COLUMNS = (0.3, 0.82, 0.93, 0.6, 0.16)
"""Where across the sidebar buttons are looked for, as shares of its width: wide ones, then small ones at the end."""


class Robot:
    """Drives the first window. Coordinates are Blender's: pixels, origin bottom left of the window."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.pictures: list[Path] = []
        self._gaps: list[tuple[float, float]] | None = None
        self._last = (0.0, 0.0)
        self._near = 10_000

    @property
    def window(self) -> bpy.types.Window:
        return bpy.context.window_manager.windows[0]

    @property
    def area(self) -> bpy.types.Area:
        """The largest 3D viewport."""
        views = [area for area in self.window.screen.areas if area.type == "VIEW_3D"]
        return max(views, key=lambda area: area.width * area.height)

    @property
    def sidebar(self) -> bpy.types.Region:
        return next(region for region in self.area.regions if region.type == "UI")

    def override(self) -> object:
        """Context of the 3D viewport, for operators that want one."""
        region = next(region for region in self.area.regions if region.type == "WINDOW")
        return bpy.context.temp_override(window=self.window, area=self.area, region=region)

    def move(self, x: int, y: int) -> Steps:
        self.window.event_simulate("MOUSEMOVE", "NOTHING", x=x, y=y)
        yield 0.02

    def click(self, x: int, y: int, **held: bool) -> Steps:
        yield from self.move(x - 1, y)
        yield from self.move(x, y)
        self.window.event_simulate("LEFTMOUSE", "PRESS", x=x, y=y, **held)
        yield 0.03
        self.window.event_simulate("LEFTMOUSE", "RELEASE", x=x, y=y, **held)
        yield 0.15

    def key(self, name: str, x: int | None = None, y: int | None = None, **held: bool) -> Steps:
        """Presses a key with the mouse in the middle of the viewport, or at (x, y)."""
        at_x = self.area.x + self.area.width // 3 if x is None else x
        at_y = self.area.y + self.area.height // 2 if y is None else y
        yield from self.move(at_x, at_y)
        for value in ("PRESS", "RELEASE"):
            self.window.event_simulate(name, value, x=at_x, y=at_y, **held)
            yield 0.05

    def show_tab(self, name: str = "Holdfast") -> Steps:
        """Opens the sidebar at our tab."""
        yield 0.2  # right after a file was opened there is no area yet
        self.area.spaces[0].show_region_ui = True
        for _attempt in range(20):
            yield 0.1
            try:
                self.sidebar.active_panel_category = name
            except TypeError:  # the tab is there only once the sidebar was drawn
                continue
            if self.sidebar.active_panel_category == name:
                break
        yield 0.3

    def scroll(self, pages: int) -> Steps:
        """Scrolls the sidebar: to its top with 0, else down by so many pages."""
        with bpy.context.temp_override(window=self.window, area=self.area, region=self.sidebar):
            for _page in range(MOST_PAGES if pages == 0 else pages):
                (bpy.ops.view2d.scroll_up if pages == 0 else bpy.ops.view2d.scroll_down)(page=True)
        self.sidebar.tag_redraw()
        yield 0.8

    def find_button(
        self, wanted: str, column: float = COLUMNS[0]
    ) -> Generator[float, None, tuple[int, int] | None]:
        """Looks through the sidebar for the operator button whose command contains ``wanted``: first in the ``column``
        where it is expected, in sight and nearest to the last one found, then from the top, page by page; then so in
        the other columns. A move costs seven hundredths of a second of a core under a software display."""
        found = yield from self._find_in_sight(wanted, (column,))
        for columns in ((column,), tuple(other for other in COLUMNS if other != column)):
            page, before = 0, None
            while found is None and page < MOST_PAGES:
                yield from self.scroll(min(page, 1))
                here = self.sidebar.view2d.region_to_view(0, 0)
                if here == before:
                    break  # the end of the sidebar
                page, before = page + 1, here
                found = yield from self._find_in_sight(wanted, columns)
        return found

    def _find_in_sight(
        self, wanted: str, columns: tuple[float, ...]
    ) -> Generator[float, None, tuple[int, int] | None]:
        region = self.sidebar
        rows = range(region.y + region.height - 30, region.y + 6, -STEP_PX)
        for column in columns:
            x = region.x + int((region.width - 24) * column)
            seen: list[int] = []
            for y in sorted(rows, key=lambda y: (abs(y - self._near), y)):
                yield from self.move(x, y)
                seen.append(y)
                if wanted in self._command_under_mouse(region):
                    for sure in reversed(seen[-4:]):  # on a busy machine the button lags behind the mouse
                        for beside in (3, 1, 0):
                            yield from self.move(x - beside, sure)
                            yield 0.15
                        if wanted in self._command_under_mouse(region):
                            self._near = sure
                            return x, sure
        return None

    def _command_under_mouse(self, region: bpy.types.Region) -> str:
        manager = bpy.context.window_manager
        manager.clipboard = "-"
        with bpy.context.temp_override(window=self.window, area=self.area, region=region):
            if bpy.ops.ui.copy_python_command_button.poll():
                bpy.ops.ui.copy_python_command_button()
        return str(manager.clipboard)

    def press_button(self, wanted: str, column: float = COLUMNS[0]) -> Steps:
        """Finds a button and clicks it."""
        found = yield from self.find_button(wanted, column)
        assert found is not None, f"no button for {wanted} in the sidebar"
        yield from self.click(*found)

    def picture(self, name: str, region: bpy.types.Region | None = None) -> Path:
        """Saves the screen, or a region of it, and fails if it is one colour."""
        path = self.out / f"{name}.png"
        crop = []
        if region is not None:
            top = self.window.height - region.y - region.height
            crop = ["-crop", f"{region.width}x{region.height}+{region.x}+{top}", "+repage"]
        quickly = ["-define", "png:compression-level=1"]
        subprocess.run(["import", "-window", "root", *crop, *quickly, str(path)], check=True)
        assert spread(path) > 0.02, f"{name} is of one colour"
        self.pictures.append(path)
        print(f"picture {path}", flush=True)
        return path

    def pictures_of_sidebar(self, name: str) -> Steps:
        """Photographs the whole sidebar, page by page, until scrolling shows nothing new."""
        yield from self.scroll(0)
        before = b""
        for page in range(MOST_PAGES):
            path = self.picture(f"{name}-{page + 1}", self.sidebar)
            if path.read_bytes() == before:
                path.unlink()
                self.pictures.remove(path)
                break
            before = path.read_bytes()
            yield from self.scroll(1)
        yield from self.scroll(0)

    @contextmanager
    def watch(self) -> Iterator[list[tuple[float, float]]]:
        """The gaps between ticks of a fast clock while the block runs: how live the window is.

        Each is (seconds on the wall, seconds of the main thread's own work): on a busy machine a gap also holds
        what other programs took.
        """
        gaps: list[tuple[float, float]] = []
        self._last, self._gaps = _now(), gaps
        clock = self._tick
        bpy.app.timers.register(clock, persistent=True)
        try:
            yield gaps
        finally:
            bpy.app.timers.unregister(clock)
            self._gaps = None

    def _tick(self) -> float:
        now = _now()
        if self._gaps is not None:
            self._gaps.append((now[0] - self._last[0], now[1] - self._last[1]))
        self._last = _now()
        return CLOCK_SECONDS

    def one_view(self) -> Steps:
        """Closes the image editors beside the viewport, which earlier checks have opened."""
        while beside := [area for area in self.window.screen.areas if area.type == "IMAGE_EDITOR"]:
            with bpy.context.temp_override(window=self.window, area=beside[0]):
                assert bpy.ops.screen.area_close() == {"FINISHED"}
            yield 0.2

    def editor_beside(self, share: float) -> bpy.types.Area:
        """Splits the viewport; its left ``share`` becomes an Image Editor."""
        with self.override():
            bpy.ops.screen.area_split(direction="VERTICAL", factor=share)
        views = [area for area in self.window.screen.areas if area.type == "VIEW_3D"]
        left = min(views, key=lambda area: area.x)
        left.type = "IMAGE_EDITOR"
        return left


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.thread_time()


def spread(path: Path) -> float:
    """Standard deviation of a picture's pixels, 0..1."""
    image = bpy.data.images.load(str(path), check_existing=False)
    try:
        pixels = np.empty(len(image.pixels), dtype=np.float32)
        image.pixels.foreach_get(pixels)
        return float(pixels.reshape(-1, 4)[:, :3].std())
    finally:
        bpy.data.images.remove(image)


def run(steps: Callable[[], Steps], limit_seconds: float) -> None:
    """Steps a test to its end by a timer, then leaves Blender with 0, or 1 and the reason."""
    generator, began = steps(), time.monotonic()

    def step() -> float:
        try:
            if time.monotonic() - began > limit_seconds:
                raise TimeoutError(f"the window test took more than {limit_seconds:.0f} s")
            return next(generator)
        except StopIteration:
            leave(0)
        except BaseException:
            traceback.print_exc()
            leave(1)

    bpy.app.timers.register(step, first_interval=1.0, persistent=True)


def leave(status: int) -> NoReturn:
    """Ends the process at once."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
