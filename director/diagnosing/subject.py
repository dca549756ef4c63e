"""What is looked at: a folder, the machine around it, and the configuration in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from director.model.config import Config
from director.model.config_reader import line_of
from director.model.secrets import Redactor
from director.model.values import dataclass
from director.processes.cancellation import Cancellation
from director.records.events import Events
from director.records.job_directory import Home
from director.repositories.repository import Repository


@dataclass(frozen=True)
class Subject:
    """Where a diagnosis is made. ``begins`` is told of what takes a while, before it begins.

    ``live``: models may be called, which costs money.
    """

    folder: Path
    env: Mapping[str, str]
    cancellation: Cancellation
    redactor: Redactor
    begins: Callable[[str], None]
    events: Events
    live: bool = False


@dataclass(frozen=True)
class Settings:
    """A configuration that can be read, and the text that it was read from."""

    config: Config
    path: Path
    text: str

    def place(self, *keys: str) -> str:
        """Return where the configuration says something: ``config.toml:12``; "": nowhere."""
        line = line_of(keys, self.text)
        return f"{self.path.name}:{line}" if line else ""


@dataclass(frozen=True)
class Found:
    """What could be opened: the repository, its records, its configuration."""

    subject: Subject
    repository: Repository
    home: Home
    settings: Settings
