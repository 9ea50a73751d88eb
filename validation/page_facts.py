# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report page says in words: the sentence on top, what to do next, and the facts of the take."""

from collections.abc import Mapping
from typing import Any

from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth

MOST_STEPS = 5
MICROS = 1_000_000
URGENT = {"major": 0, "unsure": 2}
LOOK = "Look, and say in Blender whether it is a fault"
"""What to do about all that is unsure."""


def sentence(data: Mapping[str, Any]) -> str:
    """The summary as a sentence, without the verdict's word before it."""
    text = str(data["summary"])
    for word in ("fail: ", "pass: ", "review: "):
        text = text.removeprefix(word)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def span_words(frames: list[int]) -> str:
    """ "21" or "21–28"."""
    first, last = frames
    return str(first) if first == last else f"{first}–{last}"


def next_steps(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What to do, most urgent first: {do, what: [[words, finding id or ""]]}."""
    steps: dict[str, list[list[str]]] = {}
    asked = set[str]()
    for finding in sorted(data["findings"], key=lambda f: URGENT.get(f["severity"], 1)):
        words = f"{finding['part'] or 'take'} {span_words(finding['frames'])}"
        unsure = finding["severity"] == "unsure"
        asked.update((finding["part"], *finding.get("others", ())) if unsure else ())
        steps.setdefault(LOOK if unsure else finding["suggestion"].rstrip("."), []).append(
            [words, finding["id"]]
        )
    if data.get("stage") == "coarse":
        steps = {"This was the quick look: run Validate in full": [], **steps}
    undecided: dict[str, list[str]] = {}
    for part in data["parts"]:
        if part["verdict"] == "review" and part.get("decidable_by") and part["name"] not in asked:
            undecided.setdefault(str(part["decidable_by"]).rstrip("."), []).append(part["name"])
    for what, names in undecided.items():
        steps[
            f"To decide about {', '.join(names[:3])}{' and others' if len(names) > 3 else ''}: {what[:1].lower()}{what[1:]}"
        ] = []
    if not steps:
        says = (
            "Look at what could not be told, and decide"
            if data["verdict"] == "review"
            else "Nothing to mend: go on to Finish"
        )
        steps = {says: []}
    return [
        {"do": f"{do[:1].upper()}{do[1:]}", "what": what} for do, what in list(steps.items())[:MOST_STEPS]
    ]


def facts(truth: GroundTruth, take: TakeFolder, data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Label and words of everything known about the take; empty ones are left out."""
    made, width_height = take.manifest.data, " × ".join(str(n) for n in take.size)
    rate = f"{truth.fps[0] / truth.fps[1]:.3f}".rstrip("0").rstrip(".")
    listed = [
        ("Timing", _timing(data["frame_map"])), ("Place", _place(data.get("fit"))), ("Levels", _levels(data.get("fit"))),
        ("May change", _intent(data.get("intent"))), ("Palette", ""), ("Look", made.get("look")),
        ("Provider", ", ".join(str(made[k]) for k in ("provider", "model") if made.get(k))),
        ("Seed", made.get("seed")), ("Mended from", made.get("parent")), ("What was mended", made.get("summary")),
        ("Cost", cost_words(made)), ("Made in", seconds_words(take.manifest.made.get("seconds"))),
        ("Picture", f"{width_height}, {rate} frames a second, {len(take.frames)} frames"),
    ]  # fmt: skip
    found: list[dict[str, Any]] = [
        {"label": label, "says": str(says)} for label, says in listed if says not in (None, "")
    ]
    if palette := (data.get("intent") or {}).get("palette"):
        found.insert(-1, {"label": "Palette", "says": "", "colours": list(palette)})
    return found


def cost_words(made: Mapping[str, Any]) -> str:
    """What the take cost, "" where nobody knows."""
    micros = made.get("cost_micros")
    if micros is None:
        return ""
    return "nothing" if not micros else f"{micros / MICROS:.2f} {made.get('currency', '')}".strip()


def seconds_words(seconds: Any) -> str:
    """ "47 s" or "3 min 20 s"; "" where nobody knows."""
    if not isinstance(seconds, int | float):
        return ""
    whole = round(seconds)
    return f"{whole} s" if whole < 90 else f"{whole // 60} min {whole % 60} s"


def _timing(pairs: list[list[int]]) -> str:
    moved = [source - frame for source, frame in pairs if source != frame]
    if not moved:
        return "Every frame shows the frame that it should."
    if len(moved) == len(pairs) and len(set(moved)) == 1:
        return f"The whole take shows what was rendered {abs(moved[0])} frames {'later' if moved[0] > 0 else 'earlier'}."
    return f"{len(moved)} of {len(pairs)} frames show another frame than their own. Everything is measured through this map."


def _place(fit: Mapping[str, Any] | None) -> str:
    if not fit:
        return ""
    scale, offset = fit.get("scale", [1, 1]), fit.get("offset_px", [0, 0])
    said = []
    if max(abs(s - 1) for s in scale) > 0.001:
        said.append(f"scaled to {100 * scale[0]:.1f} × {100 * scale[1]:.1f} %")
    if max(abs(v) for v in offset) >= 0.25:
        said.append(f"moved by {offset[0]:+.1f}, {offset[1]:+.1f} px")
    if float(fit.get("shake_px", 0)) >= 0.25:
        said.append(f"shakes by up to {fit['shake_px']:.1f} px")
    words = ", ".join(said)
    return (
        f"{words[:1].upper()}{words[1:]}. Undone before measuring." if said else "Lies exactly on the render."
    )


def _levels(fit: Mapping[str, Any] | None) -> str:
    gain, offset = (fit or {}).get("levels", [1, 0])
    if abs(gain - 1) < 0.02 and abs(offset) < 0.01:
        return ""
    return f"Contrast × {gain:.2f}, brightness {offset:+.2f}."


def _intent(intent: Mapping[str, Any] | None) -> str:
    if intent is None:
        return ""
    said = ["style"]
    if intent.get("recolour"):
        said.append("colours of parts")
    if intent.get("relight"):
        said.append("light")
    if intent.get("background") == "free":
        said.append("background")
    if intent.get("outline_px"):
        said.append(f"outlines by up to {intent['outline_px']:g} px")
    words = f"{', '.join(said)}."
    if intent.get("readable"):
        words += f" Must stay readable: {', '.join(intent['readable'])}."
    return f"{words[:1].upper()}{words[1:]}"
