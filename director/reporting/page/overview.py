"""The sections about the whole job: verdict, failures, spec and plan, how to reproduce it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from director.job.stage import Stage
from director.model.failure import Failure
from director.model.format import counted, duration
from director.model.printable import one_line
from director.model.roles import Role
from director.model.state import NodeStatus
from director.reporting.page.costs import against_ceiling
from director.reporting.page.elements import Child, Element, tag
from director.reporting.page.marks import (
    clock,
    command,
    facts,
    icon,
    link_to,
    table,
)
from director.reporting.page.node_part import failed
from director.reporting.page.page import NodePart, Page
from director.reporting.status.status import Gate, Standing

EXPLAINED = 10  # failed nodes that are explained; others have a line each
LISTED = 60  # nodes that are named one by one
SHORT = 12  # digits of an id that people read


def verdict_part(page: Page) -> Iterator[Child]:
    """Give the verdict, the task, and what the job cost."""
    status = page.status
    yield tag("p", f"Job {status.job_id}", class_="quiet")
    yield tag("h1", page.sentence, class_=page.colour)
    yield tag("p", status.task, class_="task")
    yield tag("ul", _counts(page), class_="counts") if page.nodes else ""
    verified = page.verified
    colour = {True: "good", False: "bad", None: None}[verified.holds]
    yield facts(
        ("cost", against_ceiling(page)),
        ("verify", [tag("span", verified.words, class_=colour)]),
        ("integration gate", one_line(status.integration_words) if status.runs else None),
        ("runs", _runs(page)),
        ("landing", _landed(page)),
        ("branch", [tag("code", status.job_branch)]),
        ("base", [tag("code", status.base_commit[:SHORT])]),
        ("planning", status.stage.words if status.stage is not Stage.READY else None),
        ("at work", _process(page)),
    )
    yield from next_steps(page)


def _counts(page: Page) -> Iterator[Element]:
    for kind in NodeStatus:
        count = len(page.status.of(kind))
        if count:
            yield tag("li", icon(kind), f"{count} {kind}")


def _runs(page: Page) -> str | None:
    status = page.status
    if not status.runs:
        return None
    lanes = f", {counted(status.lanes, 'lane')} in the last" if status.lanes else ""
    return f"{counted(status.runs, 'run')}, {duration(status.run_secs)}{lanes}"


def _landed(page: Page) -> list[Child] | str | None:
    """Return where the work went, how and when, and what a model resolved for that."""
    landed = page.status.landed
    if landed is None:
        return "not yet" if page.status.standing is Standing.DONE else None
    when = clock(landed.at)
    said: list[Child] = [one_line(f"{landed.in_words()}{f', {when}' if when else ''}")]
    if landed.resolved:
        files = (tag("li", tag("code", one_line(path))) for path in landed.resolved[:LISTED])
        more = len(landed.resolved) - LISTED
        said.append(tag("ul", files, tag("li", f"and {more} more") if more > 0 else None))
    return said


def _process(page: Page) -> str | None:
    found = page.status.process
    if found is None:
        return None
    since = f" since {clock(found.since)}" if found.since else ""
    calls = [
        f"{name}: {call.role} {one_line(f'{call.tool} {call.argument}').strip()}".strip()
        for name, call in found.calls.items()
    ]
    return f"{found.command}{since}" + (f" ({'; '.join(calls)})" if calls else "")


def next_steps(page: Page) -> Iterator[Child]:
    """Give what to do next: what no command can do, and commands."""
    given = page.advice
    if not given.first and not given.steps:
        return
    yield tag("h2", "Next")
    if given.first:
        yield tag("p", given.first)
    steps = ((shlex.join(step.command), step.why) for step in given.steps)
    yield tag("ul", (command(text, why) for text, why in steps), class_="commands")


def failures_part(page: Page) -> Iterator[Child]:
    """Give what failed and why; nothing where nothing did."""
    found = page.failed
    gates = page.status.red_gates
    if not found and not gates:
        return
    yield tag("h2", "Failures")
    yield from map(_failed_node, found[:EXPLAINED])
    yield from map(_red_gate, gates)
    if rest := found[EXPLAINED:]:
        yield tag("h3", f"{len(rest)} more that failed")
        yield tag("ul", map(_failed_line, rest[:LISTED]))
    waiting = page.status.of(NodeStatus.BLOCKED)
    if waiting:
        yield tag("h3", f"{counted(len(waiting), 'node')} blocked by them")
        named: list[Child] = []
        for node in waiting[:LISTED]:
            named += [", ", link_to(node.id)] if named else [link_to(node.id)]
        more = len(waiting) - LISTED
        yield tag("p", named, f" and {more} more" if more > 0 else None)


def _failed_node(part: NodePart) -> Element:
    failure, state = part.now.failure, part.now.state
    tries = counted(state.attempts, "attempt") if state.attempts else "no attempt was made"
    same = f", all {part.now.same_failure} with the same failure" if part.now.same_failure else ""
    return tag(
        "article",
        tag("h3", icon(NodeStatus.FAILED), link_to(part.node.id), f" {one_line(part.node.title)}"),
        tag("p", f"{tries}{same}", class_="quiet"),
        failed(failure or Failure(""), state.error or ""),
        tag("ul", (command(text, why) for text, why in part.next), class_="commands"),
        class_="failure",
    )


def _failed_line(part: NodePart) -> Element:
    failure = part.now.failure
    said = (failure.headline if failure else "") or part.now.state.error or ""
    return tag("li", link_to(part.node.id), f": {one_line(said)}")


def _red_gate(gate: Gate) -> Element:
    failure = gate.failure or Failure(gate.verdict, gate.command, headline=gate.reason)
    return tag(
        "article",
        tag("h3", icon(NodeStatus.FAILED), f"integration gate {one_line(gate.name)}"),
        failed(failure),
        tag("p", one_line(gate.note)) if gate.note else None,
        tag("p", "turned red by ", link_to(gate.culprit)) if gate.culprit else None,
        class_="failure",
    )


def plan_part(page: Page) -> Iterator[Child]:
    """Give the spec and the plan."""
    yield tag("h2", "Spec and plan")
    if page.status.questions:
        yield tag("h3", "Decisions that the planner asks for")
        yield tag("ol", (tag("li", one.question) for one in page.status.questions))
    if page.spec.strip():
        yield tag(
            "details",
            tag("summary", "Spec"),
            tag("pre", page.spec.strip(), class_="prose", tabindex="0"),
            data_key="spec",
            open=True,
        )
    if page.no_plan:
        yield tag("p", page.no_plan, class_="bad")
    if page.plan:
        yield tag(
            "details",
            tag("summary", f"Plan ({counted(len(page.nodes), 'node')})"),
            _plan_table(page.nodes),
            data_key="plan",
        )
    if not page.spec.strip() and not page.plan and not page.no_plan:
        yield tag("p", "Neither is written yet.")


def _plan_table(nodes: Sequence[NodePart]) -> Element:
    header = ("node", "title", "waits for", "may change", "command")
    rows = (
        (
            link_to(part.node.id),
            one_line(part.node.title),
            ", ".join(part.node.depends_on) or "–",
            ", ".join(part.node.files),
            tag("code", part.node.test_cmd),
        )
        for part in nodes
    )
    return table("the plan", header, rows)


def reproduce_part(page: Page) -> Iterator[Child]:
    """Give how to check all that by oneself, and with what it was made."""
    yield tag("h2", "How to reproduce")
    yield tag(
        "p",
        "Models do not answer twice alike; what can be repeated is every test and every gate, on "
        "the commits that were merged.",
    )
    yield tag("ul", (command(text, why) for text, why in page.reproduce), class_="commands")
    yield facts(
        ("base commit", [tag("code", page.status.base_commit)]),
        ("models", "; ".join(f"{role}: {models}" for role, models in models_of(page).items())),
        ("tools", "; ".join(tools_of(page))),
        ("confinement", "; ".join(dict.fromkeys(_confinements(page)))),
    )
    yield (
        tag("p", f"Made by director {page.version}, {clock(page.made_at)}.", class_="quiet made")
        if page.made_at
        else ""
    )


def models_of(page: Page) -> dict[str, str]:
    """Return role → the models that were asked, in the order of the roles."""
    found: dict[str, dict[str, None]] = {}
    for call in page.status.calls:
        found.setdefault(call.role, {})[call.model] = None
    order = [role.value for role in Role]
    known = sorted(found, key=lambda role: (role not in order, order.index(role) if role in order
                                            else 0))  # fmt: skip
    return {role: ", ".join(found[role]) for role in known}


def tools_of(page: Page) -> list[str]:
    """Return the sets of tools that merges were made with, each once."""
    sets = (
        ", ".join(f"{name} {version}" for name, version in receipt.tools.items())
        for receipt in page.receipts.values()
    )
    return [one for one in dict.fromkeys(sets) if one]


def _confinements(page: Page) -> Iterator[str]:
    return (receipt.confinement for receipt in page.receipts.values() if receipt.confinement)
