"""One node on the page: its spec, its tests, its attempts, its diff and its receipt."""

from __future__ import annotations

from collections.abc import Iterator

from director.model.cost import Cost
from director.model.failure import Failure
from director.model.format import counted, duration
from director.model.printable import one_line
from director.model.receipt import Receipt
from director.model.state import NodeStatus
from director.reporting.logs.log_view import PURPOSES, words_of
from director.reporting.logs.node_log import AttemptLog, GateLog, ReviewLog
from director.reporting.page.elements import Child, Element, tag
from director.reporting.page.marks import command, facts, icon, id_of, link_to
from director.reporting.page.page import Change, NodePart

EXCERPT_LINES = 12
LINE_CHARACTERS = 400
SHORT = 12  # digits of an id that people read


def node_part(part: NodePart) -> Element:
    """Return all that is known of a node, collapsed."""
    return tag(
        "details",
        _summary(part),
        tag("div", _body(part), class_="body"),
        id=id_of(part.node.id),
        class_="node",
        data_status=part.status.value,
        data_key="node",
    )


def _summary(part: NodePart) -> Element:
    state, now = part.now.state, part.now
    told = [str(part.status)]
    told += [str(state.tier_used)] if state.tier_used else []
    told += [counted(state.attempts, "attempt")] if state.attempts else []
    told += [now.cost.in_words()] if now.cost != Cost() else []
    told += [duration(state.wall_secs)] if state.wall_secs else []
    title = tag("span", one_line(part.node.title), class_="title")
    return tag(
        "summary",
        icon(part.status),
        tag("b", part.node.id),
        " ",
        title,
        tag("span", " · ".join(told), class_="told"),
    )


def _body(part: NodePart) -> Iterator[Child]:
    node, failure = part.node, part.now.failure
    if part.status is NodeStatus.FAILED and failure:
        yield from failed(failure, part.now.state.error or "")
    elif part.now.state.error:
        yield tag("p", part.now.state.error, class_="said")
    if part.now.live:
        live = part.now.live
        doing = one_line(f"{live.tool} {live.argument}").strip()
        yield tag("p", f"At work: {live.role} ({live.model})", f" · {doing}" if doing else None)
    if part.next and part.status is not NodeStatus.DONE:
        yield tag("h3", "Next")
        yield tag("ul", (command(text, why) for text, why in part.next), class_="commands")
    yield tag("h3", "Spec")
    yield tag("p", node.spec, class_="prose")
    yield _facts(part)
    yield from _tests(part)
    yield from _attempts(part)
    if part.change:
        yield diff(part.change)
    if part.receipt:
        yield receipt(part.receipt)


def _facts(part: NodePart) -> Element:
    node = part.node
    return facts(
        ("waits for", _listed(link_to(one) for one in node.depends_on)),
        ("may change", _listed(tag("code", path) for path in node.files)),
        ("tests", _listed(tag("code", path) for path in node.tests)),
        ("command", [tag("code", node.test_cmd)]),
        ("difficulty", node.estimated_difficulty),
        ("repairs", node.repairs and f"the integration gate {node.repairs.gate}"),
        ("amended", "approved once more, after the plan was" if node.amended else None),
    )


def _listed(elements: Iterator[Element]) -> list[Child]:
    found: list[Child] = []
    for element in elements:
        found += [", ", element] if found else [element]
    return found


def _tests(part: NodePart) -> Iterator[Child]:
    for path, text in part.tests.items():
        frozen = "frozen test" if part.node.test_hashes else "draft of a test"
        yield folded(f"{frozen} {path}", f"test {path}", tag("pre", text, tabindex="0"))


def _attempts(part: NodePart) -> Iterator[Child]:
    attempts = [one for one in part.log.attempts if one.number]
    if attempts:
        yield tag("h3", "Attempts")
        yield tag("ol", map(_attempt, attempts), class_="attempts")


def _attempt(attempt: AttemptLog) -> Element:
    calls = attempt.work
    cost = Cost.of(one.cost for one in calls if one.outcome)
    secs = sum(one.secs or 0.0 for one in calls)
    told = [attempt.tier, attempt.model, words_of(attempt.outcome) or "no end on record"]
    told += [cost.in_words()] if any(one.outcome for one in calls) else []
    told += [duration(secs)] if secs else []
    failure = attempt.failure
    shown = failure.log if failure else ""
    return tag(
        "li",
        tag("p", " · ".join(one_line(one) for one in told if one)),
        tag("p", attempt.lesson, class_="prose") if attempt.lesson and not failure else None,
        failed(failure, attempt.lesson) if failure else None,
        tag("ul", (_gate(one, shown) for one in attempt.gates), class_="gates")
        if attempt.gates
        else None,
        (_review(one) for one in attempt.reviews),
        value=str(attempt.number),
    )


