"""What the planning roles are told. The first line of each prompt says what is wanted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from director.agents.markdown import bullets, fenced
from director.model.codec.encoding import encode
from director.model.config import WorktreePolicy
from director.model.plan import Node
from director.model.questions import Decision
from director.model.testing.preflight import Observation, Outcome, Preflight

CONTRADICTED = (
    "A test of the repository that the change contradicts is part of the work: it belongs in "
    '"files" of the node that makes the change, which corrects it.'
)

NO_MORE_QUESTIONS = (
    "No further question will be answered. Decide what is open yourself, by what you would "
    "recommend, and say so where a reader sees it."
)
KEEP_THE_REST = (
    "Answer again, whole, with what the user wants. Keep every node that this does not touch "
    "exactly as it is, id and wording: its tests stay then. Where the wish is about tests, say in "
    'the "spec" of the node what they must check: they are written again from it.'
)

DIRECTORS_OWN = ("test_hashes", "amended", "repairs")  # fields of a node that no model writes


@dataclass(frozen=True)
class Background:
    """What is known of the repository: the explorer's recon, and how its tests run."""

    recon: str
    how_tests_run: str


def recon_prompt(task: str) -> str:
    """Return the explorer's prompt."""
    return _sections("Recon", Task=task)


@dataclass(frozen=True)
class Steering:
    """What people said to the planner.

    ``wishes`` is what they want changed in its draft ("": nothing). ``decisions`` answer its
    questions. ``last_round``: it may not ask again.
    """

    wishes: str = ""
    decisions: Sequence[Decision] = ()
    last_round: bool = False

    def sections(self) -> dict[str, str]:
        """Return the sections of a prompt that say so."""
        parts = {}
        if self.decisions:
            parts["Decisions"] = decisions_list(self.decisions)
        if self.last_round:
            parts["No more questions"] = NO_MORE_QUESTIONS
        if self.wishes:
            parts["What the user wants changed"] = self.wishes
        return parts


def decisions_list(decisions: Iterable[Decision]) -> str:
    """Return the questions that are settled, each with its answer."""
    return bullets(f"{one.question}\n  Decided: {one.answer}" for one in decisions)


def spec_prompt(
    task: str, recon: str, steering: Steering, problems: Sequence[str], draft: str
) -> str:
    """Return the brainstorm's prompt; ``problems`` and ``draft`` are those of a first version."""
    parts = {"Task": task, "Recon": recon}
    if problems or steering.wishes:
        parts["Your draft"] = draft
    parts |= steering.sections()
    if problems:
        parts["Problems to solve in a new version"] = bullets(problems)
    return _sections("Spec", **parts)


def spec_critique_prompt(task: str, spec: str, decisions: Sequence[Decision] = ()) -> str:
    """Return the planner's prompt for the first approval."""
    settled = {"Decisions": decisions_list(decisions)} if decisions else {}
    return _sections("Critique of the spec", Task=task, **settled, Spec=spec)


def plan_prompt(
    spec: str,
    background: Background,
    gates: Mapping[str, str],
    steering: Steering,
    problems: Sequence[str],
    draft: str,
) -> str:
    """Return the planner's prompt; ``problems`` and ``draft`` are those of its last answer."""
    checks = "\n".join(f"{name}: {command}" for name, command in gates.items())
    parts = {
        "Approved spec": spec,
        "Recon": background.recon,
        "How tests run here": background.how_tests_run,
    }
    if checks:
        parts["Checks on the finished branch"] = fenced(checks)
    if problems or steering.wishes:
        parts["Your last answer"] = fenced(draft)
    parts |= steering.sections()
    if problems:
        parts["Problems in it (answer again, whole and corrected)"] = bullets(problems)
    elif steering.wishes:
        parts["What to answer"] = KEEP_THE_REST
    return _sections("Plan", **parts)


def plan_critique_prompt(spec: str, nodes: Iterable[Node], tests: Mapping[str, bytes]) -> str:
    """Return the planner's prompt before the second approval; ``tests``: path → content."""
    described = [{k: v for k, v in encode(n).items() if k != "test_hashes"} for n in nodes]
    shown = "\n\n".join(
        f"{path}:\n\n{fenced(content.decode(errors='replace'))}" for path, content in tests.items()
    )
    plan = fenced(json.dumps({"nodes": described}, indent=2, ensure_ascii=False), "json")
    return _sections(
        "Critique of the plan", **{"Approved spec": spec, "Plan": plan, "Tests": shown}
    )


