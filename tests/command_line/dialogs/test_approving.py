"""A person at the terminal looks at what waits, changes it, and approves it or leaves it.

With it: ``command_line.dialogs.terminal``, ``plan_result``, ``task_text`` and ``foreground``.
"""

from __future__ import annotations

import json
import shlex
import signal
from pathlib import Path

from tests.support.fake_opencode import answer, say
from tests.support.jobs import Done, JobCase, node, script_of_test
from tests.support.typist import CTRL_C, END_OF_INPUT, Typist

KEYS_OF_SPEC = "[a]pprove  [v]iew  [e]dit  [r]evise  [q]uit > "
KEYS_OF_PLAN = "[a]pprove  [v]iew node  [e]dit  [t]ests  [r]evise  [q]uit > "
KEYS_OF_QUESTIONS = "[a]nswer  [e]dit  [c]ontinue  [q]uit > "
ASKED = {
    "questions": [
        {"question": "Which colour?", "options": ["red", "blue"], "recommended": 2},
        {"question": "Which name?", "why": "It is seen.", "options": ["x", "y"]},
    ]
}


class PersonCase(JobCase):
    """Gives ``self.person(…)``: director in a terminal, and an editor that does as it is told."""

    def setUp(self) -> None:
        super().setUp()
        self.env["PAGER"] = "cat"
        self.script_planning(node("a"))

    def person(self, *argv: str, columns: int = 80, out: Path | None = None) -> Typist:
        return Typist(self.repo.root, self.env, *argv, columns=columns, out=out)

    def editor(self, script: str) -> None:
        """Let the user's editor be a script, which finds the file in ``$1``."""
        program = self.tmp / "editor of mine"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        self.env["EDITOR"] = shlex.quote(str(program))

    def at_plan(self) -> None:
        self.ends(0, "plan", "make a")
        self.ends(0, "plan", "--continue")

    @property
    def stage(self) -> str:
        return str(self.stored("plan_stage.json")["stage"])

    def headings(self) -> list[str | None]:
        return [call.heading for call in self.fake.calls()]


class TestPauses(PersonCase):
    def paused(self) -> Done:
        """Return today's pause, as it is without a terminal."""
        return self.ends(0, "plan", "make a")

    def test_q_ctrl_c_and_the_end_of_input_pause_and_say_how_to_continue(self) -> None:
        what, _, following = self.paused().out.rpartition("\n\n")[2].splitlines(keepends=True)
        for leave in ("q\n", "quit\n", CTRL_C, END_OF_INPUT):
            with self.subTest(leave), self.person("plan", "make a") as person:
                person.sees(KEYS_OF_SPEC)
                person.presses(leave)
                code, rest = person.leaves()
                self.assertEqual(code, 0)
                self.assertTrue(rest.endswith(f"{what}{following}"), rest)
        self.assertEqual(self.headings(), ["Recon", "Spec"])
        self.assertEqual(self.left_behind(), [])

    def test_a_kill_during_a_question_ends_it_as_any_other(self) -> None:
        with self.person("plan", "make a") as person:
            person.sees(KEYS_OF_SPEC)
            person.signal(signal.SIGTERM)
            self.assertEqual(person.leaves()[0], 143)
        self.assertEqual(self.stage, "gate_spec")

    def test_an_editor_that_is_killed_leaves_the_terminal_as_it_was(self) -> None:
        self.editor("stty -echo raw < /dev/tty; kill -9 $$")
        with self.person("plan", "make a") as person:
            person.sees(KEYS_OF_SPEC)
            person.types("e")
            person.sees(KEYS_OF_SPEC)
            self.assertTrue(person.echoes)
            person.types("q")
            self.assertEqual(person.leaves()[0], 0)

    def test_nothing_is_asked_where_no_person_may_answer(self) -> None:
        self.paused()
        for flag in ("--json", "--no-input"):
            with self.subTest(flag), self.person("plan", "make a", flag) as person:
                code, rest = person.leaves()
                self.assertEqual(code, 0)
                self.assertNotIn("[q]uit", rest)
        with self.person("plan", "--continue", "--no-critique") as person:
            self.assertEqual(person.leaves()[0], 0)
        self.assertEqual(self.stage, "ready")

    def test_the_result_alone_goes_to_standard_output(self) -> None:
        out = self.tmp / "out"
        with self.person("plan", "make a", out=out) as person:
            person.sees(KEYS_OF_SPEC)
            person.types("q")
            person.leaves()
        lines = out.read_text().splitlines()
        self.assertEqual(lines[-1], "Next: director plan --continue")
        self.assertEqual(len(lines), 3)


