"""The stand-in does what OpenCode does, as far as director uses it.

With it: its conversations (``turns``), its events (``event_writer``) and ``token_counts``.
"""

import contextlib
import io
import json
import os
import sys
from unittest import mock

from director.agents.opencode.events import OpenCodeReader
from director.agents.transcript import Finish, ToolKind, Transcript
from director.agents.watch_it_fail import watch_it_fail
from director.demo import stand_in
from director.demo.event_writer import EventWriter
from director.demo.nodes import scripted_nodes
from director.demo.texts import sample_files
from director.demo.turns import Cut, Fault, Say, Turn, edit, read, shell, write
from director.model.state import WatchVerdict
from director.processes.capture import capture
from tests.demo.folders import WithFolder

IMPLEMENT = "# Implement\n\nNode: slug\nAttempt: 1\n"
OPTIONS = "--agent director-executor --title run-slug --format json --print-logs --log-level ERROR"


def transcript_of(events: str) -> Transcript:
    reader, transcript = OpenCodeReader(), Transcript()
    for line in events.splitlines():
        reader.take(json.loads(line), transcript)
    return transcript


class StandIn(WithFolder):
    def setUp(self) -> None:
        super().setUp()
        pause = mock.patch.object(stand_in, "PAUSE_SECS", 0)
        pause.start()
        self.addCleanup(pause.stop)

    def run_stand_in(self, argv: list[str], prompt: str = "") -> tuple[int, str]:
        out = io.StringIO()
        given = mock.patch.object(sys, "stdin", io.StringIO(prompt))
        with given, contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            code = stand_in.main(argv)
        return code, out.getvalue()

    def play(self, *conversation: Turn) -> tuple[int, Transcript]:
        out = io.StringIO()
        session = stand_in.Session(self.folder, "local/executor", EventWriter(out))
        return session.play("# Implement\n", conversation), transcript_of(out.getvalue())


class Calls(StandIn):
    def test_implements_a_node_for_real(self) -> None:
        slug = scripted_nodes()[0]
        self.put({**sample_files(), **slug.tests})
        argv = ["run", "--dir", str(self.folder), *OPTIONS.split(), "--model", "local/executor"]
        code, events = self.run_stand_in(argv, IMPLEMENT)
        transcript = transcript_of(events)
        self.assertEqual((code, transcript.last_finish, transcript.steps), (0, "stop", 4))
        self.assertEqual(self.shell(slug.node.test_cmd).code, 0)
        watched = watch_it_fail(transcript.tools, slug.node)
        self.assertIs(watched.verdict, WatchVerdict.OBSERVED)

    def test_a_shell_command_reports_its_exit_code_and_output(self) -> None:
        _, transcript = self.play(shell("echo seen > here; exit 3"), Say("So."))
        (used,) = transcript.tools
        self.assertEqual((used.kind, used.exit_code), (ToolKind.SHELL, 3))
        self.assertEqual((self.folder / "here").read_text(), "seen\n")

    def test_files_are_written_read_and_edited(self) -> None:
        self.play(write("a/b.txt", "one two"), read("a/b.txt"), edit("a/b.txt", "two", "three"))
        self.assertEqual((self.folder / "a/b.txt").read_text(), "one three")

    def test_a_tool_that_fails_does_not_end_the_conversation(self) -> None:
        code, transcript = self.play(read("missing"), edit("missing", "a", "b"), Say("Well."))
        self.assertEqual([used.carried_out for used in transcript.tools], [False, False])
        self.assertEqual((code, transcript.text), (0, "Well."))

    def test_tokens_grow_and_come_from_the_cache(self) -> None:
        _, once = self.play(Say("Done."))
        _, twice = self.play(shell("true"), Say("Done."))
        self.assertEqual(once.tokens.cache_read, 0)
        self.assertGreater(twice.tokens.cache_read, 0)
        self.assertGreater(twice.tokens.total, once.tokens.total)
        self.assertGreater(min(once.tokens.input, once.tokens.output), 0)

    def test_faults_end_the_call_and_a_cut_is_an_empty_finish(self) -> None:
        code, refused = self.play(Fault(429, "slow down"), Say("never said"))
        self.assertEqual((code, refused.faults[0].status_code, refused.texts), (1, 429, []))
        _, cut = self.play(Cut())
        self.assertIs(cut.last_finish, Finish.OTHER)

    def test_the_version_looks_like_one(self) -> None:
        code, said = self.run_stand_in(["--version"])
        self.assertEqual(code, 0)
        self.assertRegex(said, r"^\d+\.\d+\.\d+$")

    def test_other_commands_are_refused(self) -> None:
        for argv in ([], ["serve"], ["run"]):
            self.assertEqual(self.run_stand_in(argv), (1, ""))


class Shim(WithFolder):
    def test_runs_from_any_folder_and_leaves_the_environment_alone(self) -> None:
        folder = self.folder / "it's a $HOME folder"
        folder.mkdir()
        shim = stand_in.write_shim(folder)
        self.assertEqual(shim, folder / "opencode")
        env = {"PATH": f"{folder}:{os.environ['PATH']}"}
        done = capture(["opencode", "--version"], self.folder, env)
        self.assertEqual((done.code, done.out.decode().strip()), (0, stand_in.VERSION))

    def test_plays_a_call_from_a_prompt_on_standard_input(self) -> None:
        shim = stand_in.write_shim(self.folder)
        argv = [str(shim), "run", "--dir", str(self.folder), "--model", "local/explorer"]
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": "/nowhere"}
        done = capture(argv, self.folder, env, b"# Recon\n\nTask: x\n")
        self.assertEqual(done.code, 0, done.err)
        self.assertIn("## Layout", transcript_of(done.out.decode()).text)
