"""What an agent needs to know of a job to continue after it has lost its context."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from director.job.stage import Stage
from director.mcp.tools import tool_for
from director.model.cost import Cost
from director.model.patterns import lazy_pattern
from director.model.printable import one_line

MOST_TOKENS = 2_000
LETTERS = 3  # of a word, for a token: common tokenizers have 4 or more to one of English
PIECE = lazy_pattern(r"[A-Za-z]+| +|.", re.DOTALL)

LONGEST_TASK = 600
LONGEST_LINE = 300
SHOWN = 10  # nodes that failed, and other lists
WAITING = {stage.value: stage.awaited for stage in Stage if stage.awaited}
CUT = "\n… (cut: the tool `status` says all)\n"


def brief(status: Mapping[str, Any], repository: str) -> str:
    """Return in Markdown where a job stands, from the object of ``director status --json``."""
    if not status.get("job_id"):
        text = "\n".join(_nothing(status, repository))
    else:
        text = "\n".join(_lines(status, repository))
    said = f"{text}\n".encode(errors="replace").decode()
    if tokens_at_most(said) <= MOST_TOKENS:
        return said
    return _beginning(said, MOST_TOKENS - tokens_at_most(CUT)) + CUT


def tokens_at_most(text: str) -> int:
    """Return a high estimate of the tokens of ``text``, whichever tokenizer a model has.

    A digit, a sign and a line end are counted as a token each, a character of another script by
    its bytes, and a blank belongs to the word after it.
    """
    return sum(map(_tokens_of, PIECE.findall(text)))


def _tokens_of(piece: str) -> int:
    if piece.isascii():
        return 0 if piece == " " else -(-len(piece) // LETTERS)
    return len(piece.encode()) - 1


def _beginning(text: str, tokens: int) -> str:
    """Return the beginning of ``text``, of that many tokens at most."""
    pieces = PIECE.findall(text)
    used = accumulate(map(_tokens_of, pieces))
    return "".join(piece for piece, sum_ in zip(pieces, used, strict=True) if sum_ <= tokens)


def _nothing(status: Mapping[str, Any], repository: str) -> Iterator[str]:
    yield "# director: no job"
    yield f"repository: {_line(repository)}"
    if status.get("exit_code"):
        yield f"{_line(status.get('what'))}. Next: {_line(status.get('next'))}"
    else:
        yield "Begin with the tool `plan`."


def _lines(status: Mapping[str, Any], repository: str) -> Iterator[str]:
    yield f"# director: job {_line(status['job_id'])}"
    yield f"repository: {_line(repository)}"
    yield f"job branch: {_line(status.get('job_branch'))}"
    yield f"task: {_line(status.get('task'), LONGEST_TASK)}"
    yield ""
    yield "## Where it stands"
    yield from _standing(status)
    yield from _section("Next", _next(status))
    yield from _section("Questions of the planner (answer with `approve`)", _questions(status))
    yield from _section("Failures", _failures(status))
    yield from _section("Other nodes", _others(status))
    yield from _section("Where more is", _places(status))


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield from ("", f"## {title}", *found)


def _standing(status: Mapping[str, Any]) -> Iterator[str]:
    yield f"{_line(status.get('what')) or _line(status.get('standing'))}"
    counts = Counter(str(node.get("status")) for node in _nodes(status).values())
    if counts:
        yield "nodes: " + ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    cost = Cost(float(status.get("cost_known") or 0.0), int(status.get("unpriced_calls") or 0))
    yield f"cost: {cost.in_words()}"
    process, end = status.get("process"), status.get("last_end")
    if process:
        yield f"at work now: {_line(process['command'])} (process {process['pid']})"
    elif end:
        yield f"the last command ended: {_line(end['what'])} (exit code {end['exit_code']})"
    if status.get("integration_ok") is not None:
        yield f"integration gates: {_line(status.get('integration_words'))}"


def _next(status: Mapping[str, Any]) -> Iterator[str]:
    if said := _line(status.get("next")):
        yield f"- {said}"
    command: Sequence[str] = status.get("next_command") or ()
    if command:
        by = f"tool `{tool}`" if (tool := tool_for(command)) else "in a shell"
        yield f"- command: `{_line(shlex.join(map(str, command)))}` ({by})"
    if what := WAITING.get(str(status.get("stage"))):
        yield f"- read director://job/{what}, then call the tool `approve` or `revise`"


def _questions(status: Mapping[str, Any]) -> Iterator[str]:
    for number, one in enumerate(list(status.get("questions") or ())[:SHOWN], 1):
        yield f"{number}. {_line(one.get('question'))}"
        options = [_line(option, 100) for option in one.get("options") or ()]
        if options:
            yield "   " + "; ".join(f"{chr(97 + at)}: {said}" for at, said in enumerate(options))


def _failures(status: Mapping[str, Any]) -> Iterator[str]:
    failed = {name: node for name, node in _nodes(status).items() if node["status"] == "failed"}
    for name, node in list(failed.items())[:SHOWN]:
        failure = node.get("failure") or {}
        said = failure.get("headline") or node.get("error") or "failed"
        log = f" (log: {_line(failure['log'])})" if failure.get("log") else ""
        tries = f", {node['attempts']} attempts" if node.get("attempts") else ""
        yield f"- {name} [{_line(failure.get('kind') or 'failed')}{tries}]: {_line(said)}{log}"
    if len(failed) > SHOWN:
        yield f"- and {len(failed) - SHOWN} more"
    for gate in list(status.get("red_gates") or ())[:SHOWN]:
        failure = gate.get("failure") or {}
        said = failure.get("headline") or gate.get("reason") or "red"
        yield f"- integration gate {_line(gate.get('name'))}: {_line(said)}"


def _others(status: Mapping[str, Any]) -> Iterator[str]:
    for wanted in ("running", "taken", "blocked", "pending", "done"):
        names = [name for name, node in _nodes(status).items() if node["status"] == wanted]
        if names:
            more = f", and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            yield f"- {wanted}: {', '.join(names[:SHOWN])}{more}"


def _places(status: Mapping[str, Any]) -> Iterator[str]:
    yield "- director://job/spec, director://job/plan: what was asked for, and the nodes"
    if _nodes(status):
        yield "- director://job/node/<id>: all about a node; the tools `node` and `logs` say more"
    yield "- director://job/metrics: a line for each node and run that ended"


def _nodes(status: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = status.get("nodes") or {}
    return found


def _line(value: object, most: int = LONGEST_LINE) -> str:
    """Return a text that agents may have written as one line of at most that many characters."""
    text = one_line(str(value or ""))
    return text if len(text) <= most else f"{text[: most - 1]}…"
