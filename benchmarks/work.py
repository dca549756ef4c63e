"""The jobs that are measured: nodes, their tests, and the repository that they stand in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring import run

FILES = {".gitignore": "__pycache__/\n", "README": "A sample.\n", "tests/__init__.py": ""}
FILES_PER_FOLDER = 100
RUNS_OF_TESTS = 3  # red before the agent, then green twice: what every contestant does by default
UNITTEST = """\
import unittest

from made_{node} import VALUE


class TestValue(unittest.TestCase):
    def test_value(self) -> None:
        self.assertEqual(VALUE, 1)
"""
SHELL_TEST = "grep -q 'VALUE = 1' made_{node}.py || {{ echo no value of {node}; exit 1; }}\n"


@dataclass(frozen=True)
class Work:
    """A job. ``depends_on`` maps each node to the nodes it waits for, in the plan's order.

    ``agent_secs`` is what the agent takes at a node, ``files`` how many files more than FILES
    the repository has; ``unittest`` takes Python's own runner, else the tests are shell.
    """

    depends_on: Mapping[str, tuple[str, ...]]
    unittest: bool = False
    agent_secs: float = 0.0
    files: int = 0

    @property
    def nodes(self) -> tuple[str, ...]:
        return tuple(self.depends_on)

    @property
    def suffix(self) -> str:
        return "py" if self.unittest else "sh"

    def test_cmd(self, node: str) -> str:
        """Return the command that is green when a node is done."""
        test = f"test_{node}"
        return f"python3 -m unittest tests.{test}" if self.unittest else f"sh tests/{test}.sh"

    def test_text(self, node: str) -> str:
        """Return the content of a node's test."""
        return (UNITTEST if self.unittest else SHELL_TEST).format(node=node)

    def plan(self) -> dict[str, Any]:
        """Return what the planner answers; the agent finds a node by the mark in its spec."""
        return {
            "nodes": [
                {
                    "id": node,
                    "title": f"Make {node}",
                    "spec": f"made_{node}.py says that VALUE is 1. {mark(node)}",
                    "files": [f"made_{node}.py"],
                    "depends_on": list(before),
                    "test_cmd": self.test_cmd(node),
                    "tests": [f"tests/test_{node}.{self.suffix}"],
                    "estimated_difficulty": "easy",
                }
                for node, before in self.depends_on.items()
            ]
        }


MARK = "[[node "


def mark(node: str) -> str:
    """Return what stands for a node in a prompt, whoever wrote the prompt."""
    return f"{MARK}{node}]]"


def names(count: int) -> list[str]:
    """Return ``count`` names for nodes."""
    return [f"n{number:05}" for number in range(count)]


def free(count: int) -> dict[str, tuple[str, ...]]:
    """Return nodes that wait for nothing."""
    return dict.fromkeys(names(count), ())


def fan(count: int) -> dict[str, tuple[str, ...]]:
    """Return nodes that all wait for the first."""
    first, *others = names(count)
    return {first: (), **dict.fromkeys(others, (first,))}


def chain(count: int) -> dict[str, tuple[str, ...]]:
    """Return nodes of which each waits for the one before."""
    listed = names(count)
    return {node: tuple(listed[max(0, at - 1) : at]) for at, node in enumerate(listed)}


def layered(count: int, width: int = 10) -> dict[str, tuple[str, ...]]:
    """Return layers of ``width`` nodes; each waits for three of the layer before."""
    listed = names(count)
    return {
        node: tuple(listed[at - at % width - width + (at + step) % width] for step in range(3))
        if at >= width
        else ()
        for at, node in enumerate(listed)
    }


def make_repository(root: Path, env: Mapping[str, str], files: int) -> None:
    """Make a repository with one commit that holds FILES and ``files`` small ones in folders."""
    root.mkdir(parents=True)
    content = dict(FILES)
    for number in range(files):
        folder, name = divmod(number, FILES_PER_FOLDER)
        content[f"source/{folder // 20:03}/{folder:04}/file_{name:02}.txt"] = f"file {number}\n"
    for path, text in content.items():
        place = root / path
        if not place.parent.is_dir():
            place.parent.mkdir(parents=True)
        place.write_text(text)
    for argv in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "-m", "first")):
        run(("git", *argv), root, env)
    run(("git", "-c", "gc.auto=0", "repack", "-a", "-d", "--quiet"), root, env)


def write_plan(path: Path, work: Work) -> None:
    """Write the plan of ``work`` as JSON."""
    path.write_text(json.dumps(work.plan()))
