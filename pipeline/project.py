# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything lives: ``<name>.holdfast`` beside ``<name>.blend``, one folder a shot."""

import re
from dataclasses import dataclass
from pathlib import Path

from .errors import InputError, UsageError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def check_name(name: str, what: str) -> str:
    """``name`` if it is safe as a folder name on every system, else UsageError."""
    if not _NAME.fullmatch(name):
        todo = "Use letters, digits, - and _, at most 64."
        raise UsageError(f"{name!r} can't be the name of a {what}", todo=todo)
    return name


def clip_folder(provider: str, model: str) -> str:
    """The name of a folder of clips, safe on every system."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", f"{provider}-{model}").strip("-.")[:80]


@dataclass(frozen=True)
class ShotFolder:
    """The folder of one shot; nothing is created until a stage writes."""

    root: Path

    @property
    def name(self) -> str:
        """The shot's name, e.g. sh010."""
        return self.root.name

    @property
    def concepts(self) -> Path:
        return self.root / "concepts"

    @property
    def assets(self) -> Path:
        return self.root / "assets"

    @property
    def motion(self) -> Path:
        return self.root / "motion"

    @property
    def truth(self) -> Path:
        return self.root / "truth"

    @property
    def controls(self) -> Path:
        return self.root / "controls"

    def clips(self, provider: str, model: str) -> Path:
        """Folder of the control clips for a model: ``controls/<provider>-<model>``."""
        return self.controls / clip_folder(provider, model)

    @property
    def prompts(self) -> Path:
        """Contracts of the prompts: a folder a look."""
        return self.root / "prompts"

    @property
    def takes(self) -> Path:
        return self.root / "takes"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def delivery(self) -> Path:
        return self.root / "delivery"

    def take_names(self) -> list[str]:
        """Names of the finished takes (those with a manifest), oldest first."""
        return sorted(path.parent.name for path in self.takes.glob("t[0-9]*/take.json"))

    def next_take(self) -> str:
        """The next unused take name, counting unfinished ones too."""
        used = [int(path.name[1:]) for path in self.takes.glob("t[0-9]*") if path.name[1:].isdigit()]
        return f"t{max(used, default=0) + 1:03d}"


@dataclass(frozen=True)
class Project:
    """The project folder of a .blend."""

    root: Path

    @classmethod
    def beside(cls, blend: str, output_root: str = "") -> "Project":
        """The project of the .blend at path ``blend``, under ``output_root`` if one is set.

        Raises InputError for a .blend that was never saved, since its folder would have no name.
        """
        if not blend:
            todo = "Save the .blend first: results go into <name>.holdfast beside it."
            raise InputError("This .blend was never saved", todo=todo)
        path = Path(blend)
        return cls((Path(output_root) if output_root else path.parent) / f"{path.stem}.holdfast")

    def shot(self, name: str) -> ShotFolder:
        """The folder of shot ``name``. Raises UsageError for a name that no folder can have."""
        return ShotFolder(self.root / check_name(name, "shot"))

    def catalogue(self) -> list[Path]:
        """The person's own catalogue entries: ``catalogue/*.toml``, in the order of their names."""
        return sorted((self.root / "catalogue").glob("*.toml"))

    @property
    def ledger(self) -> Path:
        """Folder of the append-only ledger."""
        return self.root / "ledger"