def _gate(gate: GateLog, shown: str) -> Element:
    purpose = PURPOSES.get(gate.purpose, gate.purpose)
    colour = "good" if gate.verdict == "green" else "bad"
    sign = "✓" if gate.verdict == "green" else "✗"
    said = f"gate {purpose}: {gate.verdict} ({gate.reason})"
    told = gate.failure.headline if gate.failure and gate.failure.log != shown else ""
    return tag(
        "li",
        tag("span", sign, class_=colour),
        f" {one_line(said)}",
        f": {one_line(told)}" if told else "",
    )


def _review(review: ReviewLog) -> Element:
    verdict = "blocks" if review.blocked else "lets it through"
    findings = (
        tag("li", f"{one.get('severity')}: {one.get('file') or ''} {one.get('problem')}")
        for one in review.findings
    )
    return tag(
        "div",
        tag("p", f"Review {verdict}: {review.summary}"),
        tag("ul", findings) if review.findings else None,
    )


def failed(failure: Failure, error: str = "") -> Iterator[Child]:
    """Give why something failed: the line to quote, the command, and the lines around it."""
    said = failure.headline or next(iter(error.strip().splitlines()), "")
    if said:
        yield tag("p", shortened(one_line(said)), class_="headline")
    if failure.command:
        code = failure.exit_code
        ended = f" → exit code {code}" if code is not None else f" → {words_of(failure.kind)}"
        yield tag("p", tag("code", one_line(failure.command)), ended)
    elif failure.kind:
        yield tag("p", words_of(failure.kind))
    lines = [line for line in failure.excerpt.splitlines() if line.strip()][:EXCERPT_LINES]
    if lines and [line.strip() for line in lines] != [failure.headline.strip()]:
        yield tag("pre", "\n".join(map(shortened, lines)), class_="excerpt", tabindex="0")
    if failure.log:
        yield tag("p", "output: ", tag("code", failure.log), class_="quiet")


def shortened(line: str) -> str:
    """Return a line that a tool printed without what is of no use to a reader."""
    return line if len(line) <= LINE_CHARACTERS else f"{line[:LINE_CHARACTERS]} …"


def diff(change: Change) -> Element:
    """Return a patch, collapsed; its lines have colours and their signs."""
    lines = change.patch.splitlines()
    more = f"… and {counted(change.left_out, 'line')} more, which git shows"
    return folded(
        f"Diff ({change.name})",
        "diff",
        tag("pre", (_line(line) for line in lines), class_="diff", tabindex="0") if lines else None,
        tag("p", more, class_="quiet") if change.left_out else None,
    )


def _line(line: str) -> Child:
    colour = COLOURS.get(line[:1])
    if line.startswith(("+++", "---", "diff ", "index ")):
        colour = "head"
    text = f"{shortened(line)}\n"
    return tag("span", text, class_=colour) if colour else text


COLOURS = {"+": "added", "-": "removed", "@": "head"}


def receipt(found: Receipt) -> Element:
    """Return what a merge rests on, collapsed."""
    gates = (
        tag("li", f"{one.purpose}: {one.verdict}, ", tag("code", one.command), _ran(one.tests_run))
        for one in found.gates
    )
    tools = ", ".join(f"{name} {version}" for name, version in found.tools.items())
    hashes = (f"{path} {digest[:SHORT]}…" for path, digest in found.tests.items())
    return folded(
        f"Receipt (merged as {found.merged[:SHORT]})",
        "receipt",
        facts(
            ("merged", found.merged),
            ("candidate", found.candidate),
            ("on", found.base),
            ("tree", found.tree),
            ("gates", [tag("ul", gates)]),
            ("changed", ", ".join(found.files)),
            ("tests (sha256)", ", ".join(hashes)),
            ("by", " · ".join(one for one in (found.tier, found.model) if one) or "no call"),
            ("tools", tools),
            ("confinement", found.confinement),
            ("rebuilt", "yes: its gates ran after the merge" if found.rebuilt else None),
        ),
    )


def _ran(tests: int | None) -> str:
    return f", {counted(tests, 'test')}" if tests is not None else ""


def folded(title: str, key: str, *children: Child | None) -> Element:
    """Return something that opens where it is asked for; ``key`` is its own within its part."""
    return tag("details", tag("summary", title), children_of(*children), data_key=key)


def children_of(*children: Child | None) -> list[Child]:
    """Return those children that are there."""
    return [child for child in children if child is not None]
