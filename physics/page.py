# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof as one HTML page that an engineer can read: no script, no network, prints well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from ..pipeline.manifest import Manifest
from ..pipeline.store import read_json, write_bytes
from . import drawing
from .page_plots import motion_plots, trial_cards
from .page_tables import (
    LAB_UNITS,
    checks_table,
    controls_table,
    definitions,
    figures,
    icon,
    is_control,
    number,
    parameters,
    sentence,
    title_of,
)

MOTION_SCHEMA = "holdfast/motion"
PROOF_SCHEMA = "holdfast/proof"
PAGE = "proof.html"
SECTIONS = "sections.json"
STYLE = Path(__file__).parent / "page.css"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
VERDICTS = {
    "engaged": ("ok", "Engaged"),
    "not_engaged": ("bad", "Not engaged"),
    "inconclusive": ("open", "Inconclusive"),
}
TILES = {
    "engaged.depth": "Depth error", "engaged.turned": "Angle error", "swept.penetration": "Penetration",
    "contact.depth": "By contact", "pull.held": "Pull",
}  # fmt: skip


@dataclass(frozen=True)
class Context:
    """What the page tells beside the proof: ``motion`` the data of motion.json, ``hashes`` by name, ``made`` when
    and by what versions, ``warning`` a sentence at the top.
    """

    title: str = ""
    motion: Mapping[str, Any] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    made: Mapping[str, Any] = field(default_factory=dict)
    warning: str = ""


def render(proof: Mapping[str, Any] | Sequence[Mapping[str, Any]], context: Context | None = None) -> str:
    """The page of one proof or of several joints' proofs. What is missing in them is left out."""
    told = context or Context()
    proofs = _proofs(proof, told)
    several = len(proofs) > 1
    sections = "".join(_joint(one, told, index, several) for index, one in enumerate(proofs))
    title = told.title or " and ".join(_name(one) for one in proofs[:3])
    head = (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>Proof: {escape(title)}</title>\n'
        f"<style>{STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n"
    )
    warning = (
        f'<p class="warning">{icon("open", "warning")}{escape(told.warning)}</p>' if told.warning else ""
    )
    overview = _overview(proofs) if several else ""
    return f"{head}{warning}{overview}{sections}{_provenance(told)}</body>\n</html>\n"


def proof_page(folder: Path) -> Path:
    """Writes ``proof.html`` into a motion folder from its manifests, atomically. Returns its path.

    Raises InputError if the proof is missing or damaged, StorageError.
    """
    proven = Manifest.load(folder / "proof.json", PROOF_SCHEMA)
    motion = Manifest.find(folder / "motion.json", MOTION_SCHEMA)
    hashes = {"Proof report": proven.digest, "Motion the proof is of": str(proven.inputs.get("motion", ""))}
    data: Mapping[str, Any] = {}
    warning = ""
    if motion is not None:
        data = motion.data
        hashes = {"Motion": str(data.get("motion_hash", "")), "Motion manifest": motion.digest, **hashes}
        if proven.inputs.get("motion") != motion.digest:
            warning = "This proof is of another motion than the one beside it. Run Physics again."
    shown = ("at", "blender", "seconds", "holdfast")
    source = proven.made if motion is None else {**proven.made, **motion.made}
    made = {key: source[key] for key in shown if key in source}
    context = Context("", data, {name: value for name, value in hashes.items() if value}, made, warning)
    path = folder / PAGE
    write_bytes(path, render(_with_cuts(proven.data, folder / SECTIONS), context).encode("utf-8"))
    return path


