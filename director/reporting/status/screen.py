"""The screen that says how a job stands, why something failed, and the next command."""

import shlex
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from director.job.stage import Stage
from director.model.cost import Cost
from director.model.format import counted, duration, money
from director.model.integration_gates import passed_in_words
from director.model.printable import one_line
from director.model.state import NodeStatus
from director.reporting.status.failures import command_lines, failed_nodes, red_gates
from director.reporting.status.next_steps import CURRENT, Advice, Asked, advice
from director.reporting.status.nodes import node_table, waiting
from director.reporting.status.status import Standing, Status
from director.reporting.status.times import local
from director.reporting.terminal.cells import filled, width_of, wrapped
from director.reporting.terminal.layout import beside, paragraph, shortened, shown
from director.reporting.terminal.style import PLAIN, Line, Paint, Span, Style

ACTIVE = (NodeStatus.RUNNING, NodeStatus.TAKEN)
RUN = "director run"
LISTED = 30  # nodes that are all shown without being asked for


class View(NamedTuple):
    """How a job is shown: how it was named, where its folder is for the reader.

    ``everything``: all nodes, however many they are. ``again``: it is shown again in a moment.
    """

    asked: Asked = CURRENT
    folder: str = ".director"
    everything: bool = False
    again: bool = False


WHOLE = View()


def render(status: Status, style: Style = PLAIN, view: View = WHOLE) -> str:
    """Return the screen for a job; ``run`` prints the same at its end."""
    parts = [
        [*_verdict(status, style), *_about(status, style)],
        _questions(status, style, view),
        _nodes(status, style, view),
        *failed_nodes(status, style, view.folder, view.asked),
        *red_gates(status, style, view.folder),
        waiting(status, style),
        _notes(status, style),
        [] if view.again else _next(advice(status, view.asked), style),
    ]
    between: list[Line] = []
    for part in filter(None, parts):
        between += [(), *part] if between else part
    return shown(between, style)


def verdict(status: Status) -> str:
    """Return one sentence for how a job stands."""
    return _sentence(status)[2]


def _verdict(status: Status, style: Style) -> list[Line]:
    mark, paint, sentence = _sentence(status)
    first, *others = wrapped(one_line(sentence), style.measure - 2)
    spent = Span(_spent(status))
    if not others:
        return beside((Span(f"{mark} {first}", paint),), spent, style, 2)
    more = ((Span(f"  {line}", paint),) for line in others)
    return [(Span(f"{mark} {first}", paint),), *more, (Span(f"  {spent.text}"),)]


def _sentence(status: Status) -> tuple[str, Paint, str]:
    """Return the mark, its colour, and the sentence."""
    counts = _counts(status)
    match status.standing:
        case Standing.WORKING:
            planning = f"Planning is under way: {status.stage.words}."
            ready = status.stage is Stage.READY
            return "●", Paint.CYAN, _working(status, counts) if ready else planning
        case Standing.DECIDING:
            named = counted(len(status.questions), "decision")
            return "‖", Paint.YELLOW, f"The planner lacks {named} that only you can make."
        case Standing.APPROVING:
            said = f"Planning waits for your approval of the {status.stage.awaited}."
            return "‖", Paint.YELLOW, said
        case Standing.PLANNING:
            return "–", Paint.YELLOW, f"Planning is not finished: {status.stage.words}."
        case Standing.AMENDING:
            return "‖", Paint.YELLOW, f"Node {status.amending} waits for your approval; {counts}."
        case Standing.KILLED:
            what = counts if status.stage is Stage.READY else status.stage.words
            return "■", Paint.YELLOW, f"Stopped: the run was killed; {what}."
        case Standing.STOPPED:
            return "■", Paint.YELLOW, _stopped(status, counts)
        case Standing.FAILED:
            return "✗", Paint.RED, f"{counts}{_unrepaired(status)}."
        case Standing.INTEGRATION_RED:
            return "✗", Paint.RED, f"{counts}, but the integration gate is red."
        case Standing.READY:
            return "–", Paint.BOLD, _ready(status, counts)
        case Standing.DONE:
            return _done(status)


