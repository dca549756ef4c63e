"""The prompt at an approval: look at what waits, change it, approve it, or leave it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from director.command_line.dialogs.terminal import NOT_A_KEY, Terminal
from director.command_line.screens.plan_result import (
    changes_text,
    message,
    overview,
    questions_text,
)
from director.job.stage import Stage
from director.model.errors import RequestError
from director.model.naming import known_node
from director.model.plan import Node, Plan
from director.model.questions import PERSON, decided
from director.planning.context import PlanOptions
from director.planning.deciding import read_answers
from director.planning.pipeline import PlanReport
from director.planning.revising import digest
from director.records import files

PLAN_KEYS = "[a]pprove  [v]iew node  [e]dit  [t]ests  [r]evise  [q]uit"
SPEC_KEYS = "[a]pprove  [v]iew  [e]dit  [r]evise  [q]uit"
QUESTION_KEYS = "[a]nswer  [e]dit  [c]ontinue  [q]uit"
WHAT = "What should change? (an empty line ends it)\n> "
STALE = "It changed on disk since it was shown. This is how it is now:"

Wanted = PlanOptions | None
"""What a person wants done next; None: nothing now."""

Work = Callable[[PlanOptions], PlanReport]


def ask_until_done(
    terminal: Terminal, report: PlanReport, base: PlanOptions, work: Work
) -> PlanReport:
    """Ask at every approval, and have done what is wanted, until the person stops or all is done.

    ``base`` are the options that hold for all that is done. What a person can correct is said, and
    asked again; other errors are raised as they are.
    """
    while report.paused:
        wanted = _asked(terminal, report)
        if wanted is None:
            return report
        try:
            report = work(
                replace(wanted, parallel=base.parallel, allow_broken_gates=base.allow_broken_gates)
            )
        except RequestError as error:
            terminal.complain(error)
            report = replace(report, stale=False, revised=False)
    return report


def _asked(terminal: Terminal, report: PlanReport) -> Wanted:
    if report.stage.questions:
        return _Answers(terminal, report).ask()
    return _Approval(terminal, report).ask()


@dataclass
class _Approval:
    """One approval that waits. ``shown`` is the digest of what was shown last."""

    terminal: Terminal
    report: PlanReport
    shown: str = ""

    @property
    def at_spec(self) -> bool:
        return self.report.stage.stage is Stage.SPEC_APPROVAL

    @property
    def keys(self) -> str:
        return SPEC_KEYS if self.at_spec else PLAN_KEYS

    def ask(self) -> Wanted:
        """Return what is wanted at last: an approval, a revision, or nothing."""
        if self.report.stale:
            self.terminal.say(STALE)
        self._show()
        while (line := self.terminal.ask(f"{self.keys} > ")) is not None:
            key, rest = _parted(line)
            if key == "q":
                return None
            if key == "a":
                return PlanOptions(approve=True, shown=self.shown)
            if key == "r":
                wishes = rest or self.terminal.ask_text(WHAT)
                if wishes:
                    return PlanOptions(revise=wishes)
            else:
                self._obey(key, rest)
        return None

    def _obey(self, key: str, rest: str) -> None:
        orders = {"v": self._view, "e": self._edit}
        if not self.at_spec:
            orders["t"] = self._page_tests
        order = orders.get(key)
        if order is None:
            self.terminal.say(NOT_A_KEY)
            return
        try:
            order(rest)
        except RequestError as error:
            self.terminal.complain(error)

    def _show(self) -> None:
        """Show what waits, as it is on disk now."""
        directory, stage = self.report.directory, self.report.stage
        self.shown = digest(directory, stage)
        try:
            if not self.at_spec:
                self.report = replace(self.report, nodes=directory.load_plan().nodes)
            parts = [*changes_text(self.report), *overview(self.report, self.terminal.columns)]
        except RequestError as error:
            self.terminal.complain(error)
            return
        self.terminal.say("\n" + "\n\n".join(parts))
        for line in message(self.report).splitlines()[:-1]:
            self.terminal.say(line)

    def _view(self, rest: str) -> None:
        if self.at_spec:
            self.terminal.page(files.read_text(self.report.directory.spec) or "")
            return
        if node := self._node(rest):
            self.terminal.page(node_text(node))

    def _page_tests(self, rest: str) -> None:
        plan = self._plan()
        node = self._known(rest, plan) if rest else None
        if rest and node is None:
            return
        paths = dict.fromkeys(
            path for one in ([node] if node else plan.nodes) for path in one.tests
        )
        folder = self.report.directory.tests
        self.terminal.page("\n\n".join(_file_text(folder, path) for path in paths))

    def _edit(self, rest: str) -> None:
        """Edit the spec, or plan.json, or the tests of a node; then show all of it again."""
        for path in self._to_edit(rest):
            self.terminal.edit(path)
            self._show()

    def _to_edit(self, rest: str) -> Sequence[Path]:
        directory = self.report.directory
        if self.at_spec:
            return [directory.spec]
        if rest in ("", directory.plan.name):
            return [directory.plan]
        plan = self._plan()
        paths = plan.node(rest).tests if rest in plan else (rest,)
        if unknown := [path for path in paths if path not in plan.owners]:
            self.terminal.say(f"{unknown[0]} is neither a node nor a test of the plan")
            return []
        return [directory.tests / path for path in paths]

    def _node(self, name: str) -> Node | None:
        """Return the node of that name, or of the one that is typed."""
        plan = self._plan()
        if not name and len(plan.nodes) == 1:
            return plan.nodes[0]
        name = name or self.terminal.ask("Which node? ") or ""
        return self._known(name, plan) if name else None

    def _known(self, name: str, plan: Plan) -> Node | None:
        try:
            return known_node(plan, name)
        except RequestError as error:
            self.terminal.complain(error)
            return None

    def _plan(self) -> Plan:
        return self.report.directory.load_plan()


def _parted(line: str) -> tuple[str, str]:
    """Return the letter that a line begins with, of a word or by itself, and what follows."""
    word, _, rest = line.partition(" ")
    return word[:1].lower(), rest.strip()


def _file_text(folder: Path, path: str) -> str:
    text = files.read_beginning(folder / path).rstrip()
    return f"── {path}\n{text or '(empty, or missing)'}"


def node_text(node: Node) -> str:
    """Return all that a plan says of a node."""
    told = {
        "files": ", ".join(node.files),
        "tests": ", ".join(node.tests),
        "command": node.test_cmd,
        "waits for": ", ".join(node.depends_on) or "–",
        "difficulty": node.estimated_difficulty,
    }
    width = max(map(len, told))
    lines = [f"{label:{width}}  {text}" for label, text in told.items()]
    return "\n".join([f"{node.id}  {node.title}", "", *lines, "", node.spec])


@dataclass
class _Answers:
    """Questions of the planner that wait."""

    terminal: Terminal
    report: PlanReport

    def ask(self) -> Wanted:
        """Return the answers, when there are any; None: nothing is answered now."""
        asked = self.report.stage.questions
        self.terminal.say("\n" + questions_text(asked, self.terminal.columns))
        while (line := self.terminal.ask(f"{QUESTION_KEYS} > ")) is not None:
            key, _ = _parted(line)
            if key == "q":
                return None
            if key == "c":
                return PlanOptions(approve=True)
            if key == "a" and (answers := self._typed()) is not None:
                return PlanOptions(approve=True, answers=tuple(answers))
            if key == "e":
                self._edit()
            elif key != "a":
                self.terminal.say(NOT_A_KEY)
        return None

    def _typed(self) -> list[str] | None:
        """Return the answers that are typed, one to each question; None: the person stopped."""
        answers: list[str] = []
        for number, one in enumerate(self.report.stage.questions, 1):
            self.terminal.say(
                questions_text((one,), self.terminal.columns).replace("1.", f"{number}.", 1)
            )
            line = self.terminal.ask("A letter, or your own words (Enter: as recommended) > ")
            if line is None:
                return None
            answers.append(f"{number}: {line or one.advice}")
        return answers

    def _edit(self) -> None:
        """Edit the file with the questions, and say what it answers then."""
        directory, asked = self.report.directory, self.report.stage.questions
        try:
            self.terminal.edit(directory.questions)
            found = decided(asked, read_answers(directory, asked))
        except RequestError as error:
            self.terminal.complain(error)
            return
        for one in found:
            how = "" if one.by == PERSON else " (as recommended)"
            self.terminal.say(f"{one.question}\n   {one.answer}{how}")
