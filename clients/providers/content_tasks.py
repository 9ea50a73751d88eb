# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ark and MiniMax v2 share: a task is made of a list of contents, and DELETE stops it only while it waits."""

from collections.abc import Mapping
from typing import Any

from ...pipeline.errors import ProviderRejected
from ..adapter import Adapter
from ..contract import CancelOutcome, Handle, JobSpec, State

ROLES = {
    "source_video": ("video_url", "reference_video"), "control_video": ("video_url", "reference_video"),
    "reference_video": ("video_url", "reference_video"), "first": ("image_url", "first_frame"),
    "last": ("image_url", "last_frame"), "reference": ("image_url", "reference_image"),
    "audio": ("audio_url", "reference_audio"),
}  # fmt: skip
"""Our role: the kind of content and the service's role; in this order, which the prompt's "Video 1" counts."""
FRAMES = ("first", "last")


class ContentTasks(Adapter):
    """Base of the two."""

    def content(self, job: JobSpec) -> list[dict[str, Any]]:
        """The prompt and the files. Raises ProviderRejected where frames and references are mixed, or sound is alone."""
        given = {ref.role for ref in job.inputs}
        others = given - set(FRAMES)
        if given & set(FRAMES) and others:
            raise ProviderRejected(
                f"{self.model.label} takes a first or last frame, or references, but not both",
                todo="Leave one of them out.",
            )
        if "last" in given and "first" not in given:
            raise ProviderRejected(f"{self.model.label} takes a last frame only with a first frame")
        if others == {"audio"}:
            raise ProviderRejected(f"{self.model.label} does not take sound without a picture or clip")
        made: list[dict[str, Any]] = [{"type": "text", "text": job.prompt}] if job.prompt else []
        for role, (kind, theirs) in ROLES.items():
            made += [{"type": kind, kind: {"url": ref.value}, "role": theirs} for ref in job.all(role)]
        return made

    def cancel(self, handle: Handle) -> CancelOutcome:
        """Asks first: DELETE stops a task that waits, but destroys one that has ended, and a running one goes on."""
        if self.stop(handle) is None:
            return CancelOutcome.UNSUPPORTED
        if self.poll(handle).state is not State.QUEUED:
            return CancelOutcome.TOO_LATE
        return super().cancel(handle)


def named(options: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Our options under the service's names, those that are given."""
    return {theirs: options[ours] for ours, theirs in names.items() if ours in options}
