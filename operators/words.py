# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person says of a finding: a fault to repair, a fault to leave, or none at all; and the switch that follows."""

from typing import TYPE_CHECKING, Any, Final

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

from ..pipeline.errors import HoldfastError, InputError
from ..pipeline.ledger import Ledger
from ..pipeline.words import say, word_on
from ..properties_validate import names_in
from . import locate, state_cache
from .view import title_of

Result = set[str]
WORDS: Final = (
    ("ACCEPTED", "Accept", "It is a fault: repair it", "TOOL_SETTINGS", 0),
    ("REJECTED", "Leave to Me", "It is a fault, but a person takes it: Repair leaves it alone", "USER", 1),
    (
        "NOT_A_FAULT",
        "Not a Fault",
        "It is right as it is: a false alarm, which no longer counts",
        "HIDE_ON",
        2,
    ),
    ("TAKE_BACK", "Take Back", "Nothing was said of it", "LOOP_BACK", 3),
)
ICONS: Final[dict[str, Any]] = {name.lower(): icon for name, _label, _says, icon, _number in WORDS}
_ledgers: dict[str, Ledger] = {}
"""One writer a folder for as long as Blender runs."""


def of(shown: state_cache.Shown, finding: dict[str, Any]) -> Any:
    """The word that counts on a finding of the take that is looked at, or None."""
    return word_on(shown.words.get(shown.take, ()), finding)


def speak(scene: bpy.types.Scene, index: int, word: str, note: str) -> None:
    """Writes a word on a finding of the shown report into the ledger. Raises InputError, StorageError."""
    cached = state_cache.shown(scene)
    if cached.report is None or index >= len(cached.findings()):
        raise InputError("The report has changed", todo="Refresh the panel and say it again.")
    take = cached.takes.get(cached.take)
    about = {"take": cached.take, "digest": take.digest if take is not None else ""}
    if take is not None:
        about.update({key: str(take.data.get(key) or "") for key in ("look", "provider")})
    folder = locate.project().ledger
    ledger = _ledgers.setdefault(str(folder), Ledger(folder))
    spoken = "" if word == "TAKE_BACK" else word.lower()
    shot = scene.holdfast.shot_name
    say(ledger, shot, about, {"digest": cached.report.digest}, cached.findings()[index], spoken, note)
    state_cache.read_words(scene)


class HOLDFAST_OT_say_word(bpy.types.Operator):
    """Says what a finding is."""

    bl_idname = "holdfast.say_word"
    bl_label = "Your Word"
    bl_description = "Your word on this finding, kept in the ledger; a new one replaces it"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        index: int
        word: str
        note: str
    else:
        index: IntProperty(options={"HIDDEN"}, min=0)
        word: EnumProperty(name="Word", description="What the finding is", items=WORDS)
        note: StringProperty(
            name="Note", description="Why; it is kept with the word and shown below the finding"
        )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """What the word means."""
        says = next(says for name, _label, says, _icon, _number in WORDS if name == properties.word)
        return f"{says}.\n\n{cls.bl_description}"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if state_cache.shown(context.scene).findings():
            return True
        cls.poll_message_set("There is no finding to say anything of")
        return False

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        cached = state_cache.shown(context.scene)
        if self.word == "TAKE_BACK" or self.index >= len(cached.findings()):
            return self.execute(context)
        before = of(cached, cached.findings()[self.index])
        self.note = before.note if before is not None else ""
        label = next(label for name, label, _says, _icon, _number in WORDS if name == self.word)
        manager: Any = context.window_manager
        return manager.invoke_props_dialog(self, width=380, title=label, confirm_text=label)

    def draw(self, context: bpy.types.Context) -> None:
        """The finding, what the word means, and the note."""
        finding = state_cache.shown(context.scene).findings()[self.index]
        first, last = finding["frames"]
        column = self.layout.column()
        column.label(text=f"{finding['part']} {title_of(finding)}, frames {first} to {last}".strip())
        says = next(says for name, _label, says, _icon, _number in WORDS if name == self.word)
        column.label(text=f"{says}.", icon=ICONS[self.word.lower()])
        note = column.row()
        note.activate_init = True
        note.prop(self, "note", text="", placeholder="Note (optional)")

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        try:
            speak(context.scene, self.index, self.word, self.note)
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class HOLDFAST_OT_take_offer(bpy.types.Operator):
    """Sets an intent switch that a person's words point to."""

    bl_idname = "holdfast.take_offer"
    bl_label = "Allow It"
    bl_description = "Allow the look to change this; reports made before are then out of date"
    bl_options = {"UNDO", "INTERNAL"}

    if TYPE_CHECKING:
        setting: str
    else:
        setting: StringProperty(options={"HIDDEN"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """What the switch changes."""
        offer = _offer(context, properties.setting)
        return cls.bl_description if offer is None else f"{offer.changes} {cls.bl_description}"

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        offer = _offer(context, self.setting)
        if offer is None:
            self.report({"WARNING"}, "That is no longer offered.")
            return {"CANCELLED"}
        value = str(offer.value).upper() if isinstance(offer.value, str) else offer.value
        setattr(context.scene.holdfast.validate, offer.setting, value)
        state_cache.on_change()
        self.report({"INFO"}, f"{offer.changes} Validate again to see what it makes of the take.")
        return {"FINISHED"}


def _offer(context: bpy.types.Context, setting: str) -> Any:
    found = state_cache.shown(context.scene).offers
    return next((offer for offer in found if offer.setting == setting), None)


class HOLDFAST_OT_toggle_readable(bpy.types.Operator):
    """Says that the lettering of a part must stay readable."""

    bl_idname = "holdfast.toggle_readable"
    bl_label = "Must Be Readable"
    bl_description = "The logo or lettering of this part must stay readable in the look"
    bl_options = {"UNDO", "INTERNAL"}

    if TYPE_CHECKING:
        part: str
    else:
        part: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        settings = context.scene.holdfast.validate
        names = names_in(settings.readable)
        names = [name for name in names if name != self.part] if self.part in names else [*names, self.part]
        settings.readable = ", ".join(names)
        return {"FINISHED"}


class HOLDFAST_OT_edit_palette(bpy.types.Operator):
    """Adds a colour to the palette or takes one away."""

    bl_idname = "holdfast.edit_palette"
    bl_label = "Palette"
    bl_description = "Add a colour to the palette"
    bl_options = {"UNDO", "INTERNAL"}

    if TYPE_CHECKING:
        remove: int
    else:
        remove: IntProperty(options={"HIDDEN"}, default=-1, min=-1)

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """Add or remove."""
        return cls.bl_description if properties.remove < 0 else "Take this colour out of the palette"

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        palette = context.scene.holdfast.validate.palette
        if self.remove < 0:
            palette.add()
        elif self.remove < len(palette):
            palette.remove(self.remove)
        return {"FINISHED"}


CLASSES = (
    HOLDFAST_OT_say_word,
    HOLDFAST_OT_take_offer,
    HOLDFAST_OT_toggle_readable,
    HOLDFAST_OT_edit_palette,
)
