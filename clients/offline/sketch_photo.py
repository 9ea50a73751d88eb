# SPDX-License-Identifier: GPL-3.0-or-later
"""From the file of a photographed drawing to the flat sheet of paper, seen square on."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from ...pipeline.errors import InputError

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]
LONG_SIDE_PX = 2000
SMALLEST_PX = 200
MOST_PIXELS = 120_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
SHEETS = (1 / 2**0.5, 8.5 / 11, 1.0, 11 / 8.5, 2**0.5)  # width to height: A series, letter, square
_AGAIN = "Take or scan the picture again and choose that file."


@dataclass(frozen=True)
class Photo:
    """(H, W, 3) uint8 sRGB picture, longest side at most 2000 px; 35 mm equivalent focal length, 0 if unknown."""

    rgb: U8
    focal_35mm: float = 0.0


@dataclass(frozen=True)
class FlatSheet:
    """(H, W, 3) uint8 sRGB sheet seen square on; ``corners_px`` (4, 2) in the photo or None if no border was seen."""

    rgb: U8
    corners_px: F64 | None
    says: str


def read_photo(path: Path | str) -> Photo:
    """Reads a photograph or scan upright (EXIF honoured), reduced while decoding.

    Raises InputError for a missing file, one that is no picture, is cut short, is too small or would not fit in memory.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(
            f"The sketch {path.name} is missing", where=str(path), todo="Choose the picture again."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                return _decode(image, path)
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        bomb = isinstance(error, Image.DecompressionBombError)
        raise _too_large(path) if bomb else _no_picture(path) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise InputError(
            f"The sketch {path.name} is damaged or cut short", where=str(path), todo=_AGAIN
        ) from error


def _no_picture(path: Path) -> InputError:
    todo = "Choose a photo or scan of the drawing (JPEG, PNG, WebP or TIFF)."
    return InputError(f"{path.name} is not a picture", where=str(path), todo=todo)


def _too_large(path: Path) -> InputError:
    todo = "Save it smaller; 12 megapixels are plenty."
    return InputError(
        f"The sketch {path.name} has more than {MOST_PIXELS // 10**6} megapixels", where=str(path), todo=todo
    )


def _decode(image: Image.Image, path: Path) -> Photo:
    if image.width * image.height > MOST_PIXELS:
        raise _too_large(path)
    if min(image.size) < SMALLEST_PX:
        size = f"{image.width} x {image.height} px"
        todo = f"It needs at least {SMALLEST_PX} px on each side; better 1000."
        raise InputError(f"The sketch {path.name} is too small ({size})", where=str(path), todo=todo)
    exif = image.getexif()
    focal = exif.get_ifd(0x8769).get(0xA405, 0) if exif else 0
    image.draft("RGB", (LONG_SIDE_PX, LONG_SIDE_PX))
    if image.mode.startswith(("I", "F")):
        grey = np.asarray(image, np.float64)
        image = Image.fromarray((255 * (grey - grey.min()) / max(float(np.ptp(grey)), 1e-9)).astype(np.uint8))
    upright = ImageOps.exif_transpose(image)
    if "A" in upright.getbands() or "transparency" in upright.info:
        rgba = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", rgba.size, (255, 255, 255, 255)), rgba)
    rgb = np.asarray(upright.convert("RGB"))
    scale = LONG_SIDE_PX / max(rgb.shape[:2])
    if scale < 1:
        rgb = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    try:
        focal_mm = float(focal)
    except (TypeError, ValueError, ZeroDivisionError):
        focal_mm = 0.0
    return Photo(np.ascontiguousarray(rgb), focal_mm if 10 <= focal_mm <= 200 else 0.0)


def flatten_sheet(photo: Photo) -> FlatSheet:
    """Finds the sheet's four borders and undoes the perspective; without borders the whole picture is the sheet."""
    quad = find_sheet(photo.rgb)
    if quad is None:
        return FlatSheet(
            photo.rgb, None, "no border of the sheet in view: the whole picture is taken as the sheet"
        )
    aspect = sheet_aspect(quad, photo.rgb.shape[1], photo.rgb.shape[0], photo.focal_35mm)
    top, right, bottom, left = (float(np.linalg.norm(quad[(k + 1) % 4] - quad[k])) for k in range(4))
    area = max((top + bottom) / 2 * (left + right) / 2, 1.0)
    height = min((area / aspect) ** 0.5 * 1.08, LONG_SIDE_PX / max(aspect, 1))
    size = (round(height * aspect), round(height))
    goal = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
    warp = cv2.getPerspectiveTransform(quad.astype(np.float32), goal)
    flat = cv2.warpPerspective(photo.rgb, warp, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return FlatSheet(np.asarray(flat, np.uint8), quad, f"sheet found, {_shape_name(aspect)}")


def _shape_name(aspect: float) -> str:
    long = max(aspect, 1 / aspect)
    for name, value in (("A-series paper", 2**0.5), ("letter paper", 11 / 8.5), ("square", 1.0)):
        if abs(long - value) < 1e-6:
            return name
    return f"sides {long:.2f} to 1"


def sheet_aspect(quad: F64, width: int, height: int, focal_35mm: float = 0.0) -> float:
    """Width to height of the rectangle whose photograph is ``quad`` (4, 2: top left, clockwise, px).

    Zhang and He, "Whiteboard scanning and image enhancement" (2007), eq. 11 and 20; a sheet within 5 % of a common
    paper size is that size.
    """
    m = np.c_[quad - (width / 2, height / 2), np.ones(4)]
    m1, m2, m4, m3 = m
    k2 = np.dot(np.cross(m1, m4), m3) / np.dot(np.cross(m2, m4), m3)
    k3 = np.dot(np.cross(m1, m4), m2) / np.dot(np.cross(m3, m4), m2)
    n2, n3 = k2 * m2 - m1, k3 * m3 - m1
    focal = _focal_px(n2, n3, max(width, height), float(np.hypot(width, height)), focal_35mm)
    u, v = (np.array([n[0] / focal, n[1] / focal, n[2]]) for n in (n2, n3))
    aspect = float(np.linalg.norm(u) / np.linalg.norm(v))
    nearest = min(SHEETS, key=lambda s: abs(np.log(aspect / s)))
    return nearest if abs(np.log(aspect / nearest)) < 0.05 else aspect


def _focal_px(n2: F64, n3: F64, long: int, diagonal: float, focal_35mm: float) -> float:
    if focal_35mm:
        return focal_35mm / 43.27 * diagonal
    bottom = n2[2] * n3[2]
    square = -(n2[0] * n3[0] + n2[1] * n3[1]) / bottom if abs(bottom) > 1e-9 else -1.0
    focal = square**0.5 if square > 0 else 0.0
    return float(focal) if 0.6 * long < focal < 2.0 * long else 0.85 * long


def find_sheet(rgb: U8) -> F64 | None:
    """The sheet's corners (4, 2) px, top left first, clockwise; None if no four-sided sheet stands out."""
    scale = 500 / max(rgb.shape[:2])
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(cv2.medianBlur(small, 5).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    tint = np.hypot(lab[..., 1], lab[..., 2]) / np.maximum(lab[..., 0], 4)  # the same in light and in shadow
    best: tuple[float, F64 | None] = (0.0, None)
    for mask in _paper_masks(lab, tint):
        quad = _quad(mask)
        if quad is None:
            continue
        fit = _fit(mask, quad) * _border_contrast(lab, quad)
        score = fit * _one_tint(tint, quad)  # rather the whole sheet than its part in the light
        if fit > 0.55 and score > best[0]:
            best = (score, quad)
    return best[1] / scale if best[1] is not None else None


def _one_tint(tint: NDArray[np.float32], quad: F64) -> float:
    """Grows with the area of the quad, as far as it is of one tint throughout."""
    inside = cv2.fillConvexPoly(np.zeros(tint.shape, np.uint8), np.round(quad).astype(np.int32), 1) > 0
    values = tint[inside]
    alike = np.abs(values - np.median(values)) < 0.08
    return float(alike.mean()) ** 2 * float(inside.mean()) ** 0.5


def _paper_masks(lab: NDArray[np.float32], tint: NDArray[np.float32]) -> list[U8]:
    light = np.clip(lab[..., 0] * 2.55, 0, 255).astype(np.uint8)
    middle = lab[lab.shape[0] // 4 : -lab.shape[0] // 4, lab.shape[1] // 4 : -lab.shape[1] // 4].reshape(
        -1, 3
    )
    paper = np.median(middle[middle[:, 0] >= np.median(middle[:, 0])], axis=0)
    chroma = np.clip(np.hypot(lab[..., 1] - paper[1], lab[..., 2] - paper[2]) * 6, 0, 255).astype(np.uint8)
    far = np.clip(np.linalg.norm((lab - paper) * (0.6, 1.6, 1.6), axis=-1) * 4, 0, 255).astype(np.uint8)
    shown = np.clip(tint / max(float(np.percentile(tint, 98)), 1e-3) * 255, 0, 255).astype(np.uint8)
    masks = []
    for picture, sign in (
        (light, cv2.THRESH_BINARY),
        (chroma, cv2.THRESH_BINARY_INV),
        (far, cv2.THRESH_BINARY_INV),
        (shown, cv2.THRESH_BINARY_INV),
    ):
        level, mask = cv2.threshold(picture, 0, 255, sign | cv2.THRESH_OTSU)
        masks += [mask, *(cv2.threshold(picture, level * factor, 255, sign)[1] for factor in (0.8, 1.2))]
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    closed = [cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel) for mask in masks]
    return [np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel), np.uint8) for mask in closed]


