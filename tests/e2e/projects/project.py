"""A project: a repository of one shape, a scripted job in it, and how it has to end."""

from __future__ import annotations

import json
import os
import shutil
import unittest
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from director.demo.turns import Call, Say, Use
from tests.e2e.models.script import Turn
from tests.e2e.scene import Scene, succeeded
from tests.e2e.scripted_job import DONE, ScriptedJob, writes
from tests.support.hermetic import ProcessCase
from tests.support.repositories import SampleRepo

TASK = "Do what the nodes say"


@dataclass(frozen=True)
class Work:
    """A node, what its author writes (``tests``), and what its executor does.

    ``files`` maps the paths of its allowlist to their new text; None: the path is allowed, and
    ``commands`` change it. The commands run in the worktree, after the files were written.
    """

    id: str
    tests: Mapping[str, str]
    files: Mapping[str, str | None]
    test_cmd: str
    depends_on: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": f"Do {self.id}",
            "spec": f"What the tests of {self.id} say.",
            "files": list(self.files),
            "depends_on": list(self.depends_on),
            "test_cmd": self.test_cmd,
            "tests": list(self.tests),
            "estimated_difficulty": "easy",
        }

    def turns(self) -> list[Turn]:
        """Return what the executor does."""
        written = {path: text for path, text in self.files.items() if text is not None}
        calls = [
            Call("bash", {"command": command, "description": "Changes files"})
            for command in self.commands
        ]
        return [*([writes(written)] if written else []), *(Use((one,)) for one in calls), DONE]


@dataclass(frozen=True)
class Project:
    """``files`` of the first commit, the ``nodes`` of the job, and the end of the configuration.

    ``files_of`` changes the user's checkout before that commit (modes, submodules), ``prepared_by``
    after it (what is not tracked: environments, hooks).
    """

    files: Mapping[str, str]
    nodes: Sequence[Work]
    config: str = ""
    files_of: Callable[[SampleRepo], None] = field(default=lambda _repo: None)
    prepared_by: Callable[[SampleRepo], None] = field(default=lambda _repo: None)

    def job(self) -> ScriptedJob:
        """Return the script of all models."""
        plan = json.dumps({"nodes": [node.to_json() for node in self.nodes]})
        turns: dict[str, Sequence[Turn]] = {"Plan": [Say(plan)]}
        for node in self.nodes:
            turns[f"Tests {node.id}"] = [writes(dict(node.tests)), Say("The tests are red.")]
            turns[f"Implement {node.id}"] = node.turns()
        return ScriptedJob((), turns)


class ProjectCase(ProcessCase):
    """Jobs that go from ``sync-agents`` to a merge into the user's branch."""

    def open(self, project: Project) -> Scene:
        """Return a scene in which nothing was planned yet."""
        scene = Scene.open(self.addCleanup, project.job(), project.files)
        project.files_of(scene.repo)
        scene.repo.commit("the rest")
        project.prepared_by(scene.repo)
        succeeded(scene.director("sync-agents"))
        scene.configure(project.config)
        return scene

    def finished(self, project: Project) -> Scene:
        """Demand that the job ends well, and that merging it changes what was scripted.

        Returns the scene, where the user has merged the job branch.
        """
        scene = self.open(project)
        before = scene.repo.fingerprint()
        succeeded(scene.director("plan", TASK, "--auto", "--no-critique", "--parallel", "2"))
        succeeded(scene.director("run", "--parallel", "2"))
        status = succeeded(scene.director("status", "--json")).json
        states = {node_id: node["status"] for node_id, node in status["nodes"].items()}
        self.assertEqual(states, {node.id: "done" for node in project.nodes})
        tries = {node_id: node["attempts"] for node_id, node in status["nodes"].items()}
        self.assertEqual(tries, {node.id: 1 for node in project.nodes})
        succeeded(scene.director("verify", "--rerun"))
        self.assertEqual(scene.repo.fingerprint(), before)
        base = scene.repo.git("rev-parse", "HEAD")
        quiet = ("-c", "core.hooksPath=/dev/null", "-c", "merge.stat=false")
        scene.repo.git(*quiet, "merge", "--quiet", "--no-edit", status["job_branch"])
        scripted = {path for node in project.nodes for path in (*node.files, *node.tests)}
        changed = scene.repo.git("diff", "--name-only", "--no-renames", base, "HEAD").splitlines()
        self.assertEqual(set(changed), scripted)
        for node in project.nodes:
            for path, text in {**node.files, **node.tests}.items():
                if text is not None:
                    self.assertEqual(scene.repo.git("show", f"HEAD:{path}"), text.strip(), path)
        return scene


def require(program: str) -> str:
    """Return the path of a tool; skips the test where it is missing (with ``CI=true`` it fails)."""
    found = shutil.which(program)
    if found:
        return found
    message = f"{program} is not installed"
    if os.environ.get("CI") == "true":
        raise AssertionError(message)
    raise unittest.SkipTest(message)


def make_executable(path: Path) -> None:
    """Set the permission that a script needs to be started."""
    path.chmod(path.stat().st_mode | 0o111)
