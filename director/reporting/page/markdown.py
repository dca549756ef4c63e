"""The page in short, as Markdown: for the step summary of a CI, a pull request, a chat."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from director.model.failure import Failure
from director.model.format import duration
from director.model.landed import Landed
from director.model.patterns import lazy_pattern
from director.model.printable import one_line, printable
from director.model.secrets import Redactor
from director.reporting.logs.log_view import words_of
from director.reporting.page.costs import Line, against_ceiling, lines_by, lines_of_nodes
from director.reporting.page.page import Page
from director.reporting.status.status import Gate

FAILURES = 20  # that are shown with their output
NODES = 10  # that have a row in the table of costs
SPECIAL = lazy_pattern(r"([\\`*_{}\[\]|>~$]|^[-+#=])|(^\d+)(?=[.)])")
APART = "\u200b"  # a blank without width: what follows is no mention
LONGEST = 400  # characters of a line that agents or tools wrote
SIGNS = {"good": "✅", "bad": "❌", "busy": "🔵", "warn": "⚠️", "plain": "⚪"}


def markdown(page: Page, redactor: Redactor) -> str:
    """Return verdict, failures and cost; no text in it can be markup, or holds a known secret."""
    return "\n".join(_Writer(redactor).lines(page)).rstrip("\n") + "\n"


class _Writer:
    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def lines(self, page: Page) -> Iterator[str]:
        """Give all lines."""
        status = page.status
        yield f"## {SIGNS[page.colour]} {self._text(page.sentence)}"
        yield ""
        yield f"{self._text(status.task)}"
        yield ""
        took = f", {duration(status.run_secs)}" if status.runs else ""
        yield f"- job {self._code(status.job_id)}, branch {self._code(status.job_branch)}"
        yield f"- cost {self._text(against_ceiling(page))}{took}"
        yield f"- verify: {self._text(page.verified.words)}"
        yield from self._landed(status.landed)
        yield from self._failures(page)
        yield from self._next(page)
        yield from self._costs(page)

    def _landed(self, landed: Landed | None) -> Iterator[str]:
        if landed is None:
            return
        files = ", ".join(self._code(path) for path in landed.resolved[:NODES])
        more = len(landed.resolved) - NODES
        files = f": {files}{f' and {more} more' if more > 0 else ''}" if files else ""
        yield f"- {self._text(landed.in_words())}{files}"

    def _failures(self, page: Page) -> Iterator[str]:
        found = page.failed
        if not found and not page.status.red_gates:
            return
        yield from ("", "### Failures")
        for part in found[:FAILURES]:
            failure = part.now.failure or Failure("", headline=part.now.state.error or "")
            yield from self._failure(f"{part.node.id}: {part.node.title}", failure)
        for gate in page.status.red_gates:
            yield from self._failure(f"integration gate {gate.name}", _of_gate(gate))
        if rest := found[FAILURES:]:
            yield from (
                "",
                f"and {len(rest)} more: " + ", ".join(self._code(p.node.id) for p in rest),
            )

    def _failure(self, title: str, failure: Failure) -> Iterator[str]:
        yield from ("", f"#### ❌ {self._text(title)}", "")
        said = failure.headline or words_of(failure.kind)
        yield f"**{self._text(said)}**" if said else ""
        if failure.command:
            code = failure.exit_code
            yield ""
            yield f"{self._code(failure.command)}" + (
                f" → exit code {code}" if code is not None else ""
            )
        if failure.excerpt.strip():
            yield from ("", *self._fenced(failure.excerpt))

    def _next(self, page: Page) -> Iterator[str]:
        given = page.advice
        if given.first or given.steps:
            yield from ("", "### Next", "")
        if given.first:
            yield from (self._text(given.first), "")
        for step in given.steps:
            yield f"- {self._code(shlex.join(step.command))} {self._text(step.why)}"

    def _costs(self, page: Page) -> Iterator[str]:
        calls = page.status.calls
        if not calls:
            return
        yield from ("", "### Cost")
        tables = (("role", lines_by(calls, "role")), ("model", lines_by(calls, "model")))
        for key, lines in (*tables, ("node", lines_of_nodes(page)[:NODES])):
            if lines:
                yield from self._table(key, lines)

    def _table(self, key: str, lines: Sequence[Line]) -> Iterator[str]:
        yield from ("", f"| {key} | calls | cost |", "| --- | ---: | ---: |")
        for line in lines:
            cost = self._text(line.cost.in_words())
            yield f"| {self._text(line.name)} | {line.calls} | {cost} |"

    def _fenced(self, text: str) -> Iterator[str]:
        """Give lines between fences that nothing in them can close."""
        lines = [self._cut(line.rstrip()) for line in self._clean(text).splitlines()]
        ticks = max((len(found) for line in lines for found in re.findall("`+", line)), default=0)
        fence = "`" * max(3, ticks + 1)
        yield from (f"{fence}text", *lines, fence)

    def _code(self, text: str) -> str:
        said = self._cut(one_line(self._clean(text)))
        ticks = "`" * (max(map(len, re.findall("`+", said)), default=0) + 1)
        pad = " " if said.startswith("`") or said.endswith("`") else ""
        return f"{ticks}{pad}{said}{pad}{ticks}"

    def _text(self, text: str) -> str:
        """Return one line in which nothing is markup, HTML, a mention or a link."""
        said = self._cut(one_line(self._clean(text)))
        escaped = SPECIAL.sub(lambda found: f"{found[2] or ''}\\{found[1] or ''}", said)
        for sign, harmless in (
            ("&", "&amp;"),
            ("<", "&lt;"),
            ("://", ":&#47;/"),
            ("@", f"@{APART}"),
        ):
            escaped = escaped.replace(sign, harmless)
        return escaped

    def _clean(self, text: str) -> str:
        return self._redactor.text(printable(text))

    def _cut(self, line: str) -> str:
        return line if len(line) <= LONGEST else f"{line[:LONGEST]} …"


def _of_gate(gate: Gate) -> Failure:
    return gate.failure or Failure(gate.verdict, gate.command, headline=gate.reason)