def _unrepaired(status: Status) -> str:
    """Say which integration gates are red though a repair was tried."""
    gates = [one_line(node.state.repairs) for node in status.failed_repairs]
    red = "gate is" if len(gates) == 1 else "gates are"
    return f": the integration {red} red ({', '.join(gates)}), and repair failed" if gates else ""


def _working(status: Status, counts: str) -> str:
    left = len(status.nodes) - len(status.of(NodeStatus.DONE))
    if left:
        return f"{counts}."
    command = status.process.command if status.process else RUN
    last = "the integration gate comes last" if command == RUN else f"{command} is at work"
    return f"{counts}; {last}."


def _stopped(status: Status, counts: str) -> str:
    what = status.end.what.rstrip(".") if status.end else ""
    said = f"S{what[1:]}" if what[:7].lower() == "stopped" else f"Stopped: {what}"
    return f"{said}; {counts}." if status.stage is Stage.READY else f"{said}."


def _ready(status: Status, counts: str) -> str:
    return f"{counts}." if status.of(NodeStatus.DONE) else f"{counts}: the plan is ready."


def _done(status: Status) -> tuple[str, Paint, str]:
    total = counted(len(status.nodes), "node")
    said = f"Everything is done ({total}): {_gates_in_words(status)}"
    if status.unpublished:
        why = f"{status.job_branch} could not be updated in your repository: {status.unpublished}"
        return "■", Paint.YELLOW, f"{said}; but {why}."
    return "✓", Paint.GREEN, f"{said}."


def _gates_in_words(status: Status) -> str:
    """Say how the integration gate went that does not stand in the way."""
    named = any(not gate.nodes for gate in status.gates)
    words = status.integration_words if named and status.integration_ok is not None else ""
    return passed_in_words(words, together=any(gate.nodes for gate in status.gates))


def _counts(status: Status) -> str:
    """Return how many nodes there are of each kind that matters."""
    number = Counter(node.state.status for node in status.nodes)
    done = f"{number[NodeStatus.DONE]} of {counted(len(status.nodes), 'node')} done"
    kinds: tuple[tuple[NodeStatus, str], ...] = (
        (NodeStatus.FAILED, "failed"),
        (NodeStatus.RUNNING, "running" if status.process else "interrupted"),
        (NodeStatus.BLOCKED, "blocked"),
        (NodeStatus.TAKEN, "taken by you"),
    )
    begun = status.process or status.runs
    kinds += ((NodeStatus.PENDING, "waiting"),) if begun else ()
    return ", ".join([done, *(f"{number[kind]} {word}" for kind, word in kinds if number[kind])])


def _spent(status: Status) -> str:
    """Return what the job has cost so far, and the time of its runs."""
    took = duration(status.run_secs) if status.runs else ""
    return " · ".join(
        part for part in (cost_in_words(status.cost, bool(status.calls)), took) if part
    )


def cost_in_words(cost: Cost, called: bool) -> str:
    """Return a cost in few words; – where nothing was called yet."""
    if cost.known:
        return money(cost.usd) if called or cost.usd else "–"
    unpriced = f"{cost.unpriced_calls} unpriced"
    return f"{money(cost.usd)} + {unpriced}" if cost.usd else unpriced


def _about(status: Status, style: Style) -> list[Line]:
    """Say which job it is, and who works on it or when that ended."""
    known = f"job {status.job_id}"
    parts = [part for part in (known, _process(status), _ended(status)) if part]
    about = " · ".join(one_line(part) for part in parts)
    lines = paragraph(about, style, 2, Paint.DIM)
    task = shortened(one_line(status.task), style.measure - 2)
    lines += [(Span(f"  {task}", Paint.DIM),)]
    return [*lines, *_landed(status, style), *_taken(status, style)]


def _landed(status: Status, style: Style) -> list[Line]:
    """Return where the work went."""
    if status.landed is None:
        return []
    at = local(status.landed.at, status.now)
    parts = [part for part in (status.landed.in_words(), at) if part]
    undone = f"; {status.undone}" if status.undone else ""
    return paragraph(one_line(f"{', '.join(parts)}{undone}"), style, 2)


