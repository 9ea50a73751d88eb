# SPDX-License-Identifier: GPL-3.0-or-later
"""Before any part is measured: does the take have the right frames, in the right order, in the right place?

(Notes M0 contract, M1 time map, M2 registration.) What is found here is a fault of the take as a whole, and everything
else is measured through the map, the fit and the levels found.
"""

from collections.abc import Callable

from ..pipeline.context import Context
from ..pipeline.pictures import U8
from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth, Ids
from .conformed import Conformed, TakeFault, claimed, take_rate
from .limits import Limits
from .scout import Scout

Show = Callable[[int, int, U8, U8, U8], None]
Frames = Callable[[int], tuple[U8, U8, Ids]]


def conform(
    truth: GroundTruth, take: TakeFolder, limits: Limits, ctx: Context, show: Show | None = None,
    read: Frames | None = None,
) -> Conformed:  # fmt: skip
    """Checks frames, size, levels and time, and finds the map and fit to measure through. ``show`` (position, source
    frame, render, take, ids) is given every frame that is read. ``read`` gives take, render and ids of the position that
    is next, if the caller reads them. Raises InputError, Cancelled."""
    pairs = claimed(truth, take)
    scout = Scout(truth, take, pairs)
    for index, (source, frame) in enumerate(ctx.each(pairs, "Checking frame")):
        picture, render, ids = (
            read(index) if read else (take.frame(frame), truth.beauty(source), truth.ids(source))
        )
        if show:
            show(index, source, render, picture, ids)
        scout.add(index, source, picture, render, ids)
    for source in scout.unseen:
        ctx.cancel.check()
        scout.add_source(source, truth.beauty(source), truth.ids(source))
    return scout.finish()


__all__ = ["Conformed", "Show", "TakeFault", "claimed", "conform", "take_rate"]
