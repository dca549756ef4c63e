"""What single events of Codex mean."""

from __future__ import annotations

import unittest

from director.agents.codex.events import CodexReader, command_of, tokens_of
from director.agents.transcript import Transcript
from director.model.usage import Tokens

LONG = "x" * 10_000_000  # which would take hours


class TestEvents(unittest.TestCase):
    def test_a_command_is_taken_out_of_its_shell(self) -> None:
        for line, command in (
            ("/bin/bash -c true", "true"),
            ("/bin/bash -lc \"sh -c 'exit 3'\"", "sh -c 'exit 3'"),
            ("/bin/bash -c 'env | grep ''^KEY='", "env | grep ^KEY="),
            ("python3 x.py", "python3 x.py"),
            ("/bin/bash -c 'open", "/bin/bash -c 'open"),
            (f"/bin/bash -c '{LONG}'", f"/bin/bash -c '{LONG}'"),
        ):
            self.assertEqual(command_of(line), command)

    def test_a_tool_runs_from_its_beginning_to_its_end(self) -> None:
        reader, transcript = CodexReader(), Transcript()
        item = {"type": "command_execution", "command": "/bin/bash -lc 'make test'"}
        reader.take({"type": "item.started", "item": item}, transcript)
        reader.take({"type": "item.started", "item": {"type": "reasoning"}}, transcript)
        running = transcript.running
        assert running
        self.assertEqual((running.word, running.argument), ("bash", "make test"))
        reader.take({"type": "item.completed", "item": {**item, "exit_code": 0}}, transcript)
        self.assertEqual((transcript.running, len(transcript.tools)), (None, 1))

    def test_what_no_codex_says_does_no_harm(self) -> None:
        transcript = Transcript()
        item = {"type": "file_change", "changes": 5}
        CodexReader().take({"type": "item.completed", "item": item}, transcript)
        self.assertEqual([use.paths for use in transcript.tools], [()])

    def test_tokens_do_not_overlap(self) -> None:
        usage = {
            "input_tokens": 100,
            "cached_input_tokens": 60,
            "cache_write_input_tokens": 7,
            "output_tokens": 20,
            "reasoning_output_tokens": 5,
        }
        self.assertEqual(tokens_of(usage), Tokens(33, 15, 60, 7, 5))

    def test_impossible_counts_are_no_counts(self) -> None:
        for usage in (
            {"input_tokens": 1, "cached_input_tokens": 2},
            {"input_tokens": 1, "output_tokens": -1},
            {"input_tokens": "1"},
            {"input_tokens": None},
            {"input_tokens": True},
            {"input_tokens": 10**400},
        ):
            self.assertIsNone(tokens_of(usage), usage)
