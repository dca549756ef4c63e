"""Programs are found where the user has them, and no one else may write what they consist of."""

from __future__ import annotations

import os
from pathlib import Path

from director.agents.programs import files_of_program, find_program
from tests.support.hermetic import TemporaryCase


class TestFindProgram(TemporaryCase):
    def program(self, path: str) -> Path:
        program = self.tmp / path
        program.parent.mkdir(parents=True)
        program.touch(mode=0o755)
        return program

    def test_on_path_and_below_the_home_folder(self) -> None:
        program = self.program("bin/cli")
        env = {"PATH": str(program.parent), "HOME": str(self.tmp)}
        for wanted in ("cli", "~/bin/cli", str(program)):
            self.assertEqual(find_program(wanted, env), program)
        for wanted in ("other", "~nobody-at-all/cli", "", "a\0b", str(self.tmp)):
            self.assertIsNone(find_program(wanted, env))

    def test_not_in_a_relative_folder_which_may_be_the_repositorys(self) -> None:
        folder = os.path.relpath(self.program("bin/cli").parent)
        self.assertIsNone(find_program("cli", {"PATH": f"{folder}:", "HOME": "/"}))

    def test_what_a_program_consists_of(self) -> None:
        plain = self.program("bin/cli")
        self.assertEqual(list(files_of_program(plain)), [plain])
        self.program("x/node_modules/p/node_modules/q/cli.js")
        link = self.tmp / "link"
        link.symlink_to("x/node_modules/p/node_modules/q/cli.js")
        self.assertEqual(list(files_of_program(link)), [link, self.tmp / "x/node_modules"])
