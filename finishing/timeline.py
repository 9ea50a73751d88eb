# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenTimelineIO files, written by hand: Timeline.1 / Stack.1 / Track.1 / Clip.2 (OTIO 0.15 and newer read them)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..pipeline.store import write_json

Json = dict[str, Any]
Rate = tuple[int, int]
_COLOURS = {"fail": "RED", "review": "YELLOW", "pass": "GREEN"}


def rational(value: float, fps: Rate) -> Json:
    """RationalTime.1 of ``value`` frames at the exact rate."""
    return {"OTIO_SCHEMA": "RationalTime.1", "value": float(value), "rate": fps[0] / fps[1]}


def time_range(start: int, count: int, fps: Rate) -> Json:
    """TimeRange.1 of ``count`` frames from ``start``."""
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": rational(start, fps),
        "duration": rational(count, fps),
    }


@dataclass(frozen=True)
class Pictures:
    """Numbered pictures: ``base`` relative to the .otio, frames ``first .. first + count - 1``, padded names."""

    base: str
    prefix: str
    suffix: str
    first: int
    count: int
    padding: int = 4

    def reference(self, fps: Rate) -> Json:
        """ImageSequenceReference.1."""
        return {
            "OTIO_SCHEMA": "ImageSequenceReference.1",
            "metadata": {},
            "name": "",
            "available_range": time_range(self.first, self.count, fps),
            "available_image_bounds": None,
            "target_url_base": self.base,
            "name_prefix": self.prefix,
            "name_suffix": self.suffix,
            "start_frame": self.first,
            "frame_step": 1,
            "rate": fps[0] / fps[1],
            "frame_zero_padding": self.padding,
            "missing_frame_policy": "error",
        }


@dataclass(frozen=True)
class Movie:
    """One file with ``count`` frames; ``url`` relative to the .otio."""

    url: str
    count: int
    first: int = 0

    def reference(self, fps: Rate) -> Json:
        """ExternalReference.1."""
        return {
            "OTIO_SCHEMA": "ExternalReference.1",
            "metadata": {},
            "name": "",
            "available_range": time_range(0, self.count, fps),
            "available_image_bounds": None,
            "target_url": self.url,
        }


@dataclass(frozen=True)
class ClipSpec:
    """``count`` frames of ``media`` from frame ``first`` on; ``markers`` in media time."""

    name: str
    media: Pictures | Movie
    first: int
    count: int
    metadata: Mapping[str, Any] = field(default_factory=dict)
    markers: Sequence[Json] = ()


def clip(spec: ClipSpec, fps: Rate) -> Json:
    """Clip.2 with its media and markers."""
    return {
        "OTIO_SCHEMA": "Clip.2",
        "metadata": {"holdfast": dict(spec.metadata)},
        "name": spec.name,
        "source_range": time_range(spec.first, spec.count, fps),
        "effects": [],
        "markers": list(spec.markers),
        "enabled": True,
        "media_references": {"DEFAULT_MEDIA": spec.media.reference(fps)},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }


def gap(count: int, fps: Rate) -> Json:
    """Gap.1 of ``count`` frames."""
    return {
        "OTIO_SCHEMA": "Gap.1",
        "metadata": {},
        "name": "",
        "source_range": time_range(0, count, fps),
        "effects": [],
        "markers": [],
        "enabled": True,
    }


def marker(finding: Mapping[str, Any], verdict: str, fps: Rate) -> Json:
    """Marker.2 for a finding of a report, over its frames."""
    first, last = finding["frames"]
    return {
        "OTIO_SCHEMA": "Marker.2",
        "metadata": {"holdfast": {key: value for key, value in finding.items() if key != "crop"}},
        "name": f"{finding.get('part', '')} {finding['kind']}".strip(),
        "color": _COLOURS.get(verdict, "RED"),
        "comment": str(finding.get("says", "")),
        "marked_range": time_range(first, last - first + 1, fps),
    }


def track(name: str, children: Sequence[Json], metadata: Mapping[str, Any] | None = None) -> Json:
    """Track.1 of kind Video."""
    return {
        "OTIO_SCHEMA": "Track.1",
        "metadata": {"holdfast": dict(metadata or {})},
        "name": name,
        "source_range": None,
        "effects": [],
        "markers": [],
        "enabled": True,
        "children": list(children),
        "kind": "Video",
    }


def write_timeline(
    path: Path, name: str, tracks: Sequence[Json], fps: Rate, metadata: Mapping[str, Any]
) -> None:
    """Writes the .otio, bottom track first. Raises StorageError."""
    stack: Json = {
        "OTIO_SCHEMA": "Stack.1",
        "metadata": {},
        "name": "tracks",
        "source_range": None,
        "effects": [],
        "markers": [],
        "enabled": True,
        "children": list(tracks),
    }
    timeline = {
        "OTIO_SCHEMA": "Timeline.1",
        "metadata": {"holdfast": dict(metadata)},
        "name": name,
        "global_start_time": rational(0, fps),
        "tracks": stack,
    }
    write_json(path, timeline)
