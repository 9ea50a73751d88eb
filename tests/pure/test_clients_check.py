# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model can't take is refused while nothing has left this computer, not even an upload."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from holdfast.clients import job_steps
from holdfast.clients.check import check_job
from holdfast.clients.contract import JobSpec, MediaRef
from holdfast.clients.descriptor import Descriptor, InputLimit
from holdfast.pipeline.errors import ProviderRejected
from holdfast.pipeline.jobs import JobStore
from holdfast.pipeline.money import Caps

from tests.loopback.fal import Fal
from tests.loopback.harness import adapter_for, model_of

EDIT = "fal-ai/nano-banana-2/edit"


@pytest.fixture
def server() -> Iterator[Fal]:
    with Fal() as made:
        yield made


def model(**limit: object) -> Descriptor:
    known = model_of("fal", EDIT)
    kinds = {"kinds": ("https", "data_uri")}
    return replace(known, inputs={"picture": InputLimit(**kinds, **limit)}, options={})  # type: ignore[arg-type]


def job(path: Path) -> JobSpec:
    return JobSpec("fal", EDIT, (MediaRef("path", str(path), "picture"),), "ink", None, {}, "id")


def picture(path: Path, wide: int, high: int) -> Path:
    cv2.imwrite(str(path), np.zeros((high, wide, 3), np.uint8))
    return path


def film(path: Path, frames: int) -> Path:
    out = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 24.0, (64, 48))
    for _ in range(frames):
        out.write(np.zeros((48, 64, 3), np.uint8))
    out.release()
    return path


@pytest.mark.parametrize(
    ("wide", "high", "most", "good"),
    [(640, 480, (640, 480), True), (641, 480, (640, 480), False), (8, 481, (640, 480), False), (9000, 8, (0, 480), True)],
)  # fmt: skip
def test_pixels(tmp_path: Path, wide: int, high: int, most: tuple[int, int], good: bool) -> None:
    given = job(picture(tmp_path / "big.png", wide, high))
    if good:
        check_job(given, model(px_max=most), before_upload=True)
    else:
        with pytest.raises(
            ProviderRejected, match=rf"big.png has {wide}x{high} pixels.*takes 640x480 pixels"
        ):
            check_job(given, model(px_max=most), before_upload=True)


@pytest.mark.parametrize(("frames", "good"), [(47, True), (40, False), (72, True), (73, True), (80, False)])
def test_seconds_are_let_off_by_a_frame(tmp_path: Path, frames: int, good: bool) -> None:
    given = job(film(tmp_path / "clip.mp4", frames))
    if good:
        check_job(given, model(seconds=(2.0, 3.0)), before_upload=True)
    else:
        with pytest.raises(ProviderRejected, match=rf"clip.mp4 is {frames / 24:.1f} s long.*2 to 3 seconds"):
            check_job(given, model(seconds=(2.0, 3.0)), before_upload=True)


def test_the_form_matters_only_when_it_is_sent(tmp_path: Path) -> None:
    given = job(picture(tmp_path / "a.png", 8, 8))
    check_job(given, model(), before_upload=True)
    with pytest.raises(ProviderRejected, match="can't take picture as path"):
        check_job(given, model())


def test_nothing_is_uploaded_for_a_job_that_would_be_refused(server: Fal, tmp_path: Path) -> None:
    inputs = [
        {"path": str(picture(tmp_path / f"{n}.png", 8, 8)), "role": "reference"} for n in range(12)
    ]  # nine are the most, and a picture is missing
    store = JobStore(tmp_path / "project")
    asked = {"inputs": inputs, "prompt": "ink", "seed": None, "options": {}}
    made = store.prepare(asked, Caps(None, None, None, None), price=0, provider="fal", model=EDIT)
    adapter = adapter_for("fal", EDIT, server, tmp_path / "spool", settings={"rest": server.url})
    with pytest.raises(ProviderRejected, match="takes 1 to 1 picture, not 0"):
        job_steps.submit(store, made, adapter)
    assert server.log == []