class TestApproving(PersonCase):
    def test_both_approvals_in_one_process(self) -> None:
        with self.person("plan", "make a") as person:
            self.assertIn(str(self.home / "spec.md"), person.sees(KEYS_OF_SPEC))
            person.types("a")
            shown = person.sees(KEYS_OF_PLAN)
            self.assertIn("Layer 1\n  a  Make a", shown)
            self.assertIn("1 node in 1 layer", shown)
            person.types("a")
            code, rest = person.leaves()
        self.assertEqual(code, 0)
        self.assertIn("The plan is ready: 1 node", rest)
        self.assertEqual(self.stage, "ready")

    def test_what_changed_since_it_was_shown_is_shown_again(self) -> None:
        with self.person("plan", "make a") as person:
            person.sees(KEYS_OF_SPEC)
            (self.home / "spec.md").write_text("## As another person wants it\n")
            person.types("a")
            again = person.sees(KEYS_OF_SPEC)
            self.assertIn("changed on disk since it was shown", again)
            self.assertIn("As another person wants it", again)
            person.types("a")
            person.sees(KEYS_OF_PLAN)
            (self.home / "tests/tests/a.sh").write_text(script_of_test("a") + "# other\n")
            person.types("a")
            self.assertIn("changed on disk", person.sees(KEYS_OF_PLAN))
            person.types("a")
            self.assertEqual(person.leaves()[0], 0)
        self.assertIn("# other", str(self.on_branch("tests/a.sh")))

    def test_the_node_its_tests_and_the_spec_can_be_looked_at(self) -> None:
        self.fake.always("brainstorm", say("## Goal\n\nto be \x1b[31mred\x1b[0m"))
        with self.person("plan", "make a") as person:
            person.sees(KEYS_OF_SPEC)
            person.types("v")
            self.assertIn("to be red", person.sees(KEYS_OF_SPEC))
            person.types("a")
            person.sees(KEYS_OF_PLAN)
            for typed, shown in (
                ("v", "a.txt holds the word good"),  # there is only one
                ("v a", "sh tests/a.sh"),
                ("v nobody", "node not found: nobody\n  next: the nodes are: a"),
                ("t", "── tests/a.sh\ngrep -q good a.txt"),
                ("t a", "grep -q good a.txt"),
                ("t nobody", "node not found: nobody"),
                ("x", "Type one of the letters in brackets"),
                ("", "Type one of the letters in brackets"),
            ):
                with self.subTest(typed):
                    person.types(typed)
                    self.assertIn(shown, person.sees(KEYS_OF_PLAN))

    def test_what_is_refused_is_said_and_asked_again(self) -> None:
        self.at_plan()
        (self.home / "tests/tests/a.sh").write_text("exit 0\n")
        with self.person("plan", "make a") as person:
            person.sees(KEYS_OF_PLAN)
            person.types("a")
            seen = " ".join(person.sees(KEYS_OF_PLAN).split())
            self.assertIn("passes although nothing is implemented", seen)
            (self.home / "tests/tests/a.sh").write_text(script_of_test("a"))
            person.types("a")
            person.sees("changed on disk")
            person.sees(KEYS_OF_PLAN)
            person.types("a")
            self.assertEqual(person.leaves()[0], 0)
        self.assertEqual(self.stage, "ready")


