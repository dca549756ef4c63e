"""What a project tells all agents: its AGENTS.md and CLAUDE.md, for a CLI that reads neither."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

NAMES = ("AGENTS.md", "CLAUDE.md")
MOST_BYTES = 64 * 1024  # of one file: more is no instruction


def project_instructions(worktree: Path, names: Sequence[str] = NAMES) -> str:
    """Return what the files ``names`` at the top of ``worktree`` say, each below its name.

    Left out is a file that is missing, is no plain file of the worktree (an agent may have put
    a link there), or says what another one says. What is too long is cut, and says so.
    """
    texts: dict[str, str] = {}
    for name in names:
        text = _text(worktree, name)
        if text and text not in texts.values():
            texts[name] = text
    return "\n\n".join(f"# {name} of this project\n\n{text}" for name, text in texts.items())


def _text(worktree: Path, name: str) -> str:
    try:
        path = (worktree / name).resolve()
        if not path.is_relative_to(worktree.resolve()) or not path.is_file():
            return ""
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except (OSError, RuntimeError):  # a link in a circle
        return ""
    text = data[:MOST_BYTES].decode(errors="replace").strip()
    return f"{text}\n[cut: there is more]" if len(data) > MOST_BYTES else text
