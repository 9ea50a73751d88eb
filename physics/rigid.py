# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigid transforms with sums, products and square roots only, so that the last bit is the same everywhere.

Transforms are (..., 4, 4) float64 arrays that act on column vectors; quaternions are (w, x, y, z).
IEEE 754 fixes + - * / and sqrt; sine and cosine of the system's maths library and BLAS products are not fixed.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

_COSINE = (1.0, -1 / 2, 1 / 24, -1 / 720, 1 / 40320, -1 / 3628800, 1 / 479001600)
_SINE = (1.0, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880, -1 / 39916800, 1 / 6227020800)


def sine_cosine(angle: float) -> tuple[float, float]:
    """(sin, cos) of an angle in radians by series on a 16th of it and four doublings; error below 1e-14 to 2 pi."""
    x = angle / 16.0
    square = x * x
    sine = cosine = 0.0
    for s, c in zip(reversed(_SINE), reversed(_COSINE), strict=True):
        sine = sine * square + s
        cosine = cosine * square + c
    sine *= x
    for _ in range(4):
        sine, cosine = 2.0 * sine * cosine, 1.0 - 2.0 * sine * sine
    return sine, cosine


def multiply(*transforms: Array) -> Array:
    """The product of (..., 4, 4) transforms, summed in one fixed order."""
    result = transforms[0]
    for other in transforms[1:]:
        total = result[..., :, 0, None] * other[..., None, 0, :]
        for k in range(1, 4):
            total = total + result[..., :, k, None] * other[..., None, k, :]
        result = total
    return result


def translation(vector: ArrayLike) -> Array:
    """The 4x4 transform that moves by ``vector`` (3,) in metres."""
    matrix = np.eye(4)
    matrix[:3, 3] = vector
    return matrix


def rotation(axis: int, angle: float) -> Array:
    """The 4x4 rotation by ``angle`` radians about the coordinate axis 0, 1 or 2, right-handed."""
    sine, cosine = sine_cosine(angle)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(4)
    matrix[i, i] = matrix[j, j] = cosine
    matrix[i, j], matrix[j, i] = -sine, sine
    return matrix


def inverse(transform: Array) -> Array:
    """The inverse of rigid (..., 4, 4) transforms (rotation and translation, no scale)."""
    result = np.zeros_like(transform)
    turned = np.swapaxes(transform[..., :3, :3], -1, -2)
    result[..., :3, :3] = turned
    shift = transform[..., :3, 3]
    result[..., :3, 3] = -(
        turned[..., :, 0] * shift[..., 0, None]
        + turned[..., :, 1] * shift[..., 1, None]
        + turned[..., :, 2] * shift[..., 2, None]
    )
    result[..., 3, 3] = 1.0
    return result


def move_points(transform: Array, points: Array) -> Array:
    """(N, 3) points moved by one 4x4 transform."""
    turned = transform[:3, :3]
    moved: Array = (
        points[:, 0, None] * turned[:, 0]
        + points[:, 1, None] * turned[:, 1]
        + points[:, 2, None] * turned[:, 2]
        + transform[:3, 3]
    )
    return moved


def from_quaternion(quaternion: ArrayLike) -> Array:
    """The 4x4 rotation of a quaternion (w, x, y, z) of any length but zero."""
    w, x, y, z = np.asarray(quaternion, dtype=np.float64).tolist()
    s = 2.0 / (w * w + x * x + y * y + z * z)
    return np.array((
        (1.0 - s * (y * y + z * z), s * (x * y - w * z), s * (x * z + w * y), 0.0),
        (s * (x * y + w * z), 1.0 - s * (x * x + z * z), s * (y * z - w * x), 0.0),
        (s * (x * z - w * y), s * (y * z + w * x), 1.0 - s * (x * x + y * y), 0.0),
        (0.0, 0.0, 0.0, 1.0),
    ))  # fmt: skip


def to_quaternion(matrix: Array) -> Array:
    """The unit quaternion (w, x, y, z), w >= 0, of the rotation in a 3x3 or 4x4 matrix (Shepperd's method).

    On plain numbers, which are several times quicker here than numpy's.
    """
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = matrix[:3, :3].tolist()
    squares = (1.0 + xx + yy + zz, 1.0 + xx - yy - zz, 1.0 - xx + yy - zz, 1.0 - xx - yy + zz)
    largest = squares.index(max(squares))
    d = math.sqrt(squares[largest])
    a, b, c = zy - yz, xz - zx, yx - xy
    e, f, g = yx + xy, xz + zx, zy + yz
    row = ((d * d, a, b, c), (a, d * d, e, f), (b, e, d * d, g), (c, f, g, d * d))[largest]
    w, x, y, z = (value / (2.0 * d) for value in row)
    length = math.copysign(math.sqrt(w * w + x * x + y * y + z * z), w if w else 1.0)
    return np.array((w / length, x / length, y / length, z / length))