class TestEditing(PersonCase):
    def test_spec_plan_and_tests_open_in_the_editor(self) -> None:
        self.editor(
            'echo "$1" >>"$HOME/edited"\n'
            'case "$1" in\n'
            '  *spec.md) printf "## Mine\\n" >"$1";;\n'
            '  *plan.json) sed -i s/"Make a"/"Make it good"/ "$1";;\n'
            '  *a.sh) echo "# mine" >>"$1";;\n'
            "esac"
        )
        with self.person("plan", "make a") as person:
            person.sees(KEYS_OF_SPEC)
            person.types("e")
            self.assertIn("Mine", person.sees(KEYS_OF_SPEC))
            person.types("a")
            person.sees(KEYS_OF_PLAN)
            person.types("e")
            self.assertIn("Make it good", person.sees(KEYS_OF_PLAN))
            for test in ("e a", "e tests/a.sh"):
                person.types(test)
                person.sees(KEYS_OF_PLAN)
            person.types("e README")
            self.assertIn("neither a node nor a test", person.sees(KEYS_OF_PLAN))
            person.types("a")
            self.assertEqual(person.leaves()[0], 0)
        edited = [Path(one).name for one in Path(self.env["HOME"], "edited").read_text().split()]
        self.assertEqual(edited, ["spec.md", "plan.json", "a.sh", "a.sh"])
        self.assertEqual(self.stored("plan.json")["nodes"][0]["title"], "Make it good")
        self.assertEqual(str(self.on_branch("tests/a.sh")).count("# mine"), 2)

    def test_a_plan_that_was_spoilt_is_said_and_can_be_edited_again(self) -> None:
        self.at_plan()
        self.editor('if [ -e "$1.was" ]; then mv "$1.was" "$1"; else mv "$1" "$1.was"; fi')
        with self.person("plan", "make a") as person:
            person.sees(KEYS_OF_PLAN)
            for said in ("there is no plan", "Make a"):
                person.types("e")
                self.assertIn(said, person.sees(KEYS_OF_PLAN))

    def test_an_editor_that_fails_is_named(self) -> None:
        self.editor("exit 3")
        with self.person("plan", "make a") as person:
            person.sees(KEYS_OF_SPEC)
            person.types("e")
            said = person.sees(KEYS_OF_SPEC)
            self.assertIn("exit code 3", " ".join(said.split()))
            self.assertIn("VISUAL", said)

    def test_a_ctrl_c_in_the_editor_is_the_editors(self) -> None:
        self.editor('trap "echo caught; exit 0" INT\necho ready\nwhile :; do sleep 0.05; done')
        self.env["VISUAL"] = self.env.pop("EDITOR")
        with self.person("plan", "make a") as person:
            person.sees(KEYS_OF_SPEC)
            person.types("e")
            person.sees("ready")
            person.presses(CTRL_C)
            person.sees("caught")
            person.sees(KEYS_OF_SPEC)
            person.types("q")
            self.assertEqual(person.leaves()[0], 0)


class TestRevising(PersonCase):
    def test_in_the_words_that_are_typed(self) -> None:
        with self.person("plan", "make a") as person:
            person.sees(KEYS_OF_SPEC)
            self.fake.always("brainstorm", say("the better spec"))
            person.types("r")
            person.sees("What should change? (an empty line ends it)")
            person.types("make it better")
            person.sees("> ")
            person.types("much better")
            person.sees("> ")
            person.types("")
            seen = person.sees(KEYS_OF_SPEC)
            self.assertIn("-the spec\n+the better spec", seen)
            person.types("r and shorter")
            self.assertIn("The spec is as it was.", person.sees(KEYS_OF_SPEC))
            person.types("q")
            person.leaves()
        prompts = [call.prompt for call in self.fake.calls() if call.heading == "Spec"]
        self.assertIn("## What the user wants changed\n\nmake it better\nmuch better", prompts[1])
        self.assertIn("and shorter", prompts[2])

    def test_nothing_typed_changes_nothing(self) -> None:
        with self.person("plan", "make a") as person:
            person.sees(KEYS_OF_SPEC)
            for leave in ("\n", CTRL_C):
                person.types("r")
                person.sees("What should change? (an empty line ends it)")
                person.presses(leave)
                person.sees(KEYS_OF_SPEC)
        self.assertEqual(self.headings(), ["Recon", "Spec"])


