"""Temporary folders with files in them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from director.processes.capture import Captured, capture
from tests.support.hermetic import ProcessCase


class WithFolder(ProcessCase):
    """Gives every test an empty folder, ``self.folder``."""

    def setUp(self) -> None:
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.folder = Path(made.name).resolve()

    def put(self, files: Mapping[str, str]) -> None:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")

    def shell(self, command: str, **variables: str) -> Captured:
        env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables}
        return capture(["/bin/sh", "-c", command], self.folder, env)
