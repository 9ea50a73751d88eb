# SPDX-License-Identifier: GPL-3.0-or-later
"""The services of the catalogue as the panel and the worker need them: where they are, whether there is a key, consent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from ..clients.descriptor import Catalogue, Service, reading_catalogue
from ..clients.hosts import hosts_of, is_local, plain
from ..clients.keys import ask_keyring, where_from
from ..clients.settings import Setting, Told, read, settings_of, settled, stamp
from ..pipeline.consent import EVENT, order
from ..pipeline.errors import HoldfastError
from ..pipeline.ledger import read_tail
from ..pipeline.money import words

KEY_PLACES = {
    "typed": "typed, in memory",
    "environment": "from the environment",
    "keyring": "from the keyring",
    "file": "from your file",
}
NO_KEY_ASKED = "none needed"


@dataclass(frozen=True)
class Known:
    """A service and what stands in its way. ``key``: where it is from, empty if it is missing; ``problem`` of its key."""

    service: Service
    local: bool
    key: str
    agreed: bool
    problem: str = ""

    @property
    def ready(self) -> bool:
        """Jobs may go there as far as key and consent are concerned."""
        return bool(self.key) and (self.local or self.agreed)


class Services:
    """What is known of all services, read in slices."""

    def __init__(self) -> None:
        self.project: Path | None = None
        self.catalogue = Catalogue({}, {})
        """With what people set of the services."""
        self.plain = Catalogue({}, {})
        """Without."""
        self.told = Told()
        self.rules: dict[str, dict[str, Setting]] = {}
        """What may be set of each service."""
        self.known: dict[str, Known] = {}
        self.problem = ""
        self.changed = False
        """A person set something: all is to be looked at again."""
        self.asking = False
        """The answer of the keyring is awaited."""
        self._stamps: tuple[object, ...] = ("never",)
        self._read: dict[Path, int] = {}
        self._consents: list[tuple[tuple[str, float], str, tuple[str, ...]]] = []

    def reading(self, project: Path | None, extra: Sequence[Path]) -> Iterator[None]:
        """Reads what changed: the catalogue, consents, and where the keys come from."""
        if project != self.project:
            self.project, self._consents, self._read = project, [], {}
        own = tuple((str(path), path.stat().st_mtime_ns) for path in extra if path.exists())
        stamps: tuple[object, ...] = (own, stamp(project))
        if stamps != self._stamps:
            try:
                read: list[Catalogue] = []
                for catalogue in reading_catalogue(extra):
                    read = [catalogue]
                    yield
                self.plain, self.catalogue, self.problem = read[0], read[0], ""
                self.reread()
            except HoldfastError as error:
                self.problem = str(error)
            self._stamps = stamps
        if project is not None:
            yield from self._read_consents(project)
        agreed = self.agreed()
        known = {}
        self.asking = ask_keyring(self.catalogue.services.values())
        for name, service in self.catalogue.services.items():
            known[name] = look(service, agreed.get(name, ()))
            yield
        self.known = known

    def reread(self) -> None:
        """What people set, again. Raises InputError; then the usual values are shown."""
        self.told, self.catalogue = Told(), self.plain
        self.rules = {name: settings_of(each) for name, each in self.plain.services.items()}
        self.told = read(self.project)
        self.catalogue = settled(self.plain, self.told)

    def _read_consents(self, project: Path) -> Iterator[None]:
        for path in sorted((project / "ledger").glob("*/*.jsonl")):
            size = path.stat().st_size
            if size == self._read.get(path):
                continue
            for entry in read_tail(path, self._read.get(path, 0), EVENT):
                hosts = tuple(entry["hosts"]) if entry["agreed"] else ()
                self._consents.append((order(entry), str(entry["service"]), hosts))
            self._read[path] = size
            yield

    def agreed(self) -> dict[str, tuple[str, ...]]:
        """Hosts by service of what is agreed to now, as far as it was read."""
        return {service: hosts for _at, service, hosts in sorted(self._consents, key=lambda each: each[0])}


services = Services()
"""Those of the open file."""


def look(service: Service, agreed: Sequence[str], wait_s: float = 0.0) -> Known:
    """What stands in the way of a service to which hosts were ``agreed``; a keyring is waited for only headless."""
    key, problem = NO_KEY_ASKED, ""
    if service.keys:
        try:
            key = where_from(service, wait_s=wait_s)
        except HoldfastError as error:
            key, problem = "", str(error)
        if service.key_optional and not problem:
            key = key or NO_KEY_ASKED
    local = is_local(service)
    return Known(service, local, key, bool(agreed) and set(hosts_of(service)) <= set(agreed), problem)


def what_leaves(service: Service, catalogue: Catalogue) -> list[tuple[str, str]]:
    """What a person should know before agreeing, as (title, sentence)."""
    to = ", ".join(host.removeprefix(".") for host in hosts_of(service))
    return [
        (
            "What leaves",
            "The pictures, clips, meshes and prompts of the jobs that you send there. Nothing else.",
        ),
        ("To whom", f"{service.label}: {to or 'no address yet'}"),
        *_unencrypted(service),
        ("Kept there", service.retention or "Not documented: take it as kept."),
        ("Their terms", service.terms or "See the service's own pages."),
        ("Price", _prices(service, catalogue)),
    ]


def _unencrypted(service: Service) -> list[tuple[str, str]]:
    if not plain(service):
        return []
    says = (
        "It goes unencrypted: whoever shares the network can read and change it. No key is sent. Only a private address "
        "is spoken to, looked at anew with every connection."
    )
    return [("Not secret", says)]


def _prices(service: Service, catalogue: Catalogue) -> str:
    prices = [model.price for model in catalogue.models.values() if model.provider == service.id]
    known = [price for price in prices if price.as_of]
    rates = {
        "a second": [(price.per_second_micros, price.currency) for price in known if price.per_second_micros],
        "a result": [(price.per_result_micros, price.currency) for price in known if price.per_result_micros],
        "a job": [(price.per_job_micros, price.currency) for price in known if price.per_job_micros],
    }
    said = [
        f"{words(*min(found))} to {words(*max(found))} {of}"
        if min(found) != max(found)
        else f"{words(*found[0])} {of}"
        for of, found in rates.items()
        if found
    ]
    if not said:
        return "Not known; what the service bills is between you and it."
    return f"{', '.join(said)}. Every job shows its own before it is sent, and your caps hold."


def online() -> bool:
    """Whether Blender may use the network."""
    return bool(bpy.app.online_access)


def online_fixed() -> bool:
    """True if the command line decided that, so the preferences can't; the name was mended in later versions."""
    given = getattr(bpy.app, "online_access_override", getattr(bpy.app, "online_access_overriden", False))
    return bool(given)
