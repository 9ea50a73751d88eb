# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a contract before anything is sent: one ordered table of rules."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import rules_against, rules_parts, rules_text
from .contract import PromptContract
from .reading import ERROR, HINT, SEVERITIES, WARNING, About, Case, Found


@dataclass(frozen=True)
class Rule:
    """``says`` in general what the rule is about."""

    id: str
    severity: str
    says: str
    check: Callable[[Case], Iterator[Found]]


RULES: tuple[Rule, ...] = (
    Rule("no-change", ERROR, "Nothing is said about what changes", rules_text.no_change),
    Rule("no-keep", ERROR, "Nothing is said about what must not change", rules_text.no_keep),
    Rule("no-parts", ERROR, "The list of parts is empty", rules_parts.no_parts),
    Rule("part-unnamed", ERROR, "A part of the shot is named neither in Parts nor in Keep", rules_parts.part_unnamed),
    Rule("change-and-keep", ERROR, "Change and Keep name the same thing", rules_against.change_and_keep),
    Rule("deforms-part", ERROR, "A word that invites deformation is said of a part", rules_parts.deforms_part),
    Rule("hides-part", ERROR, "A part is taken out of the picture", rules_parts.hides_part),
    Rule("forbids-part", ERROR, "Negative names a part", rules_parts.forbids_part),
    Rule("asked-and-forbidden", ERROR, "Change and Negative name the same thing", rules_against.asked_and_forbidden),
    Rule("background-moves", ERROR, "The background is to move, and must stay", rules_against.background_moves),
    Rule("outside-palette", ERROR, "A colour is asked for that the palette does not have", rules_against.outside_palette),
    Rule("colour-over-time", ERROR, "Colours are to change, and must not", rules_against.colour_over_time),
    Rule("light-over-time", ERROR, "The light is to change, and must not", rules_against.light_over_time),
    Rule("camera-moves", ERROR, "Camera words against a locked camera", rules_against.camera_moves),
    Rule("camera-locked", ERROR, "A locked camera against one that moves", rules_against.camera_locked),
    Rule("retimes", ERROR, "The time of the clip is to change", rules_against.retimes),
    Rule("readable-unknown", ERROR, "What must be readable is no part of the shot", rules_parts.readable_unknown),
    Rule("reference-missing", ERROR, "A reference does not exist", rules_text.reference_missing),
    Rule("too-long", ERROR, "Longer than the chosen model takes", rules_text.too_long),
    Rule("double-negative", ERROR, "A “no” in Negative asks for the thing", rules_text.double_negative),
    Rule("part-unknown", WARNING, "A part that the shot does not have", rules_parts.part_unknown),
    Rule("new-background", WARNING, "A new background, and it must stay one place", rules_against.new_background),
    Rule("adds-part", WARNING, "A part is asked for more than once", rules_parts.adds_part),
    Rule("negative-words", WARNING, "A “no” in the positive text", rules_text.negative_words),
    Rule("promises", WARNING, "Words that promise what no model holds", rules_text.promises),
    Rule("too-many", WARNING, "More demands than a model follows", rules_text.too_many),
    Rule("references-refused", WARNING, "The model does not take these pictures", rules_text.references_refused),
    Rule("reference-bare", WARNING, "A reference without what is taken from it", rules_text.reference_bare),
    Rule("weights", WARNING, "Notation that few models know", rules_text.weights),
    Rule("deforms-something", HINT, "A word that invites deformation is said of nothing named", rules_parts.deforms_something),
    Rule("empty", HINT, "A field is empty", rules_text.empty),
    Rule("twice", HINT, "A line stands twice", rules_text.twice),
    Rule("praise", HINT, "Words that can't be seen", rules_text.praise),
)  # fmt: skip
"""In the order in which findings are listed: errors first."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: the rule, where (field, number of the line from 0 or -1 for all of it, start and end in
    that line; 0, 0 is the whole line), what, and what to do."""

    rule: str
    severity: str
    says: str
    todo: str
    field: str
    index: int
    start: int
    end: int


def lint(contract: PromptContract, about: About | None = None) -> list[Finding]:
    """Everything that the rules find, errors first; equal for equal contracts."""
    case = Case(contract, about or About())
    found = dict[Finding, None]()
    for rule in RULES:
        for each in rule.check(case):
            where = (each.field, each.index, each.start, each.end)
            found[Finding(rule.id, rule.severity, each.says, each.todo, *where)] = None
    return list(found)


def worst(findings: list[Finding]) -> str:
    """The worst severity among findings; "" for none."""
    return next((each for each in SEVERITIES if any(one.severity == each for one in findings)), "")
