# SPDX-License-Identifier: GPL-3.0-or-later
"""Agreeing to send something to a service, taking that back, and its keys: typed ones are in memory only."""

import textwrap
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import StringProperty

from ..clients.descriptor import Catalogue, Service
from ..clients.hosts import hosts_of
from ..clients.keys import FILE as KEY_FILE
from ..clients.keys import config_folder
from ..pipeline import consent, secret
from ..pipeline.errors import HoldfastError
from ..pipeline.jobs import JobStore, Step
from ..pipeline.ledger import Ledger
from . import job_cache, job_services, job_view, locate, window

Result = set[str]
WIDTH_PX, LETTERS = 460, 58
MOST_WOKEN = 200


def sentence_of(service: Service, catalogue: Catalogue) -> str:
    """What is agreed to, as it is shown and recorded."""
    told = job_services.what_leaves(service, catalogue)
    return " ".join(f"{title}: {says}" for title, says in told)


def agree(root: Path, service: Service, catalogue: Catalogue) -> None:
    """Records that this person agreed. Raises StorageError."""
    consent.agree(Ledger(root / "ledger"), service.id, hosts_of(service), sentence_of(service, catalogue))


def take_back(root: Path, service: Service) -> None:
    """Records that nothing more goes there. Raises StorageError."""
    consent.take_back(Ledger(root / "ledger"), service.id)


def wake(store: JobStore, service: str) -> None:
    """What waited for this goes on at once."""
    for job in [job for job in store.jobs((Step.PREPARED,)) if job.provider == service][:MOST_WOKEN]:
        store.note(job.id, due=0.0, says="")


def of_service(operator: Any) -> Service | None:
    """The service that a button is about, or None with a report."""
    known = job_cache.known(operator.service)
    if known is None:
        operator.report({"ERROR"}, f"There is no service {operator.service!r} in the catalogue.")
        return None
    return known.service


class HOLDFAST_OT_agree(bpy.types.Operator):
    """Asks whether something may be sent to a service."""

    bl_idname = "holdfast.agree"
    bl_label = "Agree"
    bl_description = "See what would be sent to whom, and agree to it"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        service: str
    else:
        service: StringProperty(options={"HIDDEN"}, description="Id of the service")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        service = of_service(self)
        if service is None:
            return {"CANCELLED"}
        manager: Any = context.window_manager
        title = f"Send to {service.label}?"
        return manager.invoke_props_dialog(self, width=WIDTH_PX, title=title, confirm_text="I Agree")

    def draw(self, context: bpy.types.Context) -> None:
        known = job_cache.known(self.service)
        if known is None:
            return
        column = self.layout.column()
        for title, says in job_services.what_leaves(known.service, job_cache.services.catalogue):
            _fact(column, title, says)
        waiting = job_cache.shown.view.going.get(self.service, 0)
        if waiting:
            _fact(
                column,
                "Waiting",
                f"{waiting} {'job' if waiting == 1 else 'jobs'} will be sent as soon as you agree.",
            )
        _fact(
            column,
            "Recorded",
            "Your name and the time, in the project's ledger. You can take it back at any time.",
        )

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        service = of_service(self)
        if service is None:
            return {"CANCELLED"}
        try:
            agree(locate.project().root, service, job_cache.services.catalogue)
            wake(job_cache.store(), service.id)
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return _changed(self, f"Jobs may be sent to {service.label}.")


def _fact(column: bpy.types.UILayout, title: str, says: str) -> None:
    row = column.split(factor=0.2)
    left = row.column()
    left.label(text=title)
    right = row.column(align=True)
    right.scale_y = 0.8
    for line in textwrap.wrap(says, LETTERS):
        right.label(text=line)


def _changed(operator: bpy.types.Operator, says: str) -> Result:
    operator.report({"INFO"}, says)
    job_cache.ask()
    window.redraw()
    return {"FINISHED"}


class HOLDFAST_OT_take_back(bpy.types.Operator):
    """Nothing more is sent to a service."""

    bl_idname = "holdfast.take_back"
    bl_label = "Take Back Consent"
    bl_description = "Nothing more is sent there, and nothing that is there is asked for"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        service: str
    else:
        service: StringProperty(options={"HIDDEN"}, description="Id of the service")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        manager: Any = context.window_manager
        says = (
            "Nothing more is sent there. Jobs that are there already can't be fetched until you agree again."
        )
        return manager.invoke_confirm(
            self, event, title="Take it back?", message=says, confirm_text="Take Back", icon="WARNING"
        )

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        service = of_service(self)
        if service is None:
            return {"CANCELLED"}
        try:
            take_back(locate.project().root, service)
        except HoldfastError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return _changed(self, f"Nothing more is sent to {service.label}.")


class HOLDFAST_OT_type_key(bpy.types.Operator):
    """Takes a key into memory."""

    bl_idname = "holdfast.type_key"
    bl_label = "Key"
    bl_description = (
        "Type or paste the service's key; it stays in memory until Blender ends, and is saved nowhere"
    )
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        service: str
    else:
        service: StringProperty(options={"HIDDEN"}, description="Id of the service")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:  # type: ignore[override]
        service = of_service(self)
        if service is None:
            return {"CANCELLED"}
        job_view.offer_names(service.keys)
        manager: Any = context.window_manager
        manager.holdfast_jobs.key_name = service.keys[0] if service.keys else "-"
        return manager.invoke_props_dialog(
            self, width=WIDTH_PX, title=f"Key for {service.label}", confirm_text="Done"
        )

    def draw(self, context: bpy.types.Context) -> None:
        known = job_cache.known(self.service)
        if known is None:
            return
        view, layout = context.window_manager.holdfast_jobs, self.layout
        held = sorted(set(secret.held()) & set(known.service.keys))
        column = layout.column()
        if len(known.service.keys) > 1:
            column.prop(view, "key_name")
        row = column.row(align=True)
        row.prop(view, "key", placeholder="Paste it and press Enter")
        if held:
            _fact(column, "In memory", f"{', '.join(held)}. It is forgotten when Blender ends.")
        elif known.key:
            _fact(
                column,
                "Found",
                f"{job_services.KEY_PLACES.get(known.key, known.key)}; a typed one comes first.",
            )
        names = " or ".join(known.service.keys)
        _fact(column, "Elsewhere", f"To keep one: the environment variable {names}, the system's keyring (service"
              f" \"holdfast\"), or {config_folder() / KEY_FILE} that only you can read.")  # fmt: skip

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        service = of_service(self)
        if service is None:
            return {"CANCELLED"}
        with suppress(HoldfastError):  # a file that was never saved has no jobs to wake
            wake(job_cache.store(), service.id)
        typed = set(secret.held()) & set(service.keys)
        return _changed(self, "The key is in memory until Blender ends." if typed else "No key was typed.")


class HOLDFAST_OT_forget_key(bpy.types.Operator):
    """Forgets typed keys of a service."""

    bl_idname = "holdfast.forget_key"
    bl_label = "Forget Key"
    bl_description = "Forget the key that you typed for this service"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        service: str
    else:
        service: StringProperty(options={"HIDDEN"}, description="Id of the service")

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        service = of_service(self)
        if service is None:
            return {"CANCELLED"}
        for name in service.keys:
            secret.hold(name, "")
        return _changed(self, f"The key for {service.label} is forgotten.")


CLASSES = (
    HOLDFAST_OT_agree,
    HOLDFAST_OT_take_back,
    HOLDFAST_OT_type_key,
    HOLDFAST_OT_forget_key,
)
