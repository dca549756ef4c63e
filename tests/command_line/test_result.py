"""What every command says to programs. With it: ``model.reason``."""

from __future__ import annotations

import json
import unittest

from director.command_line.result import Result
from director.model.errors import ExitCode
from director.model.reason import Reason


class TestResult(unittest.TestCase):
    def test_the_common_keys_stand_before_the_commands_own(self) -> None:
        said = Result("Fine.", {"nodes": 3}, job_id="j").to_json("run")
        self.assertEqual(list(said)[:3], ["schema", "command", "ok"])
        self.assertEqual((said["schema"], said["ok"], said["nodes"]), ("director.run/1", True, 3))
        self.assertIsNone(said["reason"])
        self.assertIsNone(said["next_command"])

    def test_a_failure_names_its_reason_and_the_next_command(self) -> None:
        result = Result(
            "", {}, ExitCode.WORK_FAILED, "1 failed", "try again", Reason.NODE_FAILED,
            ("director", "run", "--retry-failed"),
        )  # fmt: skip
        said = json.loads(result.as_json("run"))
        self.assertEqual((said["ok"], said["exit_code"], said["reason"]), (False, 1, "node_failed"))
        self.assertEqual(said["next_command"], ["director", "run", "--retry-failed"])
