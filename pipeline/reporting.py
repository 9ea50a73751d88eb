# SPDX-License-Identifier: GPL-3.0-or-later
"""What a headless run prints: lines for people, for Open Job Description workers, and as JSON."""

import json
import sys
import time
from typing import TextIO

from .manifest import Manifest

_QUIET = 0.5
"""Least seconds between two progress lines of one stage."""


class Reporter:
    """Prints at column 0 and flushes each line, since farm engines read the output as it comes.

    Always ``openjd_progress:`` (0..100), ``openjd_status:`` and ``openjd_fail:``, which people can read too;
    with ``json_lines`` also every event as one JSON object a line.
    """

    def __init__(self, *, json_lines: bool = False, stream: TextIO | None = None) -> None:
        self._json = json_lines
        self._stream = stream or sys.stdout
        self._last = (0.0, "")

    def _line(self, text: str) -> None:
        print(text.replace("\n", " "), file=self._stream, flush=True)

    def event(self, name: str, **fields: object) -> None:
        """One JSON event line, if JSON was asked for."""
        if self._json:
            print(json.dumps({"event": name, **fields}, sort_keys=True), file=self._stream, flush=True)

    def progress(self, stage: str, fraction: float, message: str) -> None:
        """``fraction`` 0..1 of ``stage`` is done; printed at most twice a second."""
        now = time.monotonic()
        if now - self._last[0] < _QUIET and self._last[1] == stage:
            return
        self._last = (now, stage)
        self._line(f"openjd_progress: {100 * fraction:.1f}")
        self._line(f"openjd_status: {stage}: {message}")
        self.event("progress", stage=stage, fraction=round(fraction, 4), message=message)

    def done(self, stage: str, manifest: Manifest, seconds: float) -> None:
        """A stage is finished; its manifest may carry a one-line summary."""
        summary = str(manifest.data.get("summary", ""))
        self._line("openjd_progress: 100.0")
        self._line(f"openjd_status: {stage}: done in {seconds:.1f} s. {summary}".rstrip())
        self.event("done", stage=stage, seconds=round(seconds, 3), summary=summary, digest=manifest.digest)

    def state(self, stage: str, status: str, reason: str) -> None:
        """One line of ``status``."""
        self._line(f"{stage:10}{status:10}{reason}".rstrip())
        self.event("state", stage=stage, status=status, reason=reason)

    def log(self, line: str) -> None:
        """A remark of a stage."""
        self._line(line)
        self.event("log", line=line)

    def failed(self, sentence: str, code: int) -> None:
        """The sentence that says why the run ends here."""
        self._line(f"openjd_fail: {sentence}")
        self.event("fail", message=sentence, code=int(code))