class TestAnswering(PersonCase):
    def setUp(self) -> None:
        super().setUp()
        self.fake.queue("brainstorm", answer(ASKED))

    def decisions(self) -> list[tuple[str, str]]:
        found = self.stored("plan_stage.json")["decisions"]
        return [(one["answer"], one["by"]) for one in found]

    def test_one_after_the_other(self) -> None:
        with self.person("plan", "make a") as person:
            shown = person.sees(KEYS_OF_QUESTIONS)
            self.assertIn("1. Which colour?\n   a: red\n   b: blue (recommended)", shown)
            self.assertIn("2. Which name?\n   It is seen.\n   a: x (recommended)", shown)
            person.types("a")
            person.sees("1. Which colour?")
            person.sees("as recommended) > ")
            person.types("")
            person.sees("2. Which name?")
            person.sees("as recommended) > ")
            person.types("my own")
            person.sees(KEYS_OF_SPEC)
        self.assertEqual(self.decisions(), [("blue", "person"), ("my own", "person")])

    def test_a_slip_is_said_and_nothing_is_settled(self) -> None:
        with self.person("plan", "make a") as person:
            person.sees(KEYS_OF_QUESTIONS)
            person.types("a")
            for typed in ("z", "a"):
                person.sees("as recommended) > ")
                person.types(typed)
            self.assertIn("a to b, not z", person.sees(KEYS_OF_QUESTIONS))
            for leave in (CTRL_C, END_OF_INPUT):
                person.types("a")
                person.sees("as recommended) > ")
                person.presses(leave)
                person.sees(KEYS_OF_QUESTIONS)
            person.types("q")
            code, rest = person.leaves()
        self.assertEqual(code, 0)
        self.assertIn("The planner needs 2 decisions from you", rest)
        self.assertEqual(self.decisions(), [])

    def test_in_the_editor(self) -> None:
        self.editor('sed -i "s/\\[ \\] a: red/[x] a: red/" "$1"')
        with self.person("plan", "make a") as person:
            person.sees(KEYS_OF_QUESTIONS)
            person.types("e")
            seen = person.sees(KEYS_OF_QUESTIONS)
            self.assertIn("Which colour?\n   red\n", seen)
            self.assertIn("x (as recommended)", seen)
            person.types("c")
            person.sees(KEYS_OF_SPEC)
        self.assertEqual(self.decisions(), [("red", "person"), ("x", "recommendation")])


class TestTask(PersonCase):
    def test_without_one_the_editor_opens(self) -> None:
        self.editor(
            'printf "make a\\n# not this\\n" >"$1.new"; cat "$1" >>"$1.new"; mv "$1.new" "$1"'
        )
        with self.person("plan") as person:
            person.sees(KEYS_OF_SPEC)
        self.assertEqual(self.stored("plan_stage.json")["task"], "make a")
        self.assertFalse((self.home / "TASK_EDITMSG").exists())

    def test_an_empty_one_plans_nothing(self) -> None:
        self.editor(":")
        with self.person("plan") as person:
            code, rest = person.leaves()
        self.assertEqual(code, 2)
        self.assertIn("nothing is planned: the task is empty", rest)
        self.assertFalse((self.home / "plan_stage.json").exists())
        self.assertEqual(self.fake.calls(), [])

    def test_what_was_written_is_there_again_after_an_error(self) -> None:
        self.editor('[ -s "$1.seen" ] || printf "make a\\n" >>"$1"; cp "$1" "$1.seen"')
        self.configure("[limits]\nprovider_retries = 0\n")
        (self.home / "config.toml").rename(self.home / "config.away")
        with self.person("plan") as person:
            self.assertEqual(person.leaves()[0], 2)
        (self.home / "config.away").rename(self.home / "config.toml")
        self.repo.write(".opencode/agents/planner.md", "---\nx\n---\n")
        with self.person("plan") as person:
            self.assertEqual(person.leaves()[0], 2)
        kept = (self.home / "TASK_EDITMSG").read_text()
        self.assertEqual(kept.count("make a"), 1)
        self.repo.write(".opencode/agents/planner.md", "---\n---\nplan\n")
        with self.person("plan") as person:
            person.sees(KEYS_OF_SPEC)
        self.assertEqual(json.loads((self.home / "plan_stage.json").read_text())["task"], "make a")

    def test_without_a_terminal_it_is_a_mistake(self) -> None:
        self.assertIn("plan needs a task", self.ends(2, "plan").err)
        with self.person("plan", "--json") as person:
            self.assertEqual(person.leaves()[0], 2)