def _taken(status: Status, style: Style) -> list[Line]:
    """Return where people write nodes."""
    said = (f"{node} is written in {place}" for node, place in status.taken.items())
    return [line for one in said for line in paragraph(one_line(one), style, 2)]


def _process(status: Status) -> str:
    process = status.process
    if process is None:
        return ""
    pid = f" (process {process.pid})" if process.pid else ""
    at = local(process.since, status.now)
    lanes = f", {counted(process.lanes, 'lane')}" if process.lanes else ""
    return f"{process.command}{pid}{f' since {at}' if at else ''}{lanes}"


def _ended(status: Status) -> str:
    if status.process is not None:
        return ""
    at = local(status.end.at if status.end else status.last_event, status.now)
    waits = status.standing in (Standing.APPROVING, Standing.DECIDING)
    words = "waiting since" if waits else "last active" if status.killed else "ended"
    return f"{words} {at}" if at else ""


def _questions(status: Status, style: Style, view: View) -> list[Line]:
    """Return what the planner asks, with the options by their letters; * is recommended."""
    if status.standing is not Standing.DECIDING:
        return []
    lines: list[Line] = []
    for number, asked in enumerate(status.questions, 1):
        lines += paragraph(f"{number}. {one_line(asked.question)}", style, hanging=3)
        for at, option in enumerate(asked.options):
            mark = "*" if at == asked.recommended else " "
            lines += paragraph(
                f"{mark} {chr(ord('a') + at)}) {one_line(option)}", style, 3, hanging=5
            )
    where = f"with room for answers in {view.folder}/questions.md (* is recommended)"
    return [*lines, *paragraph(where, style, 3, Paint.DIM)]


def _nodes(status: Status, style: Style, view: View) -> list[Line]:
    """Return the table of nodes: all where they are few and none is explained below."""
    if view.everything:
        return node_table(status.nodes, status, style)
    few = len(status.nodes) <= LISTED
    explained = (status.of(NodeStatus.FAILED) or status.red_gates) and status.process is None
    if few and not explained:
        return node_table(status.nodes, status, style)
    active = [node for node in status.nodes if node.live or node.state.status in ACTIVE]
    return node_table(active, status, style)


def _notes(status: Status, style: Style) -> list[Line]:
    """Return what else is worth a line."""
    damaged = [
        f"note: skipped {counted(count, 'damaged line')} in {name}"
        for name, count in status.damaged_lines.items()
    ]
    return [line for note in damaged for line in paragraph(note, style)]


def _next(given: Advice, style: Style) -> list[Line]:
    """Return the next commands, beside what they are good for where there is room."""
    steps = given.steps
    if not steps and not given.first:
        return []
    by_hand = one_line(given.first)
    head = f"Next: {by_hand}" if by_hand else f"Next{', one of' if len(steps) > 1 else ''}:"
    lines = paragraph(head, style, 0, Paint.BOLD)
    commands = [shlex.join(step.command) for step in steps]
    pairs = [(width_of(one), width_of(step.why)) for one, step in zip(commands, steps, strict=True)]
    column = _column(pairs, style.measure - 4 - 3)
    for command, step in zip(commands, steps, strict=True):
        if width_of(command) <= column:
            said = filled(command, column + 3)
            lines.append((Span(f"    {said}", Paint.BOLD), Span(step.why)))
        else:
            lines += [*command_lines(command, style, 4), *paragraph(step.why, style, 8)]
    return lines


def _column(pairs: Sequence[tuple[int, int]], room: int) -> int:
    """Return how wide a first column can be: with the second one beside it in ``room`` cells.

    ``pairs`` are the widths of both in each row; rows whose first cell is wider take two lines.
    """

    def fits(column: int) -> bool:
        return all(column + second <= room for first, second in pairs if first <= column)

    return max((first for first, _ in pairs if fits(first)), default=0)
