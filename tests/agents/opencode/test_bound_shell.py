from __future__ import annotations

import subprocess
from pathlib import Path

from director.agents.opencode.bound_shell import write_bound_shell
from director.model.slots import SLOT_VARIABLE
from tests.support.hermetic import HermeticCase
from tests.support.kernel import require_landlock


class TestTheShellOfAnAgentOnAServer(HermeticCase):
    def setUp(self) -> None:
        require_landlock()
        super().setUp()
        self.agents = self.tmp / "agents"
        for number in (1, 2):
            (self.agents / f"slot-{number}").mkdir(parents=True)

    def writable(self, **variables: str) -> list[str]:
        """Return in which worktrees the shell can write."""
        shell = write_bound_shell(self.tmp / "notes", self.agents, self.env)
        command = f"for one in {self.agents}/slot-*; do touch $one/x && echo $one; done"
        done = subprocess.run(
            [shell, "-c", command], env={**self.env, **variables}, capture_output=True, text=True
        )
        return [Path(line).name for line in done.stdout.split()]

    def test_it_writes_in_its_own_worktree(self) -> None:
        self.assertEqual(self.writable(**{SLOT_VARIABLE: "2"}), ["slot-2"])

    def test_without_a_slot_in_none(self) -> None:
        self.assertEqual(self.writable(), [])
        self.assertEqual(self.writable(**{SLOT_VARIABLE: ""}), [])
