"""The live view of a job as lines: from the picture of it, for a window and a moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from director.model.cost import Cost
from director.model.format import clock, counted, duration, money
from director.model.state import NodeStatus
from director.reporting.live.progress import NodeProgress, Progress, Work
from director.reporting.live.stages import STAGES, TESTS
from director.reporting.live.time_left import TimeLeft
from director.reporting.terminal.cells import cut, filled, width_of
from director.reporting.terminal.style import WIDEST, Line, Paint, Span, Style
from director.reporting.terminal.windows import Window

FRAMES_PER_SEC = 5
CLOCK_ENDS = 79  # where the head is short and there is room
LONGEST_BAR = 26
SHORTEST_BAR = 8
LONGEST_LABEL = 24
SHORTEST_LIST = 2  # rows, before a blank line may take room from them
LEAST_DOING = 16  # cells for what an agent does, before other columns go
CENTS_FROM_USD = 0.1  # a sum from which on cents are all that matters
SPARE_LINES = 2  # of the window, for what scrolls out above


def screen(
    progress: Progress, window: Window, style: Style, now: float, hint: str = ""
) -> list[str]:
    """Return the lines that show a job at ``now`` (seconds since 1970).

    None is wider than the window, and they are at least SPARE_LINES fewer than it has. ``hint``
    are flags that a command must repeat to find the repository.
    """
    view = _View(progress, min(window.width - 1, WIDEST), style, now, hint)
    lines = view.lines(max(1, window.height - SPARE_LINES))
    return [style.text_of(line, view.width) for line in lines]


class _View:
    """One picture for one moment."""

    def __init__(self, progress: Progress, width: int, style: Style, now: float, hint: str) -> None:
        self.progress = progress
        self.width = width
        self.style = style
        self.marks = style.marks
        self.now = now
        self.hint = hint
        self.counts = progress.counts()
        turn = int(now * FRAMES_PER_SEC) % len(self.marks.spinner)
        self.spinner = self.marks.spinner[turn]

    def lines(self, room: int) -> list[Line]:
        """Return as many lines as there is room for; in a low window the title goes first."""
        bar = self._bar() if self.progress.is_run else self._stages()
        head, rows = [self._title(), bar, self._facts()], self._rows()
        if room < len(head):
            return head[1:][:room]
        if not rows or room == len(head):
            return head
        gap: list[Line] = [()] if room > len(head) + SHORTEST_LIST else []
        return [*head, *gap, *self._fitted(rows, room - len(head) - len(gap))]

    def _title(self) -> Line:
        progress, dot = self.progress, f" {self.marks.dot} "
        clock = datetime.fromtimestamp(self.now).astimezone().strftime("%H:%M:%S")
        name = f"director {progress.command}" if self.width >= 60 else progress.command
        job = f"{dot}job {progress.job_id.split('-', 2)[-1]}"  # after date and time
        room = self.width - width_of(name) - width_of(job) - len(clock) - 3
        task = self._cut(progress.task, room - width_of(dot))
        said = f"{dot}{task}" if room - width_of(dot) >= 8 and task else ""
        # No further to the right than need be: a window that gets narrower breaks long lines.
        used = width_of(f"{name}{job}{said}") + len(clock)
        gap = " " * max(1, min(self.width, max(CLOCK_ENDS, used + 3)) - used)
        return Span(name, Paint.BOLD), Span(f"{job}{said}{gap}"), Span(clock, Paint.DIM)

    def _bar(self) -> Line:
        nodes = self.progress.nodes
        done, total = self.counts[NodeStatus.DONE], len(nodes)
        said = f"{done}/{total} done"
        counts = self._counts()
        room = self.width - width_of(said) - 2
        while counts and self._counted_width(counts) + SHORTEST_BAR > room:
            counts = counts[:-1]
        length = min(LONGEST_BAR, room - self._counted_width(counts))
        full, half, empty = self.marks.bar
        twice = 2 * length * done // total if total else 0
        filled_up = full * (twice // 2) + half * (twice % 2)
        rest = empty * (length - len(filled_up))
        return (
            Span(filled_up, Paint.GREEN),
            Span(rest, Paint.DIM),
            Span(f"  {said}"),
            *self._joined(counts),
        )

    def _counts(self) -> list[Span]:
        """Return how many nodes are not done, and why; what matters less comes later."""
        told = (
            (self.counts[NodeStatus.FAILED], "failed", Paint.RED),
            (len(self.progress.work), "running", Paint.CYAN),
            (self.counts[NodeStatus.PENDING], "waiting", Paint.PLAIN),
            (self.counts[NodeStatus.BLOCKED], "blocked", Paint.YELLOW),
        )
        return [Span(f"{number} {word}", paint) for number, word, paint in told if number]

    def _counted_width(self, counts: Sequence[Span]) -> int:
        return 3 * len(counts) + sum(width_of(one.text) for one in counts)

    def _joined(self, counts: Sequence[Span]) -> Iterator[Span]:
        for place, one in enumerate(counts):
            yield Span(f" {self.marks.dot} " if place else "   ")
            yield one

    def _stages(self) -> Line:
        progress, spans = self.progress, []
        for place, name in enumerate(STAGES):
            said = f" {name}"
            if place == TESTS and progress.nodes:
                said += f" {progress.admitted()}/{len(progress.nodes)}"
            if place < progress.stage:
                spans.append(Span(f"{self.marks.done}{said}", Paint.GREEN))
            elif place == progress.stage:
                spans.append(Span(f"{self.marks.current}{said}", Paint.CYAN))
            else:
                spans.append(Span(f"{self.marks.planned}{said}", Paint.DIM))
            spans.append(Span("  "))
        return tuple(spans)

    def _facts(self) -> Line:
        progress = self.progress
        if progress.stopping:
            return (Span("stopping; ctrl-C again stops at once", Paint.YELLOW),)
        facts = [spent(progress.cost, progress.ceiling_usd, short=self.width < 90)]
        facts.append(duration(max(0, int(self.now - progress.begun))).replace(".0 s", " s"))
        if left := progress.time_left(self.now):
            facts.append(in_words(left))
        if not progress.work and (step := "running setup" if progress.setups else progress.step):
            facts.append(step)
        dot = f" {self.marks.dot} "
        while len(facts) > 1 and width_of(dot.join(facts)) > self.width:
            facts.pop(-2 if not progress.work and len(facts) > 2 else -1)
        return (Span(dot.join(facts)),)

    def _rows(self) -> list[Line]:
        """Return what is under way, what failed and what waits for it, most important first."""
        failed = [node for node in self.progress.nodes.values() if node.status is NodeStatus.FAILED]
        blocked = self.progress.blocked() if failed else {}
        # Of all nodes, that columns stay where they are while these come and go.
        labels = [width_of(work.label) for work in self.progress.work.values()]
        widest = max(self.progress.widest_id, *labels, 0)
        label = min(max(8, widest), LONGEST_LABEL if self.width >= 60 else 12)
        work = [self._work(one, label) for one in self.progress.work.values()]
        lines = [line for node in failed for line in self._failed(node, label)]
        return [*work, *lines, *(self._blocked(*group) for group in blocked.items())]

    def _fitted(self, rows: list[Line], room: int) -> list[Line]:
        """Return as many rows as there is room for, and how many there are besides."""
        if len(rows) <= room:
            return rows
        rows = [row for row in rows if row[0].paint is not Paint.DIM]  # without hints
        if len(rows) <= room:
            return rows
        more = len(rows) - room + 1
        return [*rows[: room - 1], (Span(f"  {self.marks.ellipsis} and {more} more"),)]

    def _work(self, work: Work, label: int) -> Line:
        columns = [
            (filled(self._cut(work.label, label), label), Paint.BOLD, 0),
            (filled(work.role.replace("_", " "), 11), Paint.PLAIN, 3),
            (filled(self._attempt(work), 11 if self.width >= 72 else 3), Paint.PLAIN, 4),
            (filled(clock(self.now - work.since), 5, right=True), Paint.PLAIN, 5),
            (filled(self._cost_of(work), 8), Paint.PLAIN, 2),
        ]
        used = sum(width_of(text) + 2 for text, _, _ in columns)
        for least in (2, 3, 4):
            if 4 + used + LEAST_DOING <= self.width:
                break
            gone = [one for one in columns if one[2] == least]
            used -= sum(width_of(text) + 2 for text, _, _ in gone)
            columns = [one for one in columns if one[2] != least]
        shown = [Span(f"{text}  ", paint) for text, paint, _ in columns]
        return (Span(f"  {self.spinner} ", Paint.CYAN), *shown, Span(work.doing))

    def _attempt(self, work: Work) -> str:
        if work.attempt is None:
            return ""
        most = self.progress.max_attempts if self.progress.is_run else 0
        of = f"/{most}" if work.attempt <= most else ""
        return f"{'attempt ' if self.width >= 72 else ''}{work.attempt}{of}"

    def _cost_of(self, work: Work) -> str:
        usd = work.spent.usd + work.under_way
        return money(usd) if usd else ""

    def _failed(self, node: NodeProgress, label: int) -> Iterator[Line]:
        name = filled(self._cut(node.id, label), label)
        yield (
            Span(f"  {self.marks.failed} ", Paint.RED),
            Span(f"{name}  ", Paint.BOLD),
            Span(why_failed(node)),
        )
        command = f"director status --node {node.id}{self.hint}"
        if 4 + label + 2 + width_of(command) <= self.width:
            yield (Span(f"{' ' * (4 + label)}  {command}", Paint.DIM),)

    def _blocked(self, failed: str, names: list[str]) -> Line:
        tail = f"   {'wait' if len(names) > 1 else 'waits'} for {failed} (blocked)"
        room = self.width - 4 - width_of(tail)
        named = ", ".join(names)
        if width_of(named) > room:
            named = counted(len(names), "node")
        return Span(f"  {self.marks.waiting} ", Paint.YELLOW), Span(f"{named}{tail}")

    def _cut(self, text: str, width: int) -> str:
        return cut(self.style.plain(text), width, self.marks.ellipsis) if width > 0 else ""


def why_failed(node: NodeProgress) -> str:
    """Return in one line after how many attempts a node failed, and why."""
    tried = f" after {counted(node.attempts, 'attempt')}" if node.attempts else ""
    return f"failed{tried}{f': {node.headline}' if node.headline else ''}"


def spent(cost: Cost, ceiling_usd: float, *, short: bool = False) -> str:
    """Return what was spent, of what may be, and how many calls have no price."""
    of = f" of {money(ceiling_usd)}" if ceiling_usd else ""
    number = str(cost.unpriced_calls) if short else counted(cost.unpriced_calls, "call")
    more = "" if cost.known else f" (+{number} unpriced)"
    usd = f"${cost.usd:.2f}" if cost.usd >= CENTS_FROM_USD else money(cost.usd)
    return f"{usd}{of}{more}"


def in_words(left: TimeLeft) -> str:
    """Return how much time is left, and what that rests on."""
    minutes = round(left.secs / 60)
    about = f"about {minutes} min" if left.secs >= 60 else "under 1 min"
    if minutes >= 90:
        about = f"about {left.secs / 3600:.1f} h"
    return f"{about} left (from {counted(left.nodes, 'node')})"
