from __future__ import annotations

import unittest

from director.model.testing.not_started import why_not_started

SAID = (  # printed by dash, bash, busybox and coreutils
    ("/bin/sh: 1: pytest: not found", "pytest"),
    ("sh: line 1: pytest: command not found", "pytest"),
    ("bash: pytest: command not found", "pytest"),
    ("sh: pytest: not found", "pytest"),
    ("tests/a.sh: 3: pytest: not found", "pytest"),
    ("env: \u2018pytest\u2019: No such file or directory", "pytest"),
    ("env: 'pytest': No such file or directory", "pytest"),
    ("timeout: failed to run command \u2018pytest\u2019: No such file or directory", "pytest"),
)


class TestWhyNotStarted(unittest.TestCase):
    def test_the_program_is_named_as_each_shell_names_it(self) -> None:
        for line, program in SAID:
            with self.subTest(line):
                self.assertEqual(
                    why_not_started(127, f"building\n{line}\n"),
                    f"`{program}` was not found, neither on PATH nor in a fresh worktree",
                )

    def test_a_path_is_looked_for_in_the_worktree_alone(self) -> None:
        for line in ("sh: 1: .venv/bin/python: not found", "sh: .venv/bin/python: not found"):
            with self.subTest(line):
                self.assertEqual(
                    why_not_started(127, line),
                    "`.venv/bin/python` is missing in a fresh worktree",
                )
        self.assertEqual(
            why_not_started(126, "/bin/sh: 1: ./run: Permission denied\n"),
            "`./run` cannot be executed in a fresh worktree",
        )

    def test_without_a_name_it_is_said_all_the_same(self) -> None:
        self.assertEqual(
            why_not_started(127, "oh\n"),
            "a program was not found, neither on PATH nor in a fresh worktree",
        )

    def test_other_exit_codes_are_none_of_a_shells(self) -> None:
        self.assertIsNone(why_not_started(1, "/bin/sh: 1: pytest: not found\n"))
