"""A launcher is found by its kind.

With it: ``launchers.launcher``, ``launchers.local``, ``launchers.user_command``.
"""

from __future__ import annotations

import unittest
from pathlib import Path

from director.model.errors import RequestError
from director.model.launcher_policy import LauncherPolicy
from director.processes.launchers.launcher import Errand, Launcher, Part, Surroundings
from director.processes.launchers.local import Local
from director.processes.launchers.registry import launcher_of


def found(policy: LauncherPolicy) -> Launcher:
    env = {"HOME": "/home/me"}
    return launcher_of(policy, Surroundings("j", env, Path("/r"), Path("/r/.director/job.git")))


class TestRegistry(unittest.TestCase):
    def test_this_machine(self) -> None:
        self.assertIs(type(found(LauncherPolicy())), Local)

    def test_a_command_with_its_places(self) -> None:
        words = ("box", "{repo}", "{git}", "{home}", "{worktree}")
        launcher = found(LauncherPolicy("command", command=words))
        argv = launcher.launch(Errand(Part.GATE, ["run"], Path("/w"))).argv
        self.assertEqual(argv, ["box", "/r", "/r/.director/job.git", "/home/me", "/w", "run"])

    def test_an_unknown_kind_is_named_with_a_guess(self) -> None:
        for kind, hint in (("slrum", "did you mean 'slurm'?"), ("k8s", "known: local, command, ")):
            with self.subTest(kind), self.assertRaises(RequestError) as caught:
                found(LauncherPolicy(kind))
            self.assertIn(f"kind = '{kind}' is no launcher ({hint}", caught.exception.what)
