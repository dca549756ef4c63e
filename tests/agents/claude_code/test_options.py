"""What the configuration says of Claude Code."""

from __future__ import annotations

from director.agents.claude_code.options import ClaudeCodeOptions, find_program, problems
from director.model.config import Config, Sampling
from director.model.errors import RequestError
from director.model.roles import Role
from tests.agents.claude_code.fake_claude import FakeClaude
from tests.support.hermetic import HermeticCase

TIERS = {**dict.fromkeys(Role, "p/m"), Role.EXECUTOR: "claude-code/opus"}


class TestProblems(HermeticCase):
    def problems(self, sampling: Sampling, role: Role = Role.EXECUTOR, home: str = "own") -> str:
        config = Config(TIERS, sampling={role: sampling})
        found = problems(config, ClaudeCodeOptions(home=home))
        return "; ".join(f"{'.'.join(one.path)} {one.problem}" for one in found)

    def test_what_it_can_do_is_no_problem(self) -> None:
        sampling = Sampling(reasoning_effort="high", options={"service_tier": "auto"})
        self.assertEqual(self.problems(sampling, home="user"), "")

    def test_sampling_that_it_lacks(self) -> None:
        found = self.problems(Sampling(temperature=0.0, seed=1))
        self.assertIn("sampling.executor.temperature cannot be set for Claude Code", found)
        self.assertIn("sampling.executor.seed cannot", found)

    def test_an_effort_that_it_would_ignore(self) -> None:
        found = self.problems(Sampling(reasoning_effort="minimal"))
        self.assertIn("sampling.executor.reasoning_effort must be one of low, medium", found)

    def test_other_tiers_are_not_its_business(self) -> None:
        sampling = Sampling(temperature=0.5, reasoning_effort="minimal")
        self.assertEqual(self.problems(sampling, Role.PLANNER), "")

    def test_a_home_that_is_none(self) -> None:
        self.assertIn(
            'claude-code.home must be "own" or "user"', self.problems(Sampling(), home="x")
        )


class TestProgram(HermeticCase):
    def test_it_is_found_on_path(self) -> None:
        program = FakeClaude(self.tmp / "bin").install()
        env = {"PATH": str(program.parent)}
        self.assertEqual(find_program(ClaudeCodeOptions(), env), str(program))

    def test_one_that_is_missing_is_named(self) -> None:
        with self.assertRaisesRegex(RequestError, "`claude`.* not on PATH"):
            find_program(ClaudeCodeOptions(), {"PATH": str(self.tmp)})
