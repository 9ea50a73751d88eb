# SPDX-License-Identifier: GPL-3.0-or-later
"""Where keys come from: typed into the panel, the environment, the system's keyring, a file that only its owner can read.

Blender's preferences are no place for them: they are saved in plain text that everybody may read.
"""

import os
import stat
import sys
import tomllib
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from ..pipeline import secret
from ..pipeline.errors import InputError
from .descriptor import Service

KEYRING = "holdfast"
FILE = "credentials.toml"


def config_folder() -> Path:
    """The user's folder for settings of ours, by the system's own convention."""
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming") / "holdfast"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "holdfast"
    return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "holdfast"


def keys_of(service: Service, folder: Path | None = None) -> dict[str, str]:
    """Every key of a service that is found, by its name; of each name the first place that has it.

    Raises InputError if the file is readable by others, which is said rather than used.
    """
    places = (secret.held(), os.environ, _keyring(service.keys), _file(folder or config_folder()))
    found: dict[str, str] = {}
    for name in service.keys:
        value = next((str(place[name]).strip() for place in places if place.get(name)), "")
        if value:
            found[name] = value
    return found


def where_from(service: Service, folder: Path | None = None) -> str:
    """For the panel: typed, environment, keyring, file, or empty. Never the key."""
    places = {
        "typed": secret.held(), "environment": os.environ, "keyring": _keyring(service.keys),
        "file": _file(folder or config_folder()),
    }  # fmt: skip
    return next(
        (label for label, place in places.items() if any(place.get(name) for name in service.keys)), ""
    )


def _keyring(names: tuple[str, ...]) -> Mapping[str, str]:
    """The system's, if the user installed the module and it works."""
    try:
        keyring = import_module("keyring")
        found = {name: keyring.get_password(KEYRING, name) for name in names}
    except Exception:  # a keyring that is locked, headless or broken is none
        return {}
    return {name: value for name, value in found.items() if value}


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
