"""What a person sees of a job, in each way in which it may stand.

With it: ``status.status``, ``layout``, ``status.failures``, ``status.nodes``,
``status.next_steps``.
"""

from __future__ import annotations

import re
import unittest

from director.job.stage import Stage
from director.model.cost import Cost
from director.model.errors import AGAIN
from director.model.questions import Question
from director.model.roles import Role
from director.model.state import NodeStatus
from director.records.worktrees_record import KeptWorktrees
from director.reporting.status.next_steps import Asked
from director.reporting.status.screen import View, render
from director.reporting.status.status import (
    Gate,
    LiveCall,
    NodeNow,
    Process,
    Standing,
    Status,
)
from director.reporting.terminal.cells import width_of, wrapped
from director.reporting.terminal.layout import shortened
from director.reporting.terminal.style import style_of_width
from tests.reporting.status.statuses import (
    ADDRESS,
    HEADLINE,
    attempts,
    example,
    failed,
    failure,
    node,
    status,
    stopped,
    working,
)

RED = Gate(
    "unit", "make test", "red", "exit code 2", "logs/integration.unit.log", "node-002",
    "turned red by the merge of node-002 (0123456789)",
)  # fmt: skip
EXAMPLE = """\
✗ 2 of 3 nodes done, 1 failed.                         $0.0900 + 5 unpriced · 1.5 s
  job 20270115-080000-abcd · ended @
  Add a table of contents

✗ node-001  module 1                3 attempts: executor, executor, escalation
    python3 -m unittest tests.test_mod_001   exit code 1 (same failure 3 times)
    │ tests/test_mod_001.py:2
    │ ImportError: cannot import name 'f' from 'mod_001'
    output  .director/logs/node-001.3.gate.log      (22 lines)
    diff    director status --node node-001 --diff
    agent   director logs node-001

Next, one of:
    director amend node-001                        the test or the spec is wrong
    director run --retry-failed --node node-001    try again (fresh attempts)
    director take node-001                         write it yourself, same gate"""


def pending(*names: str) -> list[NodeNow]:
    return [node(name, NodeStatus.PENDING) for name in names]


STANDINGS: dict[Standing, Status] = {
    Standing.WORKING: working(
        node("node-000"),
        node(
            "node-001",
            NodeStatus.RUNNING,
            cost=Cost(0.0009),
            live=LiveCall("executor", 2, "executor", "m", "2027-01-15T07:58:12Z", 0, "edit", "a"),
        ),
        node("node-002", NodeStatus.PENDING),
    ),
    Standing.DECIDING: status(
        stage=Stage.SPEC,
        runs=0,
        questions=(
            Question("Which format?", ("JSON", "YAML"), 1),
            Question("And what about files that are not there, or cannot be read?"),
        ),
        end=stopped("decision_needed", 2),
    ),
    Standing.APPROVING: status(stage=Stage.PLAN_APPROVAL, runs=0),
    Standing.PLANNING: status(stage=Stage.DECOMPOSE, runs=0, end=None),
    Standing.KILLED: status(
        node("node-000"), node("node-001", NodeStatus.RUNNING), killed=True, end=None
    ),
    Standing.STOPPED: status(node("node-000"), *pending("node-001"), end=stopped()),
    Standing.FAILED: example(),
    Standing.INTEGRATION_RED: status(
        node("node-000"), node("node-002"), integration_ok=False, gates=(RED,)
    ),
    Standing.READY: status(*pending("node-000", "node-001"), runs=0, end=None),
    Standing.DONE: status(node("node-000"), node("node-001"), integration_ok=True,
                          integration_words="green", gates=(RED._replace(verdict="green"),)),
    Standing.AMENDING: status(node("node-000"), *pending("node-001"), amending="node-001"),
}  # fmt: skip


def shown(of: Status, width: int = 80, **how: bool) -> str:
    return render(of, style_of_width(width, **how))


def flat(of: Status, width: int = 80) -> str:
    return re.sub(r"(?: \\)?\n\s*", " ", shown(of, width))