def _with_cuts(proof: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The proof with its pictures. They lie in a file of their own, because they hang on Blender's boolean, which may round
    differently in another version, and the proof's digest must not."""
    cuts = read_json(path) if path.is_file() else {}
    named = [
        {**one, "sections": cuts.get(one.get("joint", {}).get("name"), [])} for one in proof.get("proofs", [])
    ]
    if named:
        return {**proof, "proofs": named}
    return {**proof, "sections": next(iter(cuts.values()), proof.get("sections", []))}


def _proofs(proof: Mapping[str, Any] | Sequence[Mapping[str, Any]], told: Context) -> list[dict[str, Any]]:
    """The proofs one by one, each with its joint's parameters if these are known at all."""
    if isinstance(proof, Mapping):
        inner = next((proof[key] for key in ("proofs", "joints") if isinstance(proof.get(key), list)), None)
        proof = inner or [proof]
    specs = told.motion.get("joints") or []
    result = []
    for index, one in enumerate(proof):
        spec = specs[index] if index < len(specs) and isinstance(specs[index], Mapping) else {}
        result.append({**one, "joint": one.get("joint") or spec})
    return result


def _name(proof: Mapping[str, Any]) -> str:
    joint = proof["joint"]
    if joint.get("peg") and joint.get("socket"):
        return f"{joint['peg']} in {joint['socket']}"
    return str(joint.get("name") or "Joint")


def _kind(proof: Mapping[str, Any]) -> str:
    words = str(proof["joint"].get("kind") or "").replace("_", "-").lower()
    return words[:1].upper() + words[1:]


def _verdict(proof: Mapping[str, Any]) -> tuple[str, str]:
    given = str(proof.get("verdict", "inconclusive"))
    return VERDICTS.get(given, ("open", title_of(given)))


def _badge(proof: Mapping[str, Any]) -> str:
    kind, word = _verdict(proof)
    return f'<span class="verdict {kind}">{icon(kind, word)}<b>{escape(word)}</b></span>'


def _overview(proofs: Sequence[Mapping[str, Any]]) -> str:
    """The summary over several joints."""
    good = sum(_verdict(one)[0] == "ok" for one in proofs)
    rows = "".join(
        f'<tr><td>{_badge(one)}</td><td><a href="#joint-{index + 1}"><b>{escape(_name(one))}</b></a> {escape(_kind(one))}'
        f"<br>{escape(str(one.get('says', '')))}</td></tr>"
        for index, one in enumerate(proofs)
    )
    heading = f"{good} of {len(proofs)} joints engaged"
    return f'<section class="overview"><h1>{heading}</h1><table>{rows}</table></section>'


def _joint(proof: Mapping[str, Any], told: Context, index: int, several: bool) -> str:
    """Everything about one joint."""
    checks = [check for check in proof.get("checks") or [] if isinstance(check, Mapping)]
    by_id = {str(check.get("id", "")): check for check in checks}
    lab, kit = proof.get("lab") or {}, proof.get("kit") or {}
    tests = {name: test for name, test in (proof.get("tests") or {}).items() if isinstance(test, Mapping)}
    lowest = None
    if isinstance(kit.get("depth"), float) and isinstance(kit.get("lift"), float):
        lowest = round((kit["depth"] - kit["lift"]) * 1e3 - 0.01, 6)
    fps = lab.get("fps") if isinstance(lab.get("fps"), int | float) else None
    motion = motion_plots(proof.get("motion") or {}, by_id, told.motion.get("events") or {}, proof["joint"])
    trials = trial_cards(tests, checks, fps, lowest)
    failed = [check for check in checks if not check.get("ok")]
    faults = "".join(f"<li>{icon('bad', 'failed')}{sentence(c)}</li>" for c in failed)
    level = "h2" if several else "h1"
    return (
        f'<main id="joint-{index + 1}"><header class="top">{_badge(proof)}<div><{level}>{escape(_name(proof))}</{level}>'
        f'<p class="kind">{escape(_kind(proof))}</p></div></header><p class="lead">{escape(str(proof.get("says", "")))}</p>'
        + (f'<ul class="faults">{faults}</ul>' if faults else "")
        + _tiles(proof, checks, by_id)
        + drawing.figures(proof.get("sections") or [], f"j{index}")
        + _block("What was tested", f"<p>{_tested(proof, told, checks)}</p>", "prose")
        + _block("The motion", motion)
        + _block("Checks", checks_table(checks))
        + _block("Negative controls", f'<p class="hint">{CONTROLS}</p>{controls_table(checks)}')
        + _block("Trials", trials)
        + _block("Parameters", _parameters(proof))
        + "</main>"
    )


CONTROLS = (
    "Each is a fault planted on purpose. A proof whose faults go unseen proves nothing, so that every one must fail, "
    "else the verdict is inconclusive."
)


def _block(title: str, body: str, kind: str = "") -> str:
    return f'<section class="block {kind}"><h2>{title}</h2>{body}</section>' if body else ""


def _tiles(
    proof: Mapping[str, Any], checks: Sequence[Mapping[str, Any]], by_id: Mapping[str, Mapping[str, Any]]
) -> str:
    """The figures that are asked for first."""
    tiles = []
    for name, label in TILES.items():
        if name not in by_id:
            continue
        value, limit = figures(by_id[name])
        pull = proof["joint"].get("pull_n")
        if name == "pull.held" and pull is not None:
            value, limit = f"{number(pull)} N", value
        tiles.append((label, value, limit, bool(by_id[name].get("ok"))))
    for label, chosen in (
        ("Checks", [c for c in checks if not is_control(c)]),
        ("Faults caught", [c for c in checks if is_control(c)]),
    ):
        good = sum(bool(check.get("ok")) for check in chosen)
        if chosen:
            tiles.append(
                (
                    label,
                    f"{good} of {len(chosen)}",
                    "passed" if label == "Checks" else "of those planted",
                    good == len(chosen),
                )
            )
    return '<div class="tiles">' + "".join(
        f'<div class="tile {"ok" if ok else "bad"}"><span>{icon("ok" if ok else "bad", "passed" if ok else "failed")}{label}</span>'
        f"<b>{value}</b><small>{limit}</small></div>"
        for label, value, limit, ok in tiles
    ) + "</div>"  # fmt: skip


def _tested(proof: Mapping[str, Any], told: Context, checks: Sequence[Mapping[str, Any]]) -> str:
    """What was done, in one paragraph."""
    joint, motion = proof["joint"], proof.get("motion") or {}
    told_frames = told.motion.get("frames") or []
    words = [f"The joint of <b>{escape(_name(proof))}</b>"]
    if joint.get("depth_mm") is not None and joint.get("twist_deg") is not None:
        words.append(f"({number(joint['depth_mm'])} mm deep, {number(joint['twist_deg'])}° to lock)")
    words.append(
        "was measured on the animation keys as they are in the file, read back through Blender's own evaluation"
    )
    if motion.get("times"):
        words.append(f"at {len(motion['times'])} moments")
    if len(told_frames) == 2:
        words.append(f"of frames {number(told_frames[0])} to {number(told_frames[1])}")
    text = " ".join(words) + ". "
    tests = proof.get("tests") or {}
    if tests:
        text += (
            f"Then the same lock went through {len(tests)} trials in a throw-away scene, where nothing but rigid-body contact "
            f"holds it. "
        )
    controls = sum(is_control(check) for check in checks)
    if controls:
        text += f"{controls} faults were planted to show that the checks can fail. "
    protocol = proof.get("protocol") or []
    for one in protocol if isinstance(protocol, list) else [protocol]:
        if isinstance(one, Mapping) and one.get("name"):
            text += f"Protocol: <b>{escape(str(one['name']))}</b>"
            text += f" ({escape(str(one['source']))}). " if one.get("source") else ". "
    return text.strip()


def _parameters(proof: Mapping[str, Any]) -> str:
    """Joint and lab with units; the kit in SI, folded."""
    lab = definitions("Settings of the lab", parameters(proof.get("lab") or {}, LAB_UNITS))
    kit = definitions("Kit, in metres and radians", parameters(proof.get("kit") or {}, {"": ""}))
    tables = definitions("Joint", parameters(proof["joint"])) + lab
    tables += f"<details open><summary>Geometry of the kit</summary>{kit}</details>" if kit else ""
    return f'<div class="columns">{tables}</div>' if tables else ""


def _provenance(told: Context) -> str:
    """Hashes and versions at the foot."""
    names = {"at": "Made", "blender": "Blender", "seconds": "Seconds", "holdfast": "Holdfast"}
    hashes = definitions(
        "Hashes", [(name, f"<code>{escape(value)}</code>", "") for name, value in told.hashes.items()], "wide"
    )
    made = definitions(
        "Made", [(names.get(key, title_of(key)), number(value), "") for key, value in told.made.items()]
    )
    return (
        f'<footer><div class="columns">{hashes}{made}</div></footer>'
        if hashes or made
        else "<footer></footer>"
    )
