# SPDX-License-Identifier: GPL-3.0-or-later
"""Where keys come from: typed into the panel, the environment, the system's keyring, a file that only its owner can read.

Blender's preferences are no place for them: they are saved in plain text that everybody may read.
"""

import os
import stat
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..pipeline import secret
from ..pipeline.errors import InputError
from .descriptor import Service
from .keyring_asked import Keyring

KEYRING_S = 5.0
"""How long a worker waits for the keyring, once."""
FILE = "credentials.toml"
_asked = Keyring()


def config_folder() -> Path:
    """The user's folder for settings of ours, by the system's own convention."""
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming") / "holdfast"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "holdfast"
    return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "holdfast"


def keys_of(service: Service, folder: Path | None = None, wait_s: float = 0.0) -> dict[str, str]:
    """Every key of a service that is found, by its name; of each name the first place that has it. A keyring is waited for
    ``wait_s`` at most: not at all in Blender, KEYRING_S in a worker. What is found is cut out of all that is written down.

    Raises InputError if the file is readable by others, which is said rather than used.
    """
    places = (secret.held(), os.environ, _keyring(service.keys, wait_s), _file(folder or config_folder()))
    found: dict[str, str] = {}
    for name in service.keys:
        value = next((str(place[name]).strip() for place in places if place.get(name)), "")
        if value:
            found[name] = value
    secret.cut_out(found.values())
    return found


def ask_keyring(services: Iterable[Service]) -> bool:
    """Asks for the keys of many at once, without waiting; True while the answer is awaited."""
    _keyring(tuple(dict.fromkeys(name for service in services for name in service.keys)), 0.0)
    return _asked.asking


def where_from(service: Service, folder: Path | None = None, wait_s: float = 0.0) -> str:
    """For the panel: typed, environment, keyring, file, or empty. Never the key. ``wait_s`` as above."""
    places = {
        "typed": secret.held(), "environment": os.environ, "keyring": _keyring(service.keys, wait_s),
        "file": _file(folder or config_folder()),
    }  # fmt: skip
    return next(
        (label for label, place in places.items() if any(place.get(name) for name in service.keys)), ""
    )


def _keyring(names: tuple[str, ...], wait_s: float) -> Mapping[str, str]:
    """The system's, if the user installed the module and it works; not for what is found before it."""
    sooner = (secret.held(), os.environ)
    missing = [name for name in names if not any(place.get(name) for place in sooner)]
    return _asked.get(missing, wait_s) if missing else {}


def _file(folder: Path) -> Mapping[str, str]:
    path = folder / FILE
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except OSError:
        return {}
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InputError(
            f"{FILE} can be read by others, so it is not used", where=str(path), todo=f"chmod 600 {path}"
        )
    try:
        return {name: str(value) for name, value in tomllib.loads(text).items() if isinstance(value, str)}
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{FILE} is damaged", where=str(path), todo='Each line is NAME = "key".') from error
