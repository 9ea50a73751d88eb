# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside a child Blender: PNG frames through the sequencer into H.264 or FFV1.

``blender -b --factory-startup --python-exit-code 1 --python encode_in_blender.py -- request.json``, or with bpy
as a module ``python encode_in_blender.py request.json``. The request is ``encode.Clip`` and ``out``.
"""

import json
import sys
from pathlib import Path
from typing import Any

import bpy


def image_strip(editor: Any, folder: Path, count: int) -> None:
    """One strip with every frame. Blender 5.0 renamed ``sequences`` to ``strips``."""
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    strip = strips.new_image(name="comp", filepath=str(folder / "0001.png"), channel=1, frame_start=1)
    for number in range(2, count + 1):
        strip.elements.append(f"{number:04d}.png")
    strip.frame_final_duration = count


def set_output(scene: Any, request: dict[str, Any]) -> None:
    """H.264 in MP4, or FFV1 in Matroska. 5.0 wants the media type first; before 5.2 the rate factor comes in named steps
    only, of which the finest is not 4:2:0: what must be exact gets a bit rate that it never needs."""
    image = scene.render.image_settings
    if hasattr(image, "media_type"):
        image.media_type = "VIDEO"
    image.file_format = "FFMPEG"
    image.color_mode = "RGB"
    ffmpeg = scene.render.ffmpeg
    if request["codec"] == "ffv1":
        ffmpeg.format, ffmpeg.codec, ffmpeg.audio_codec, ffmpeg.gopsize = "MKV", "FFV1", "NONE", 1
        return
    ffmpeg.format, ffmpeg.codec, ffmpeg.audio_codec = "MPEG4", "H264", "NONE"
    ffmpeg.ffmpeg_preset = "GOOD"
    ffmpeg.gopsize = max(round(request["fps"][0] / request["fps"][1]), 1)
    if request["exact"]:
        enough = round(
            4 * request["size"][0] * request["size"][1] * request["fps"][0] / request["fps"][1] / 1000
        )
        ffmpeg.constant_rate_factor, ffmpeg.minrate = "NONE", 0
        ffmpeg.video_bitrate, ffmpeg.maxrate, ffmpeg.buffersize = enough, 2 * enough, 2 * enough
    elif hasattr(ffmpeg, "custom_constant_rate_factor"):
        ffmpeg.constant_rate_factor = "CUSTOM"
        ffmpeg.custom_constant_rate_factor = request["crf"]
    else:
        steps = {"LOSSLESS": 0, "PERC_LOSSLESS": 17, "HIGH": 20, "MEDIUM": 23, "LOW": 26}
        ffmpeg.constant_rate_factor = min(steps, key=lambda name: abs(steps[name] - request["crf"]))


def encode(request: dict[str, Any]) -> None:
    """Display pixels go through unchanged: view Standard, no look, no dither, sRGB sequencer space."""
    scene: Any = bpy.data.scenes.new("Holdfast master")
    render = scene.render
    render.resolution_x, render.resolution_y = request["size"]
    render.resolution_percentage = 100
    render.fps, render.fps_base = request["fps"][0], request["fps"][1]
    if request["fps"][1] > 1:  # 24000/1001 is kept as 24 / 1.001
        render.fps, render.fps_base = round(request["fps"][0] / 1000), request["fps"][1] / 1000
    render.dither_intensity = 0.0
    render.use_sequencer, render.use_compositing = True, False
    render.use_file_extension = False
    render.filepath = request["out"]
    scene.display_settings.display_device = "sRGB"
    scene.view_settings.view_transform, scene.view_settings.look = "Standard", "None"
    scene.frame_start, scene.frame_end = 1, request["count"]
    image_strip(scene.sequence_editor_create(), Path(request["folder"]), request["count"])
    set_output(scene, request)
    bpy.ops.render.render(animation=True, scene=scene.name)


if __name__ == "__main__":
    encode(json.loads(Path(sys.argv[-1]).read_text(encoding="utf-8")))
