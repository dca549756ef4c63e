"""``director sync-agents``: the role agents and a starter configuration, into the repository."""

from __future__ import annotations

import argparse
import hashlib
import json
from importlib import resources
from pathlib import Path

from director.agents.templates import bundled_text
from director.commands.context import Context, add_repo_flag, find_repository, home_of
from director.model.roles import Agent
from director.records import files
from director.records.job_directory import GITIGNORE

MANIFEST = "synced.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``sync-agents``."""
    add_repo_flag(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Write what is missing or was written by director and not edited since; say what was done."""
    repository = find_repository(args, context)
    home = home_of(repository, context)
    manifest = home.path / MANIFEST
    written = {str(k): str(v) for k, v in (files.read_json(manifest) or {}).items()}
    for name, text in _wanted().items():
        context.say(f"{_sync(repository.root / name, name, text, written)}  {name}")
    files.write_json(manifest, written)
    return 0


def _wanted() -> dict[str, str]:
    """Return path → text of everything that is installed."""
    example = resources.files("director") / "config.example.toml"
    starter = json.dumps({"$schema": "https://opencode.ai/config.json"}, indent=2)
    return {
        **{f".opencode/agents/{agent}.md": bundled_text(agent) for agent in Agent},
        ".opencode/opencode.json": f"{starter}\n",
        ".director/config.toml": example.read_text(encoding="utf-8"),
        ".director/.gitignore": GITIGNORE,
    }


def _sync(path: Path, name: str, text: str, written: dict[str, str]) -> str:
    """Bring one file up to date where that destroys nobody's work; returns the word for it."""
    present = files.read_text(path)
    if present == text:
        written[name] = _digest(text)
        return "unchanged"
    if present is not None and written.get(name) != _digest(present):
        return "kept (edited)"
    files.write_text(path, text)
    written[name] = _digest(text)
    return "written" if present is None else "updated"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