def tests_prompt(
    node: Node, background: Background, problem: str, extended: Sequence[str] = ()
) -> str:
    """Return the test author's prompt; ``problem`` is what was wrong with earlier tests, or "".

    ``extended`` are those of the test files that an earlier node began.
    """
    parts = {
        "Spec": node.spec,
        "Files its developer may change": bullets(node.files),
        "Test files to write": bullets(node.tests),
        "Test command": fenced(node.test_cmd),
        "How tests run here": background.how_tests_run,
        "Recon": background.recon,
    }
    if extended:
        parts["Test files that hold the tests of earlier nodes: keep these, add yours"] = bullets(
            extended
        )
    if problem:
        parts["What must change in your tests"] = problem
    return _sections("Tests", f"Node: {node.id}\nTitle: {node.title}", **parts)


AMEND_ANSWER = """\
Answer with one JSON object, and nothing before or after it:

{"node": {"spec": "…", "files": ["…"], "test_cmd": "…", "tests": ["…"]},
 "tests": "keep", "problem": ""}

- "node": of spec, files, test_cmd, tests, title, test_support, estimated_difficulty and type only
  what changes, each whole; the rest stays. "files" is all that its developer may change. Nothing
  else of the plan can change: not its id, not what it depends on, no other node.
- "tests": "keep" where the test files stay exactly as they are, else "rewrite": their author then
  writes them again from the spec.
- "problem": what must change in the tests, for their author ("" where they stay)."""


def amend_prompt(node: Node, circumstances: Mapping[str, str], words: str) -> str:
    """Return the planner's prompt for changing one node of an approved plan, in a user's ``words``.

    ``circumstances`` are further sections: title → text.
    """
    described = {k: v for k, v in encode(node).items() if k not in DIRECTORS_OWN}
    parts = {
        "Node as approved": fenced(json.dumps(described, indent=2, ensure_ascii=False), "json"),
        **circumstances,
        "What the user wants changed": words,
        "Your answer": AMEND_ANSWER,
    }
    return _sections("Amend", f"Node: {node.id}\nTitle: {node.title}", **parts)


def _sections(heading: str, preamble: str = "", /, **parts: str) -> str:
    blocks = [f"# {heading}", preamble] if preamble else [f"# {heading}"]
    blocks += [f"## {title}\n\n{text.strip()}" for title, text in parts.items()]
    return "\n\n".join(blocks) + "\n"


def how_tests_run(policy: WorktreePolicy, given: Iterable[str], found: Preflight) -> str:
    """Return the section; ``given`` are the paths that worktrees get from the user's checkout.

    Of commands only what was seen is said.
    """
    lines = [f"- {line}" for line in _facts(found)]
    return "\n".join([_holds(policy, given), "", *lines, f"- {CONTRADICTED}"])


def _holds(policy: WorktreePolicy, given: Iterable[str]) -> str:
    parts = ["the tracked files of one commit"]
    if policy.setup:
        parts.append(f"what `{policy.setup}` made there beforehand")
    if copies := ", ".join(f"`{path}`" for path in given if path not in policy.keep):
        parts.append(f"copies of {copies}")
    if builds := ", ".join(f"`{path}`" for path in policy.keep):
        parts.append(f"the build folders {builds}")
    listed = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    return (
        f"Tests run in worktrees. A worktree holds {listed}; nothing else: no file that git "
        "ignores, no environment, packages or build results of a user's checkout."
    )


def _facts(found: Preflight) -> Iterator[str]:
    if found.runners:
        yield f"Interpreter and test runner: {'; '.join(found.runners)}."
    for run in found.runs:
        seen = run.worktree
        if seen.ran_tests:
            yield f"Seen to run in a worktree, before any work: `{seen.command}` ({_result(seen)})."
        elif seen.outcome is Outcome.CANNOT_RUN:
            yield f"Cannot run in a worktree: `{seen.command}` ({seen.reason})."
        elif seen.outcome is not Outcome.ENDED:
            yield f"Shows no test in a worktree: `{seen.command}` ({_result(seen)})."
    if found.example_run:
        alone = f"`{found.example_run.command}` ({_result(found.example_run)})"
        yield f"An existing test file: `{found.example}`. Seen to run it alone: {alone}."
    elif found.example:
        yield f"An existing test file: `{found.example}`."


def _result(seen: Observation) -> str:
    tests = {None: "", 1: ", 1 test"}.get(seen.tests, f", {seen.tests} tests")
    return f"{seen.outcome}{tests}"
