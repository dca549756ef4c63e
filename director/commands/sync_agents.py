"""``director sync-agents``: the role agents and a starter configuration, into the repository."""

from __future__ import annotations

import argparse
import hashlib
import re
from importlib import resources
from pathlib import Path

from director.agents.registry import starter_files
from director.command_line.context import Context, add_common_flags, find_repository, home_of
from director.command_line.result import Result
from director.diagnosing.commands_found import read_checkout
from director.model.ecosystems.ecosystems import as_toml
from director.model.format import counted
from director.records import files
from director.records.job_directory import GITIGNORE, Home
from director.repositories.repository import Repository

MANIFEST = "synced.json"
CHANGED = ("written", "updated")
_GENERAL = re.compile(r"^# \[worktree\]\n(?:#.*\n)*?(?=# copy)", re.MULTILINE)
EXAMPLES = (
    ("director sync-agents", "install or update agents and configuration here"),
    ("director sync-agents --repo ../other", "the same in another repository"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``sync-agents``."""
    add_common_flags(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Write what is missing or was written by director and not edited since; say what was done."""
    repository = find_repository(args, context)
    home = home_of(repository, context)
    manifest = home.path / MANIFEST
    written = {str(k): str(v) for k, v in (files.read_json(manifest) or {}).items()}
    proposed = _proposed(repository)
    wanted = _wanted(proposed).items()
    done = {name: _sync(repository.root / name, name, text, written) for name, text in wanted}
    files.write_json(manifest, written)
    advice = _advice(home, proposed)
    lines = [f"{word}  {name}" for name, word in done.items()]
    changed = sum(word in CHANGED for word in done.values())
    result = Result(
        "\n".join([*lines, *([f"\n{advice}\n\n{proposed}".rstrip()] if advice else ())]),
        {"files": done, "worktree": proposed},
        what=f"{counted(changed, 'file')} written or updated, of {len(done)}",
        next_step=" ".join(advice.removesuffix(":").split()),
    )
    return context.finish(args, result)


def _advice(home: Home, proposed: str) -> str:
    """Say where the proposed ``[worktree]`` goes, where the configuration has none."""
    text = files.read_text(home.config) or ""
    if not proposed or re.search(r"^\s*\[worktree\]", text, re.MULTILINE):
        return ""
    how = "uncomment this in" if _commented(proposed) in text else "put into"
    return f"So that tests run in worktrees, {how} {home.config}:"


def _proposed(repository: Repository) -> str:
    policy = read_checkout(repository).proposal()
    return as_toml(policy) if policy else ""


def _commented(proposed: str) -> str:
    return "".join(f"# {line}\n" for line in proposed.splitlines())


def _with(proposed: str, example: str) -> str:
    """Return the example with ``proposed``, commented out, in place of the general values."""
    if not proposed:
        return example
    mine = f"# Lock files and manifests of this repository say:\n{_commented(proposed)}"
    mine += "\n# Further keys of [worktree]:\n"
    return _GENERAL.sub(lambda _: mine, example, count=1)


def _wanted(proposed: str) -> dict[str, str]:
    """Return path → text of everything that is installed."""
    example = resources.files("director") / "config.example.toml"
    return {
        **starter_files(),
        ".director/config.toml": _with(proposed, example.read_text(encoding="utf-8")),
        ".director/.gitignore": GITIGNORE,
    }


def _sync(path: Path, name: str, text: str, written: dict[str, str]) -> str:
    """Bring one file up to date where that destroys no work; returns the word for it."""
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
