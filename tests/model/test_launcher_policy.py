"""[launcher]: what it says, and what it says besides other sections."""

from __future__ import annotations

import unittest

from director.agents.registry import BACKENDS
from director.model.config import Config
from director.model.config_reader import read_config
from director.model.errors import RequestError
from director.model.launcher_policy import LauncherPolicy, Resources
from director.model.roles import Role

TIERS = "[tiers]\n" + "".join(f'{role} = "p/m"\n' for role in Role)
SLURM = """
[launcher]
kind = "slurm"
root = "/shared"
[launcher.agent]
partition = "cpu"
[launcher.gate]
cpus = 4
mem_mb = 8000
extra = ["--account=me"]
"""


def read(text: str) -> Config:
    return read_config(TIERS + text, "config.toml", BACKENDS)


class TestLauncherPolicy(unittest.TestCase):
    def said(self, text: str) -> str:
        with self.assertRaises(RequestError) as caught:
            read(text)
        return caught.exception.what

    def test_without_a_section_this_machine_is_meant(self) -> None:
        self.assertEqual(read("").launcher, LauncherPolicy("local"))

    def test_what_each_part_asks_for(self) -> None:
        policy = read(SLURM).launcher
        self.assertEqual((policy.kind, policy.root), ("slurm", "/shared"))
        self.assertEqual(policy.agent, Resources("cpu"))
        self.assertEqual(policy.gate, Resources("", 4, 8000, ("--account=me",)))
        self.assertEqual(policy.setup, Resources())

    def test_a_command_stands_in_either_section(self) -> None:
        sandbox = read('[sandbox]\ncommand = ["box"]\n')
        launcher = read('[launcher]\nkind = "command"\ncommand = ["box"]\n')
        for config in (sandbox, launcher):
            self.assertEqual(config.launcher, LauncherPolicy("command", command=("box",)))
            self.assertEqual(config.sandbox.command, ("box",))

    def test_mistakes(self) -> None:
        for text, expected in (
            ('kind = "command"', 'launcher.kind (line 9) is "command", but there is no command'),
            ('command = "box"', 'launcher.command (line 9) has no effect with kind = "local"'),
            ('root = "shared"', "launcher.root (line 9) must be an absolute path"),
            ("gate = { cpus = 2 }", 'launcher.gate (line 9) has no effect with kind = "local"'),
            ('kind = "slurm"\ngate = { cpus = 0 }', "launcher.gate.cpus must be 1 to"),
            ('kind = "slurm"\ngate = { mem = 1 }', "did you mean 'mem_mb'?"),
            ('kind = "slurm"\ngate = { extra = "-x" }', "launcher.gate.extra must be a list"),
            (
                'kind = "slurm"\n[sandbox]\ncommand = "box"',
                "sandbox.command (line 11) and [launcher] cannot be combined",
            ),
            (
                'kind = "command"\ncommand = "box"\n[sandbox]\nmode = "strict"',
                "launcher.command (line 10) takes the place of [sandbox]",
            ),
            (
                'kind = "slurm"\n[opencode]\nserver = "http://h:1"',
                "names a server, which [launcher] cannot hold",
            ),
        ):
            with self.subTest(text):
                self.assertIn(expected, self.said(f"[launcher]\n{text}\n"))
