"""The text of a pull request: what was asked for, what was done, and how that is known."""

from __future__ import annotations

from collections.abc import Iterator

from director.landing.message import first_line
from director.landing.prospect import Prospect
from director.model.format import counted
from director.model.patterns import lazy_pattern
from director.model.printable import printable

LONGEST_TITLE = 100  # characters
LONGEST_SPEC = 30_000  # characters: GitHub takes 65,536 in all
FENCE = lazy_pattern(r"`{3,}")


def title_of(prospect: Prospect) -> str:
    """Return the title: the first line of the task."""
    line = " ".join(printable(first_line(prospect.plan.task)).split())
    return line if len(line) <= LONGEST_TITLE else f"{line[: LONGEST_TITLE - 1].rstrip()}…"


def body_of(prospect: Prospect, spec: str) -> str:
    """Return the body, in Markdown. What agents wrote is in it as plain text."""
    parts = [_quoted(prospect.plan.task), _nodes(prospect), _evidence(prospect)]
    if spec.strip():
        parts.append(f"<details><summary>Spec</summary>\n\n{fenced(spec)}\n\n</details>")
    return "\n\n".join(parts) + "\n"


def fenced(text: str) -> str:
    """Return text as a block that nothing in it can end, cut where it is very long."""
    clean = printable(text).strip()
    clean = clean if len(clean) <= LONGEST_SPEC else f"{clean[:LONGEST_SPEC]}\n…"
    longest = max((len(found) for found in FENCE.findall(clean)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}text\n{clean}\n{fence}"


def _quoted(task: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in printable(task).strip().splitlines())


def _nodes(prospect: Prospect) -> str:
    rows = ["| node | what | attempts | by |", "|---|---|---|---|"]
    for node in prospect.nodes:
        state = prospect.states.get(node.id)
        by = state.model_used or state.tier_used or "green without a call" if state else ""
        tries = str(state.attempts) if state else ""
        rows.append(f"| `{node.id}` | {_cell(node.title)} | {tries} | {_cell(by)} |")
    left = f"\n\nNot part of this: {', '.join(prospect.left)}." if prospect.left else ""
    return "\n".join(rows) + left


def _cell(text: str) -> str:
    """Return text that means nothing to Markdown but itself."""
    plain = " ".join(printable(text).replace("`", "'").replace("|", "/").split())
    return f"`{plain}`" if plain else ""


def _evidence(prospect: Prospect) -> str:
    return "\n".join(f"- {line}" for line in _facts(prospect))


def _facts(prospect: Prospect) -> Iterator[str]:
    found, target = prospect.verified, prospect.target
    yield (
        f"`director verify`: {counted(found.merges, 'merge')}, "
        f"{counted(found.receipts, 'receipt')}, frozen tests unchanged"
    )
    if (done := prospect.resolved) and done.done:
        paths = ", ".join(_cell(path) for path in done.paths)
        branch = _cell(target.branch)
        yield f"conflicts with {branch} resolved by the model {_cell(done.by)}: {paths}"
    for report in prospect.reports:
        said = report.verdict.value + (" (as before)" if report.as_before else "")
        yield f"{said} on the tree merged with {_cell(target.branch)}: {_cell(report.command)}"
    yield f"cost: {prospect.cost.in_words()}"
    yield f"job {prospect.plan.job_id}, branch `{prospect.plan.job_branch}`"
