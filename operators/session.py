# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives stage generators in the window: one timer, a few milliseconds a tick, never a wait.

The command line has `drive`. Both perform the same steps; here a worker is polled and a render is Blender's own
job, so that the window stays alive. What runs is state of this process and not of the .blend: undo does not
touch it, and opening another file cancels it in order.
"""

import tempfile
import time
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import bpy

from ..pipeline import secret
from ..pipeline.errors import Cancelled, HoldfastError, from_json
from ..pipeline.worker import WorkerProcess
from . import forecast, locate, state_cache, window
from .render_watch import RenderWatch
from .stages import running as generator_of
from .steps import Progress, RenderJob, Stage, StageGenerator, StageOptions, WorkerTask

SOON_SECONDS = 0.001
"""Until the next tick while the stage itself has work to do in Blender; what it waits for is asked less often."""
BUSY_SECONDS = 0.05
IDLE_SECONDS = 0.3
REDRAW_SECONDS = 0.2
BUDGET_SECONDS = 0.010
"""How long a tick may go on with the Blender work of a stage before it lets the window draw."""


@dataclass
class Job:
    """One running stage. `fraction` is 0..1 of the stage."""

    stage: Stage
    scene_uid: int
    scene_name: str
    generator: StageGenerator
    worker: WorkerProcess | None = None
    render: RenderWatch | None = None
    share: tuple[float, float] = (0.0, 1.0)
    answer: Any = None
    fraction: float = 0.0
    message: str = "Starting"
    cancelled: bool = False
    rendered: set[int] = field(default_factory=set)
    rendering_since: float = 0.0
    started: float = field(default_factory=time.perf_counter)

    @property
    def seconds_left(self) -> float | None:
        """An estimate from how far it is; None while that says little."""
        spent = time.perf_counter() - self.started
        return spent * (1.0 - self.fraction) / self.fraction if spent > 5.0 and self.fraction > 0.08 else None

    def report(self, fraction: float, message: str) -> None:
        """Notes progress within the share of the current step."""
        low, high = self.share
        self.fraction, self.message = low + (high - low) * min(max(fraction, 0.0), 1.0), message


@dataclass
class Session:
    """What runs and what waits, for the whole process."""

    job: Job | None = None
    queue: deque[tuple[Stage, int, StageOptions]] = field(default_factory=deque)
    failures: dict[tuple[int, str], str] = field(default_factory=dict)
    seconds: dict[tuple[int, str], float] = field(default_factory=dict)
    seen: tuple[float, str] | None = None
    drawn: float = 0.0
    ended: float = float("-inf")
    """When the last job ended, on time.monotonic()."""
    refresh: Iterator[None] | None = None


current = Session()
_lingering: list[WorkerProcess] = []
"""Workers that were told to stop when their file was closed."""


def enqueue(scene: bpy.types.Scene, stages: Sequence[Stage], options: StageOptions) -> None:
    """Puts stages into the queue. Raises HoldfastError if the scene's shot has no folder."""
    locate.shot_of(scene)
    for stage in stages:
        current.failures.pop((scene.session_uid, stage.name), None)
        current.queue.append((stage, scene.session_uid, options))


def cancel() -> None:
    """Asks the running stage to stop and empties the queue; the stage cleans up in its own order."""
    current.queue.clear()
    if current.job is not None:
        current.job.cancelled = True
        current.job.message = "Cancelling"


def running(scene: bpy.types.Scene, name: str) -> Job | None:
    """The job if that stage of that scene is the one running."""
    job = current.job
    return job if job and job.stage.name == name and job.scene_uid == scene.session_uid else None


def waiting(scene: bpy.types.Scene, name: str) -> bool:
    """True if that stage of that scene is in the queue."""
    return any(stage.name == name and uid == scene.session_uid for stage, uid, _options in current.queue)


def tick() -> float:
    """The timer: goes on with what runs, or looks after the cache of the panels."""
    try:
        _advance()
    except Exception as error:  # a raise here would end the timer for good
        _fail(current.job, _internal(error))
    job = current.job
    if job is not None and job.worker is None and job.render is None:
        return SOON_SECONDS
    return BUSY_SECONDS if job is not None or current.queue or current.refresh is not None else IDLE_SECONDS


def _advance() -> None:
    if current.job is None and current.queue:
        _start(*current.queue.popleft())
    elif current.job is None:
        _look_after_panels()
    else:
        _step(current.job)
        _show_progress()


def _show_progress() -> None:
    """Draws the panels again if there is something new to see, at most a few times a second."""
    job, now = current.job, time.perf_counter()
    seen = (job.fraction, job.message) if job is not None else None
    if seen != current.seen and (job is None or now - current.drawn > REDRAW_SECONDS):
        current.seen, current.drawn = seen, now
        window.redraw()


def _look_after_panels() -> None:
    for worker in list(_lingering):
        worker.poll()  # ends a cancelled worker that takes too long
        if worker.finished:
            _lingering.remove(worker)
    scene = bpy.context.scene
    if scene is not None and (state_cache.dirty or state_cache.settled(scene)):
        current.refresh = state_cache.refreshing(scene)
    deadline = time.perf_counter() + BUDGET_SECONDS
    while current.refresh is not None and time.perf_counter() < deadline:
        try:
            next(current.refresh)
        except (StopIteration, ReferenceError):  # done, or the scene went away: the next one is on its way
            current.refresh = None
            window.redraw()


