# SPDX-License-Identifier: GPL-3.0-or-later
"""A job against the limits of its model, before anything is sent."""

from pathlib import Path

import cv2
from PIL import Image

from ..pipeline.errors import ProviderRejected
from ..pipeline.sniff import kind_of_file
from .contract import JobSpec
from .descriptor import Descriptor, InputLimit

PICTURES, FILMS = ("png", "jpeg", "webp"), ("mp4", "mov", "webm")


def check_job(job: JobSpec, model: Descriptor, *, before_upload: bool = False) -> None:
    """Refuses a job that the model can't do. ``before_upload``: its files are still here, so they are measured and it does
    not matter in which form they will be sent. Raises ProviderRejected with the limit."""
    for role, limit in model.inputs.items():
        given = [ref for ref in job.inputs if ref.role == role]
        if not limit.count[0] <= len(given) <= limit.count[1]:
            raise ProviderRejected(
                f"{model.label} takes {limit.count[0]} to {limit.count[1]} {role}, not {len(given)}"
            )
        for ref in given:
            if ref.kind == "path":
                _check_file(Path(ref.value), limit, model, before_upload)
            if ref.kind not in limit.kinds and not (before_upload and ref.kind == "path"):
                raise ProviderRejected(f"{model.label} can't take {role} as {ref.kind}")
    strange = sorted({ref.role for ref in job.inputs} - set(model.inputs))
    if strange:
        raise ProviderRejected(f"{model.label} has no use for {strange[0]}")
    if len(job.prompt) > model.prompt_max > 0:
        raise ProviderRejected(
            f"The prompt is longer than {model.label} takes ({model.prompt_max} characters)"
        )
    low, high = model.seed.range
    if job.seed is not None and model.seed.strength != "none" and not low <= job.seed <= high:
        raise ProviderRejected(f"The seed {job.seed} is outside {low} to {high}", where=model.label)
    for name, value in job.options.items():
        _check_option(name, value, model)


def _check_file(path: Path, limit: InputLimit, model: Descriptor, measured: bool) -> None:
    """Its bytes, and if ``measured`` its pixels and seconds. What is not there or can't be read is told when it is sent."""
    if not path.is_file():
        return
    if path.stat().st_size > limit.max_bytes > 0:
        most = f"{limit.max_bytes / 1e6:.0f} MB"
        raise ProviderRejected(f"{path.name} is larger than {model.label} takes ({most})")
    kind = kind_of_file(path) if measured else ""
    if kind in PICTURES and any(limit.px_max):
        wide, high = _pixels(path)
        if wide > limit.px_max[0] > 0 or high > limit.px_max[1] > 0:
            most = f"{limit.px_max[0]}x{limit.px_max[1]} pixels"
            todo = "Make it smaller."
            raise ProviderRejected(
                f"{path.name} has {wide}x{high} pixels, {model.label} takes {most}", todo=todo
            )
    if kind in FILMS and any(limit.seconds):
        _check_length(path, limit.seconds, model)


def _pixels(path: Path) -> tuple[int, int]:
    """(width, height) from the head of a picture; (0, 0) if there is none."""
    try:
        with Image.open(path) as picture:
            return picture.size
    except (OSError, ValueError, Image.DecompressionBombError):
        return 0, 0


def _check_length(path: Path, seconds: tuple[float, float], model: Descriptor) -> None:
    """A frame more or less is let pass: lengths are told in frames, limits in seconds."""
    film = cv2.VideoCapture(str(path))
    count, rate = film.get(cv2.CAP_PROP_FRAME_COUNT), film.get(cv2.CAP_PROP_FPS)
    film.release()
    if count < 1 or rate <= 0:
        return
    low, high = seconds[0] - 1 / rate, seconds[1] + 1 / rate if seconds[1] else float("inf")
    if not low <= count / rate <= high:
        said = (
            f"{seconds[0]:g} to {seconds[1]:g} seconds" if seconds[1] else f"{seconds[0]:g} seconds or more"
        )
        raise ProviderRejected(f"{path.name} is {count / rate:.1f} s long, {model.label} takes {said}")


def _check_option(name: str, value: object, model: Descriptor) -> None:
    rule = model.options.get(name)
    if rule is None:
        raise ProviderRejected(f"{model.label} has no option {name!r}")
    if isinstance(rule, list) and value not in rule:
        raise ProviderRejected(
            f"{name} can't be {value!r}", where=model.label, todo=f"Choose from {', '.join(map(str, rule))}."
        )
    ranged = isinstance(rule, dict) and "min" in rule
    if ranged and not (isinstance(value, int | float) and rule["min"] <= value <= rule["max"]):
        raise ProviderRejected(
            f"{name} must be {rule['min']} to {rule['max']}, not {value!r}", where=model.label
        )
