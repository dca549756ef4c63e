"""What the configuration says of Claude Code."""

from __future__ import annotations

from director.agents.claude_code.backend import CLAUDE_CODE
from director.agents.claude_code.options import ClaudeCodeOptions, problems
from director.agents.registry import files_in_home
from director.model.config import Config, Sampling, SandboxPolicy
from director.model.config_reader import read_config
from director.model.errors import RequestError
from director.model.roles import Role
from tests.agents.claude_code.fake_claude import FakeClaude
from tests.support.hermetic import HermeticCase

TIERS = {**dict.fromkeys(Role, "p/m"), Role.EXECUTOR: "claude-code/opus"}


class TestProblems(HermeticCase):
    def problems(self, sampling: Sampling, role: Role = Role.EXECUTOR) -> str:
        return "; ".join(map(str, problems(Config(TIERS, sampling={role: sampling}))))

    def test_what_it_can_do_is_no_problem(self) -> None:
        sampling = Sampling(reasoning_effort="high", options={"service_tier": "auto"})
        self.assertEqual(self.problems(sampling), "")

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

    def test_a_home_that_is_closed(self) -> None:
        strict = SandboxPolicy("strict")
        closed = Config(
            TIERS, sandbox=strict, agents={"claude-code": ClaudeCodeOptions(home="user")}
        )
        self.assertIn("claude-code.home is closed by [sandbox]", str(next(problems(closed))))
        opened = closed._replace(sandbox=strict._replace(write=("~/.claude",)))
        for config in (
            opened,
            Config(TIERS, sandbox=strict),
            closed._replace(sandbox=SandboxPolicy()),
        ):
            self.assertEqual(list(problems(config)), [])

    def test_files_that_it_writes_in_the_users_home_stay_open_where_that_is_its_own(self) -> None:
        users = Config(TIERS, agents={"claude-code": ClaudeCodeOptions(home="user")})
        self.assertIn(".claude.json", files_in_home(users))
        self.assertEqual(files_in_home(Config(TIERS)), ())
        self.assertEqual(files_in_home(users._replace(tiers=dict.fromkeys(Role, "p/m"))), ())

    def test_it_is_said_with_the_line(self) -> None:
        tiers = "\n".join(f'{role} = "{tier}"' for role, tier in TIERS.items())
        more = '[claude-code]\nhome = "mine"\n[sampling.planner]\ntemperature = 1'
        with self.assertRaisesRegex(RequestError, r"claude-code.home \(line 9\) must be one of"):
            read_config(f"[tiers]\n{tiers}\n{more}", "c.toml", [CLAUDE_CODE])
        with self.assertRaisesRegex(RequestError, r"sampling.executor.top_k \(line 9\) cannot"):
            read_config(f"[tiers]\n{tiers}\n[sampling.executor]\ntop_k = 1", "c", [CLAUDE_CODE])


class TestProgram(HermeticCase):
    def find(self, program: str, path: str = "") -> str:
        config = Config(TIERS, agents={"claude-code": ClaudeCodeOptions(program)})
        return str(CLAUDE_CODE.program(config, {"PATH": path, "HOME": str(self.tmp)}))

    def test_it_is_found_on_path_or_where_it_is_said_to_be(self) -> None:
        program = FakeClaude(self.tmp / "bin").install()
        self.assertEqual(self.find("claude", str(program.parent)), str(program))
        self.assertEqual(self.find(str(program)), str(program))
        self.assertEqual(self.find("~/bin/claude"), str(program))

    def test_one_that_is_missing_is_named(self) -> None:
        with self.assertRaisesRegex(RequestError, "`claude`.* not on PATH"):
            self.find("claude", str(self.tmp))