class TestExample(unittest.TestCase):
    def test_a_person_sees_cause_file_and_next_command(self) -> None:
        screen = re.sub(r"ended [\d:-]+( [\d:]+)?", "ended @", shown(example()))
        for line in EXAMPLE.splitlines():
            for part in re.split(r" {3,}", line):
                self.assertIn(part, screen)
        self.assertEqual(len(screen.splitlines()), len(EXAMPLE.splitlines()))

    def test_amending_comes_first_where_all_attempts_failed_alike(self) -> None:
        steps = re.findall(r"^ {4}director (\w+)", shown(example()).partition("Next")[2], re.M)
        self.assertEqual(steps, ["amend", "run", "take"])

    def test_trying_again_comes_first_where_they_failed_in_several_ways(self) -> None:
        said = shown(status(failed("node-001", "one", "two", "two"), node("node-000")))
        self.assertNotIn("same failure", said)
        steps = re.findall(r"^ {4}director (\w+)", said.partition("Next")[2], re.M)
        self.assertEqual(steps, ["run", "amend", "take"])

    def test_one_attempt_is_no_sign(self) -> None:
        self.assertNotIn("same failure", shown(status(failed("node-001", HEADLINE))))


class TestStandings(unittest.TestCase):
    def test_each_is_what_it_is_made_for(self) -> None:
        self.assertEqual(set(STANDINGS), set(Standing))
        for standing, one in STANDINGS.items():
            self.assertIs(one.standing, standing)

    def test_no_line_is_too_long_and_no_word_is_broken(self) -> None:
        for standing, one in STANDINGS.items():
            words = set(shown(one, 200).split())
            for width in (40, 60, 80, 120, 200):
                screen = shown(one, width)
                for line in screen.splitlines():
                    alone = len(line.split()) <= 2  # one word, with a bar or a backslash
                    self.assertTrue(width_of(line) <= width or alone, f"{standing} {width}: {line}")
                extra = set(screen.split()) - words - {"\\", "…", "│"}
                self.assertFalse(
                    {one for one in extra if one.endswith("…") and len(one) > 1}, (standing, width)
                )

    def test_each_names_a_next_command_at_every_width(self) -> None:
        for standing, one in STANDINGS.items():
            for width in (40, 80, 200):
                self.assertRegex(shown(one, width), r"\n    (director|git) \w+", standing)

    def test_ascii_where_there_are_no_other_letters(self) -> None:
        for standing, one in STANDINGS.items():
            self.assertTrue(shown(one, unicode=False).isascii(), standing)

    def test_colour_changes_nothing_else(self) -> None:
        for one in STANDINGS.values():
            coloured = shown(one, colour=True)
            self.assertIn("\x1b[", coloured)
            self.assertEqual(
                [line.rstrip() for line in re.sub(r"\x1b\[[\d;]*m", "", coloured).splitlines()],
                shown(one).splitlines(),
            )

    def test_a_job_that_is_worked_on(self) -> None:
        said = shown(STANDINGS[Standing.WORKING], 120)
        self.assertIn("● 1 of 3 nodes done, 1 running, 1 waiting.", said)
        self.assertRegex(said, r"director run \(process 4711\) since [\d:-]+.*, 2 lanes")
        self.assertRegex(said, r"● +node-001 +running +executor +2 +\$0\.0009 +1:48 +edit a")
        self.assertRegex(said, r"– +node-002 +pending +– +– +– +– +module 2")

    def test_planning_under_way(self) -> None:
        process = Process(7, "director plan", "", None)
        said = shown(status(stage=Stage.DECOMPOSE, process=process, runs=0, end=None))
        self.assertIn("Planning is under way: nodes and their tests are being written.", said)
        self.assertIn("stop it; `director plan --continue` continues", said)

    def test_when_it_is_shown_again_in_a_moment_there_is_no_advice(self) -> None:
        said = render(STANDINGS[Standing.WORKING], style_of_width(80), View(again=True))
        self.assertNotIn("Next", said)

    def test_after_the_last_node_the_integration_gate_runs(self) -> None:
        self.assertIn("1 of 1 node done; the integration gate comes", shown(working(node("a"))))

    def test_another_command_is_named_with_what_continues_it(self) -> None:
        done = working(node("a"))
        for command, later in (
            ("director land", "stop it; the same command again continues"),
            ("director run", "stop it; `director run` continues"),
        ):
            with self.subTest(command):
                process = Process(7, command, "", None)
                said = shown(done._replace(process=process))
                self.assertRegex(said, rf" director stop +{later}")
                self.assertEqual("director land is at work." in said, command == "director land")

    def test_what_planning_is_at(self) -> None:
        calls = {"planning": LiveCall("planner", since="2027-01-15T07:59:00Z", tool="read a.py")}
        process = Process(7, "director plan", "", None, calls)
        author = LiveCall("test_author", 1, usd=0.5, tool="write", argument="tests/a.sh")
        one = node("a", NodeStatus.PENDING, live=author, cost=Cost(0.5))
        said = shown(status(one, stage=Stage.DECOMPOSE, process=process, runs=0, end=None), 100)
        self.assertRegex(said, r"● +planning +running +planner +– +– +1:00 +read a\.py")
        self.assertRegex(said, r"● +a +pending +test_author +1 +\$0\.5000 +– +write tests/a\.sh")

    def test_a_stop_for_an_outside_reason(self) -> None:
        said = flat(STANDINGS[Standing.STOPPED])
        self.assertIn("Stopped: the provider refuses more calls: 429 Too Many Requests;", said)
        self.assertIn("1 of 2 nodes done, 1 waiting.", said)
        self.assertIn("Next: wait a while, then run the command again", said)
        self.assertRegex(said, r" director run +continue where it was")

    def test_an_interrupt(self) -> None:
        end = stopped("interrupted", 130, what="stopped by SIGINT", next_step="run it again")
        self.assertIn("■ Stopped by SIGINT; 1 of 1 node done.", flat(status(node("a"), end=end)))

    def test_the_command_that_continues_is_not_also_said_in_words(self) -> None:
        end = stopped("interrupted", 130, what="stopped by SIGINT", next_step=AGAIN)
        said = flat(status(node("a"), *pending("b"), end=end))
        self.assertRegex(said, r"Next: director run +continue where it was")

    def test_a_stop_in_planning_is_continued_by_planning(self) -> None:
        said = flat(status(stage=Stage.SPEC, end=stopped("ceiling"), runs=0))
        self.assertIn("director plan --continue", said)
        self.assertNotIn("director run", said)

    def test_failed_nodes_are_explained_beside_a_stop(self) -> None:
        said = flat(status(failed(), *pending("b"), end=stopped()))
        self.assertIn("│ " + HEADLINE, said)
        self.assertRegex(said, r"director run +continue.*director amend node-001")

    def test_a_run_that_was_killed(self) -> None:
        said = flat(STANDINGS[Standing.KILLED])
        self.assertIn("the run was killed; 1 of 2 nodes done, 1 interrupted.", said)
        self.assertRegex(said, r"director run +continue where it was")

    def test_approvals(self) -> None:
        spec = status(stage=Stage.SPEC_APPROVAL, runs=0)
        self.assertIn("Planning waits for your approval of the spec.", shown(spec))
        self.assertIn("waiting since", shown(spec))
        said = shown(STANDINGS[Standing.APPROVING])
        self.assertIn("plan", said)
        self.assertIn("director plan --revise", said)

    def test_questions_of_the_planner(self) -> None:
        said = shown(STANDINGS[Standing.DECIDING])
        self.assertIn("The planner lacks 2 decisions that only you can make.", said)
        self.assertIn("1. Which format?\n     a) JSON\n   * b) YAML\n2. And", said)
        self.assertIn(".director/questions.md", said)
        self.assertRegex(said, r"director plan --answer '1: a' +answer here")

    def test_a_red_integration_gate_names_who_turned_it_red(self) -> None:
        said = shown(STANDINGS[Standing.INTEGRATION_RED])
        self.assertIn("2 of 2 nodes done, but the integration gate is red.", said)
        self.assertRegex(said, r"✗ unit +integration gate")
        self.assertIn("make test", said)
        self.assertIn("turned red by the merge of node-002", said)
        self.assertIn(".director/logs/integration.unit.log", said)
        self.assertRegex(said, r"git switch -c fix director/job-\S+\s+fix it there")

    def test_a_gate_that_was_red_before_is_not_shown(self) -> None:
        gates = (RED, RED._replace(name="lint", red_before=True))
        said = shown(STANDINGS[Standing.INTEGRATION_RED]._replace(gates=gates))
        self.assertNotIn("lint", said)

    def test_everything_done(self) -> None:
        said = flat(STANDINGS[Standing.DONE])
        self.assertIn("✓ Everything is done (2 nodes): the integration gate is green.", said)
        self.assertRegex(said, r"git diff b{12} director/job-\S+ .*director land")

    def test_a_branch_that_could_not_be_published(self) -> None:
        said = flat(STANDINGS[Standing.DONE]._replace(unpublished="it is checked out"))
        self.assertIn("could not be updated in your repository: it is checked out", said)
        self.assertIn(f"git fetch {ADDRESS}/job.git director/job-", said)

    def test_a_node_that_is_being_amended(self) -> None:
        said = flat(STANDINGS[Standing.AMENDING])
        self.assertIn("Node node-001 waits for your approval; 1 of 2 nodes done", said)
        self.assertIn("director amend node-001 --cancel", said)

    def test_a_node_that_a_person_writes(self) -> None:
        taken = node("node-001", NodeStatus.TAKEN)
        place = "/state/taken-node-001-1a2b/agents/slot-1"
        said = flat(status(node("node-000"), taken, taken={"node-001": place}))
        self.assertIn("1 of 2 nodes done, 1 taken by you", said)
        self.assertIn(f"node-001 is written in {place}", said)
        self.assertIn("director give node-001", said)
        self.assertNotIn("director run", said)
        beside = flat(status(failed("node-002"), taken))
        self.assertIn("director give node-001", beside)
        self.assertIn("director run --retry-failed", beside)

    def test_nothing_happened_yet_is_not_nothing(self) -> None:
        one = STANDINGS[Standing.READY]
        said = shown(one._replace(cost=type(one.cost)()))
        self.assertRegex(said, r"– 0 of 2 nodes done: the plan is ready\. +–\n")
        self.assertNotIn("$0", said)
        self.assertNotIn("0.0 s", said)