def _scene(uid: int) -> bpy.types.Scene | None:
    return next((scene for scene in bpy.data.scenes if scene.session_uid == uid), None)


def _start(stage: Stage, uid: int, options: StageOptions) -> None:
    scene = _scene(uid)
    if scene is None:
        current.queue.clear()
        return
    current.job = Job(stage, uid, scene.name, generator_of(stage, scene, options))
    window.redraw()


def _step(job: Job) -> None:
    """Polls what the stage waits for; once that is there, runs the stage for at most the budget."""
    scene = _scene(job.scene_uid)
    if scene is None:
        _abandon(job, "The scene that asked was removed; finished files wait in its folder.")
        return
    deadline = time.perf_counter() + BUDGET_SECONDS
    while current.job is job and time.perf_counter() < deadline:
        try:
            if not _ready(job):
                return
        except HoldfastError as error:
            _send(job, error)
        else:
            _send(job, None)


def _ready(job: Job) -> bool:
    """True when the current step is done and its answer noted. Raises what the step raised, or Cancelled."""
    if job.worker is not None:
        return _poll_worker(job, job.worker)
    if job.render is not None:
        if not job.render.advance(job):
            return False
        job.render = None
    if job.cancelled:
        raise Cancelled()
    return True


def _poll_worker(job: Job, worker: WorkerProcess) -> bool:
    if job.cancelled:
        worker.cancel()
    for event in worker.poll():
        if event["event"] == "progress" and not job.cancelled:
            job.report(event["fraction"], event["message"])
        elif event["event"] == "result":
            job.worker, job.answer = None, event["value"]
        elif event["event"] == "error":
            job.worker = None
            raise from_json(event["error"])
    return job.worker is None


def _send(job: Job, error: HoldfastError | None) -> None:
    """Gives the stage its answer or error and performs the step it asks for next."""
    answer, job.answer = job.answer, None
    try:
        step = job.generator.throw(error) if error is not None else job.generator.send(answer)
        _perform(job, step)
    except StopIteration:
        _finish(job)
    except Cancelled as stopped:
        current.queue.clear()
        _end(job, str(stopped))
    except HoldfastError as failure:
        _fail(job, str(failure))
    except ReferenceError:
        _fail(job, "The scene was changed under the stage, by undo or by removing objects. Run it again.")
    except Exception as failure:
        _fail(job, _internal(failure))


def _perform(job: Job, step: WorkerTask | RenderJob | Progress) -> None:
    if isinstance(step, Progress):
        job.share = (0.0, 1.0)
        job.report(step.fraction, step.message)
        return
    job.share = step.share
    if isinstance(step, WorkerTask):
        keys = secret.held() if step.keys else None
        job.worker = WorkerProcess.start(step.function, step.request, bpy.app.python_args, keys)
    else:
        job.rendering_since = job.rendering_since or time.perf_counter()
        job.rendered.update(step.frames)
        job.render = RenderWatch(step.scene, step.frames)


def _finish(job: Job) -> None:
    seconds, scene = time.perf_counter() - job.started, _scene(job.scene_uid)
    current.seconds[job.scene_uid, job.stage.name] = seconds
    if scene is not None and job.rendered:
        forecast.note(scene, sorted(job.rendered), time.perf_counter() - job.rendering_since)
    _end(job, "")
    window.push_undo(f"Holdfast: {job.stage.label}")


def _fail(job: Job | None, sentence: str) -> None:
    current.queue.clear()
    if job is not None:
        _end(job, sentence)
        sentence = f"{job.stage.label}: {sentence}"
    window.announce(sentence)


def _abandon(job: Job, sentence: str) -> None:
    """Stops a job whose scene or file is gone."""
    if job.worker is not None:
        job.worker.cancel()
        _lingering.append(job.worker)
    if job.render is not None:
        job.render.close()
    current.queue.clear()
    _end(job, sentence)


def _end(job: Job, sentence: str) -> None:
    current.job, current.ended = None, time.monotonic()
    if sentence:
        current.failures[job.scene_uid, job.stage.name] = sentence
    try:
        job.generator.close()
    finally:
        state_cache.on_change()
        window.redraw()


def _internal(error: BaseException) -> str:
    with tempfile.NamedTemporaryFile("w", prefix="holdfast-", suffix=".log", delete=False) as log:
        traceback.print_exception(error, file=log)
    return f"Internal error: {type(error).__name__}: {error}. The details are in {log.name}."


def on_load_pre(*_args: object) -> None:
    """Handler: another file is about to be opened; what runs stops, what is finished waits in its folder."""
    if current.job is not None:
        _abandon(current.job, "Another file was opened; finished files wait in the shot's folder.")
    current.queue.clear()
    current.failures.clear()
    current.seconds.clear()
    current.refresh = None


def open_session() -> None:
    """Starts with nothing running."""
    vars(current).update(vars(Session()))


def close_session() -> None:
    """Stops what runs, for good: the extension is being disabled."""
    on_load_pre()
    for worker in _lingering:
        worker.close()
    _lingering.clear()
