"""What the planning roles are told. The first line of each prompt says what is wanted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from director.agents.markdown import bullets, fenced
from director.model.codec.encoding import encode
from director.model.plan import Node


@dataclass(frozen=True)
class Background:
    """What is known of the repository: the explorer's recon, and how its tests run."""

    recon: str
    how_tests_run: str


def recon_prompt(task: str) -> str:
    """Return the explorer's prompt."""
    return _sections("Recon", Task=task)


def spec_prompt(task: str, recon: str, problems: Sequence[str], draft: str) -> str:
    """Return the brainstorm's prompt; ``problems`` and ``draft`` are those of a first version."""
    parts = {"Task": task, "Recon": recon}
    if problems:
        parts |= {"Your draft": draft, "Problems to solve in a new version": bullets(problems)}
    return _sections("Spec", **parts)


def spec_critique_prompt(task: str, spec: str) -> str:
    """Return the planner's prompt for the first approval."""
    return _sections("Critique of the spec", Task=task, Spec=spec)


def plan_prompt(
    spec: str,
    background: Background,
    gates: Mapping[str, str],
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
    if problems:
        parts |= {
            "Your last answer": fenced(draft),
            "Problems in it (answer again, whole and corrected)": bullets(problems),
        }
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


def _sections(heading: str, preamble: str = "", /, **parts: str) -> str:
    blocks = [f"# {heading}", preamble] if preamble else [f"# {heading}"]
    blocks += [f"## {title}\n\n{text.strip()}" for title, text in parts.items()]
    return "\n\n".join(blocks) + "\n"