def to_quaternions(matrices: Array) -> Array:
    """(F, 4) unit quaternions of (F, 3, 3) rotations, with the same bits as ``to_quaternion`` of each."""
    m = np.moveaxis(matrices, 0, -1)
    squares = np.stack((
        1.0 + m[0, 0] + m[1, 1] + m[2, 2], 1.0 + m[0, 0] - m[1, 1] - m[2, 2],
        1.0 - m[0, 0] + m[1, 1] - m[2, 2], 1.0 - m[0, 0] - m[1, 1] + m[2, 2]))  # fmt: skip
    largest = squares.argmax(axis=0)
    d = np.sqrt(squares.max(axis=0))
    a, b, c = m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]
    e, f, g = m[1, 0] + m[0, 1], m[2, 0] + m[0, 2], m[2, 1] + m[1, 2]
    rows = np.array(((d * d, a, b, c), (a, d * d, e, f), (b, e, d * d, g), (c, f, g, d * d)))
    found = rows[largest, :, np.arange(len(matrices))] / (2.0 * d)[:, None]
    found = found / np.sqrt((found * found).sum(axis=1))[:, None]
    return np.where(found[:, :1] < 0.0, -found, found)


def continuous(quaternions: Array) -> Array:
    """(F, 4) quaternions with signs chosen so that neighbours lie on one hemisphere."""
    signs = [1.0]
    for dot in (quaternions[1:] * quaternions[:-1]).sum(axis=1).tolist():
        signs.append(-1.0 if signs[-1] * dot < 0.0 else 1.0)
    return quaternions * np.array(signs[: len(quaternions)])[:, None]


def between(before: Array, after: Array, share: float) -> Array:
    """The (4, 4) rigid pose at ``share`` 0..1 of the way between two, as linear keys give it."""
    if share <= 0.0 or share >= 1.0:
        return before if share <= 0.0 else after
    a, b = to_quaternion(before), to_quaternion(after)
    b = b if float((a * b).sum()) >= 0.0 else -b
    made = from_quaternion((1.0 - share) * a + share * b)
    made[:3, 3] = (1.0 - share) * before[:3, 3] + share * after[:3, 3]
    return made


def with_midpoints(poses: Array) -> Array:
    """(F, 4, 4) rigid poses with the pose between each two, as linear keys give it: (2F - 1, 4, 4)."""
    turns = to_quaternions(poses[:, :3, :3])
    a, b = turns[:-1], turns[1:]
    b = np.where((a * b).sum(axis=1)[:, None] >= 0.0, b, -b)
    result = np.empty((2 * len(poses) - 1, 4, 4))
    result[::2] = poses
    for index, quaternion in enumerate(0.5 * a + 0.5 * b):
        result[2 * index + 1] = from_quaternion(quaternion)
    result[1::2, :3, 3] = 0.5 * poses[:-1, :3, 3] + 0.5 * poses[1:, :3, 3]
    return result


def frame(origin: ArrayLike, axis: ArrayLike, reference: ArrayLike = (1.0, 0.0, 0.0)) -> Array:
    """The 4x4 frame at ``origin`` with z along ``axis`` and x as near to ``reference`` as it can be.

    Raises ValueError for an axis of length zero.
    """
    z = np.asarray(axis, dtype=np.float64)
    length = float(np.sqrt((z * z).sum()))
    if not length > 1e-9:
        raise ValueError("an axis needs a length")
    z = z / length
    x = np.asarray(reference, dtype=np.float64)
    x = x - z * (x * z).sum()
    if float((x * x).sum()) < 1e-6:
        x = np.array((0.0, 1.0, 0.0)) - z * z[1]
    x = x / np.sqrt((x * x).sum())
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 2] = x, z
    matrix[:3, 1] = (z[1] * x[2] - z[2] * x[1], z[2] * x[0] - z[0] * x[2], z[0] * x[1] - z[1] * x[0])
    matrix[:3, 3] = origin
    return matrix