def _quad(mask: U8) -> F64 | None:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    contour = max(contours, key=cv2.contourArea)
    if cv2.contourArea(contour) < 0.12 * mask.size:
        return None
    hull = cv2.convexHull(contour)
    for tolerance in np.linspace(0.01, 0.08, 15):
        corners = cv2.approxPolyDP(hull, float(tolerance) * cv2.arcLength(hull, True), True)
        if len(corners) <= 4:
            break
    if len(corners) != 4 or not cv2.isContourConvex(corners):
        return None
    return _refine(corners[:, 0].astype(float), contour[:, 0].astype(float))


def _refine(corners: F64, contour: F64) -> F64 | None:
    """Straight lines fitted to each side of the contour, intersected: a bent or torn corner does not count."""
    lines = []
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = (b - a) / np.linalg.norm(b - a)
        rel = contour - a
        at, off = rel @ along, rel @ np.array([-along[1], along[0]])
        length = np.linalg.norm(b - a)
        side = contour[(np.abs(off) < 0.04 * length + 4) & (at > 0.08 * length) & (at < 0.92 * length)]
        if len(side) < 10:
            return None
        vx, vy, x, y = cv2.fitLine(side.astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
        lines.append(np.array([vy, -vx, vx * y - vy * x], float))
    points = [np.cross(lines[k - 1], lines[k]) for k in range(4)]
    if any(abs(p[2]) < 1e-6 for p in points):
        return None
    quad = np.array([p[:2] / p[2] for p in points])
    order = np.argsort(np.arctan2(*(quad - quad.mean(0)).T[::-1]))
    quad = quad[order]
    return np.roll(quad, -int(np.argmin(quad.sum(1))), axis=0)


def _fit(mask: U8, quad: F64) -> float:
    drawn = cv2.fillConvexPoly(np.zeros_like(mask), np.round(quad).astype(np.int32), 255)
    area = np.count_nonzero(drawn) / mask.size
    if not 0.12 < area < 0.985:
        return 0.0
    union = np.count_nonzero(mask | drawn)
    overlap = np.count_nonzero(mask & drawn) / max(union, 1)
    return float(overlap) if overlap > 0.9 else 0.0


def _border_contrast(lab: NDArray[np.float32], quad: F64) -> float:
    """Share of the visible border across which the colour jumps; 0 if two sides or more lie on the picture's edge."""
    h, w = lab.shape[:2]
    share, on_edge = [], 0
    centre = quad.mean(0)
    for a, b in zip(quad, np.roll(quad, -1, axis=0), strict=True):
        points = a + (b - a) * np.linspace(0.06, 0.94, 60)[:, None]
        normal = np.array([b[1] - a[1], a[0] - b[0]]) / np.linalg.norm(b - a)
        normal = normal if normal @ (points.mean(0) - centre) > 0 else -normal
        inner, outer = points - 5 * normal, points + 5 * normal
        good = ((outer >= 0) & (outer <= (w - 1, h - 1)) & (inner >= 0) & (inner <= (w - 1, h - 1))).all(1)
        if good.mean() < 0.5:
            on_edge += 1
            continue
        i, o = np.round(inner[good]).astype(int), np.round(outer[good]).astype(int)
        jump = np.linalg.norm(lab[i[:, 1], i[:, 0]] - lab[o[:, 1], o[:, 0]], axis=1)
        share.append(float((jump > 7).mean()))
    return float(np.min(share)) ** 0.5 if on_edge <= 1 and share else 0.0
