# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a drawn peg and a drawn socket fit: hand drawings never match, so their sizes are averaged."""

from dataclasses import replace

from ...pipeline.errors import InputError, UsageError
from .outline import Outline
from .outline_features import Feature

TIP_ROOM_MM = 0.4


def mated(
    outlines: dict[str, Outline], pairs: list[dict[str, object]]
) -> tuple[dict[str, Outline], list[str]]:
    """(outlines with fitted features, what was changed in words).

    ``pairs`` of ``{"peg": name, "socket": name, "clearance_mm": radial gap, default 0.2}``. The mean of both drawn radii lies
    in the middle of the gap; the peg ends 0.4 mm above the socket's floor at the latest. Raises InputError if a feature was not
    drawn, UsageError for names that are not there.
    """
    made, says = dict(outlines), []
    for pair in pairs:
        peg_name, socket_name = str(pair["peg"]), str(pair["socket"])
        gap = float(str(pair.get("clearance_mm", 0.2)))
        for name in (peg_name, socket_name):
            if name not in made:
                raise UsageError(
                    f"There is no sketch named {name} to mate", todo="Check the joint's two parts."
                )
        peg, socket = _feature(made[peg_name], "peg"), _feature(made[socket_name], "socket")
        mean = 0.5 * (peg.radius_mm + socket.radius_mm)
        if not 0 < gap < 0.5 * mean:
            raise UsageError(
                f"A clearance of {gap:g} mm does not suit a peg of {2 * mean:.1f} mm", where=peg_name
            )
        new_socket = replace(socket, radius_mm=mean + gap / 2)
        new_peg = replace(
            peg, radius_mm=mean - gap / 2, length_mm=min(peg.length_mm, socket.length_mm - TIP_ROOM_MM)
        )
        made[peg_name], made[socket_name] = (
            _with(made[peg_name], new_peg),
            _with(made[socket_name], new_socket),
        )
        says.append(_sentence(peg_name, socket_name, peg, socket, new_peg, new_socket))
    return made, says


def _feature(outline: Outline, kind: str) -> Feature:
    found = outline.feature(kind)
    if found is None:
        shape = (
            "a straight end below a shoulder"
            if kind == "peg"
            else "two dashed lines down from the rim, closed below"
        )
        raise InputError(f"No {kind} was found in the sketch {outline.name}", todo=f"Draw it as {shape}.")
    return found


def _with(outline: Outline, feature: Feature) -> Outline:
    rest = tuple(f for f in outline.features if f.kind != feature.kind)
    return replace(outline, features=(*rest, feature))


def _sentence(
    peg_name: str, socket_name: str, peg: Feature, socket: Feature, new_peg: Feature, new_socket: Feature
) -> str:
    text = (
        f"{peg_name} and {socket_name}: peg {2 * peg.radius_mm:.2f} mm and socket {2 * socket.radius_mm:.2f} mm across as drawn, "
        f"made {2 * new_peg.radius_mm:.2f} and {2 * new_socket.radius_mm:.2f} mm"
    )
    if new_peg.length_mm < peg.length_mm - 1e-9:
        text += (
            f"; peg shortened from {peg.length_mm:.2f} to {new_peg.length_mm:.2f} mm to end above the floor"
        )
    return text
