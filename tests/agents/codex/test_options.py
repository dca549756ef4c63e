"""What the configuration says of Codex. With it: ``section_problems``."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from director.agents.codex.options import CodexOptions, find_program, problems
from director.agents.registry import BACKENDS
from director.model.codec.mistakes import dotted
from director.model.config import Config, Sampling
from director.model.config_reader import read_config
from director.model.errors import RequestError
from director.model.roles import Role

TIERS = {**dict.fromkeys(Role, "p/m"), Role.EXECUTOR: "codex/gpt-9"}
TEXT = "[tiers]\n" + "".join(f'{role} = "{model}"\n' for role, model in TIERS.items())


class TestProgram(unittest.TestCase):
    def test_only_the_users_own_home_can_be_named(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder).resolve() / "codex"
            program.touch(mode=0o755)
            env = {"HOME": folder, "PATH": "/nowhere"}
            self.assertEqual(find_program(CodexOptions("~/codex"), env), program)
        for name in ("~nobody-at-all/codex", "", "a\0b"):
            with self.assertRaisesRegex(RequestError, "is not on PATH"):
                find_program(CodexOptions(name), env)


class TestOptions(unittest.TestCase):
    def test_the_section_is_read(self) -> None:
        config = read_config(
            f'{TEXT}[codex]\nhome = "user"\nbase_url = "http://h/v1"\n', "c", BACKENDS
        )
        expected = CodexOptions(home="user", base_url="http://h/v1")
        self.assertEqual(config.agents["codex"], expected)

    def test_what_is_wrong_with_it(self) -> None:
        for line, problem in (
            ('home = "mine"', "codex.home"),
            ('base_url = "h/v1"', "must be a URL"),
            ("program = 1", "codex.program"),
            ('key = "k"', "codex.key"),
        ):
            with self.assertRaisesRegex(RequestError, problem):
                read_config(f"{TEXT}[codex]\n{line}\n", "c", BACKENDS)

    def test_a_home_that_a_strict_sandbox_closes(self) -> None:
        text = f'{TEXT}[codex]\nhome = "user"\n[sandbox]\nmode = "strict"\n'
        with self.assertRaisesRegex(RequestError, "codex.home .*~/.codex"):
            read_config(text, "c", BACKENDS)
        read_config(f'{text}write = ["~/.codex"]\n', "c", BACKENDS)

    def test_sampling_that_codex_lacks(self) -> None:
        self.assertEqual(self._problems(Sampling(reasoning_effort="low")), [])
        found = self._problems(Sampling(temperature=0.0, options={"x": 1}))
        self.assertEqual(found, ["sampling.executor.temperature", "sampling.executor.options"])

    def test_sampling_of_other_tiers_is_not_its_business(self) -> None:
        self.assertEqual(self._problems(Sampling(top_k=1), Role.PLANNER), [])

    def _problems(self, sampling: Sampling, role: Role = Role.EXECUTOR) -> list[str]:
        return [dotted(one.path) for one in problems(Config(TIERS, sampling={role: sampling}))]