class TestNodes(unittest.TestCase):
    def test_what_failed_without_an_attempt_names_the_environment(self) -> None:
        error = "something is missing in the worktree: the module yaml"
        one = node("a", NodeStatus.FAILED, environment=True, error=error)
        said = flat(status(one))
        self.assertIn("no attempt was made", said)
        self.assertIn(f"│ {error}", said)
        self.assertIn("Next: provide what is missing with `setup`", said)
        self.assertIn("director doctor", said)
        self.assertNotIn("director logs a", said)

    def test_an_environment_is_no_reason_to_amend_first(self) -> None:
        said = shown(status(failed(environment=True)))
        self.assertIn("its environment, not a model, made it fail", said)
        steps = re.findall(r"^ {4}director (\w+)", said.partition("Next")[2], re.M)
        self.assertEqual(steps[0], "doctor")

    def test_failures_without_a_gate_are_told_in_words(self) -> None:
        other = failure(
            "You changed nothing.", kind="unchanged", command="", exit_code=None, excerpt="", log=""
        )
        one = node("a", NodeStatus.FAILED, past_attempts=attempts(other), failure=other, attempts=1)
        said = shown(status(one))
        self.assertIn("    the agent changed nothing\n    │ You changed nothing.\n", said)
        self.assertNotIn("output", said)

    def test_records_of_an_earlier_version_say_what_they_know(self) -> None:
        one = node("a", NodeStatus.FAILED, error="The tests fail.\nSee above.", attempts=2,
                   past_attempts=attempts(None, None))  # fmt: skip
        said = shown(status(one))
        self.assertIn("    │ The tests fail.\n    │ See above.\n", said)
        self.assertNotIn("same failure", said)

    def test_a_headline_that_is_not_in_the_excerpt_stands_before_it(self) -> None:
        one = failed("a", *["wrong"] * 2, failure=failure("wrong", excerpt="1\n2\n3"))
        self.assertIn("│ wrong\n    │ 1\n    │ 2\n", shown(status(one)))

    def test_a_node_that_a_person_has_is_given_back_first(self) -> None:
        taken = node("a", NodeStatus.TAKEN)
        said = shown(status(taken, failed("b")))
        self.assertIn("0 of 2 nodes done, 1 failed, 1 taken by you.", said)
        self.assertRegex(said, r"Next, one of:\n    director give a +merge")
        self.assertRegex(shown(status(taken)), r"‖ +a +taken")
        self.assertNotIn("director run", shown(status(taken)))

    def test_blocked_nodes_stand_together_with_what_they_wait_for(self) -> None:
        behind = [
            node("cli", NodeStatus.BLOCKED, depends_on=["node-001"]),
            node("readme", NodeStatus.BLOCKED, depends_on=["cli", "node-000"]),
        ]
        said = shown(status(node("node-000"), failed(), *behind))
        self.assertIn("– cli, readme   wait for node-001 (blocked)", said)
        self.assertIn("director run --retry-failed  ", said)  # alone they would stay blocked

    def test_of_many_nodes_only_what_matters_is_listed(self) -> None:
        many = [node(f"n-{number}") for number in range(31)]
        busy = node("busy", NodeStatus.RUNNING, tier_used=Role.EXECUTOR)
        said = shown(working(*many, busy, failed("bad")))
        self.assertIn("31 of 33 nodes done, 1 failed, 1 running", said)
        self.assertNotIn("n-7", said)
        self.assertRegex(said, r"● +busy")
        self.assertIn("✗ bad", said)
        everything = render(working(*many, busy), style_of_width(80), View(everything=True))
        self.assertIn("n-7", everything)

    def test_thirty_are_not_many(self) -> None:
        self.assertIn("n-7", shown(status(*[node(f"n-{number}") for number in range(30)])))

    def test_of_many_failed_nodes_some_are_explained_and_all_are_counted(self) -> None:
        said = shown(status(*[failed(f"bad-{number}") for number in range(40)]))
        self.assertEqual(said.count("same failure"), 5)
        self.assertIn("✗ bad-6  ImportError", said)
        self.assertIn("and 15 more that failed", said)
        self.assertLessEqual(said.partition("Next")[2].count("director"), 6)

    def test_the_next_commands_name_what_was_asked_for(self) -> None:
        asked = Asked(repo="my repo", job=None)
        said = render(example(), style_of_width(200), View(asked))
        self.assertIn("director amend node-001 --repo 'my repo'", said)
        self.assertIn("director logs node-001 --repo 'my repo'", said)
        done = render(STANDINGS[Standing.DONE], style_of_width(200), View(asked))
        self.assertIn("director land --repo 'my repo'", done)
        self.assertIn("director run --retry-failed --node node-001 --parallel 4",
                      shown(example()._replace(lanes=4), 200))  # fmt: skip

    def test_another_job_is_looked_at_or_brought_back(self) -> None:
        view = View(Asked(job="20270101-000000-0000", archived=True))
        said = render(example(), style_of_width(200), view)
        self.assertIn("director plan --resume 20270101-000000-0000", said)
        self.assertIn("director logs node-001 --job 20270101-000000-0000", said)
        self.assertNotIn("amend", said)

    def test_what_others_wrote_does_nothing_to_the_terminal(self) -> None:
        nasty = "\x1b[31mred\x1b[0m \x1b]0;owned\x07 \u202eback \x9b2J"
        one = failed("a", nasty, title="a\rb", failure=failure(nasty, excerpt=f"{nasty}\nline"),
                     error=nasty)  # fmt: skip
        end = stopped(what=nasty, next_step=nasty)
        gate = RED._replace(name=nasty, note=nasty, reason=nasty, command=nasty)
        screens = [
            shown(status(one, node("b", title=nasty), task=nasty, end=end)),
            shown(STANDINGS[Standing.INTEGRATION_RED]._replace(gates=(gate,), task=nasty)),
            shown(
                working(node("a", NodeStatus.RUNNING, live=LiveCall(tool=nasty, argument=nasty)))
            ),
        ]
        for screen in screens:
            self.assertIn("red", screen)
            self.assertTrue(all(line.isprintable() for line in screen.split("\n")), repr(screen))

    def test_wide_letters_take_two_cells(self) -> None:
        one = failed("a", "失敗" * 60, title="目次を追加する" * 4)
        for width in (40, 80):
            for line in shown(status(one, task="目次を" * 40), width).splitlines():
                self.assertTrue(width_of(line) <= width or len(line.split()) <= 3, line)

    def test_damaged_records_are_noted(self) -> None:
        said = shown(example()._replace(damaged_lines={"costs.jsonl": 2}))
        self.assertIn("skipped 2 damaged lines in costs.jsonl", said)


class TestText(unittest.TestCase):
    def test_lines_break_between_words(self) -> None:
        self.assertEqual([*wrapped("one two three", 8)], ["one two", "three"])
        self.assertEqual([*wrapped("    indented line", 13)], ["    indented", "line"])
        self.assertEqual([*wrapped("a-very-long-word x", 5)], ["a-very-long-word", "x"])
        self.assertEqual([*wrapped("", 5)], [""])

    def test_what_is_left_out_is_marked(self) -> None:
        self.assertEqual(shortened("one two three", 10), "one two …")
        self.assertEqual(shortened("unbreakable", 6), "unbre…")

    def test_a_width_stays_in_its_bounds(self) -> None:
        self.assertEqual([style_of_width(one).width for one in (3, 90, 999)], [40, 90, 200])


class TestKept(unittest.TestCase):
    def test_prepared_worktrees_are_no_part_of_the_screen(self) -> None:
        kept = KeptWorktrees(ADDRESS, 10, "")
        self.assertEqual(shown(example()._replace(kept=kept)), shown(example()))
