"""The program that is Codex itself, behind the Node script that npm installs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def native_program(program: Path) -> Path:
    """Return the binary that the script ``program`` would start, else ``program`` as it is.

    A signal to the script may leave the binary, and what that runs, alive.
    """
    script = program.resolve()
    if script.suffix != ".js":
        return program
    return next(_beside(script.parents[1]), program)


def _beside(package: Path) -> Iterator[Path]:
    """Give the binaries that belong to a package: its own, one below it, one next to it."""
    for folder, pattern in (
        (package, "vendor/*/bin/codex"),
        (package / "node_modules/@openai", "codex-*/vendor/*/bin/codex"),
        (package.parent, "codex-*/vendor/*/bin/codex"),
    ):
        yield from (path for path in folder.glob(pattern) if path.is_file())
