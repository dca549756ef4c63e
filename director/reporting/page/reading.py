"""Reads all that is on record of a job, for its page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from director import __version__
from director.job.seal import read_seal
from director.model.codec.decoding import decode
from director.model.codec.mistakes import MismatchError
from director.model.errors import DirectorError
from director.model.plan import Node, Plan
from director.model.receipt import Receipt
from director.model.state import NodeState, NodeStatus
from director.records import files, json_lines
from director.records.clock import now
from director.records.job_directory import JobDirectory
from director.reporting.logs.job_logs import read_logs
from director.reporting.logs.node_log import NodeLog
from director.reporting.page.page import Change, NodePart, Page, Verified
from director.reporting.page.timeline import Session, sessions_in
from director.reporting.status.next_steps import CURRENT, Asked, advice
from director.reporting.status.reader import read_status
from director.reporting.status.status import NodeNow, Status
from director.repositories.candidates import Candidates

PATCH_LINES = 400  # of one node
PATCHES_BYTES = 4_000_000  # of all nodes together
TEST_CHARACTERS = 20_000  # of one file of tests
TESTS_CHARACTERS = 2_000_000  # of all files of tests together

Next = Callable[[Node, NodeState, bool, Sequence[str]], Sequence[tuple[str, str]]]
"""Node, its state, whether all attempts failed alike, what it waits for that failed → commands."""


class Patches:
    """What commits changed and held; what was read once is known."""

    def __init__(self, kept: Candidates) -> None:
        self._kept = kept
        self._patches: dict[str, str] = {}
        self._tests: tuple[str, Mapping[str, str]] = ("", {})

    def of(self, node: str, state: NodeState) -> tuple[str, str] | None:
        """Return name and commit of what a node came to: its merge, else its last candidate."""
        if state.commit:
            return f"merge {state.commit[:10]}", state.commit
        if not state.attempts and state.status is not NodeStatus.RUNNING:
            return None
        return self._kept.last_of(node)

    def read(self, commits: Iterable[str]) -> Mapping[str, str]:
        """Return commit → patch; those that are gone are left out."""
        wanted = [one for one in dict.fromkeys(commits) if one not in self._patches]
        if wanted:
            self._patches |= self._kept.diffs(wanted)
        return self._patches

    def tests(self, commit: str, paths: Sequence[str]) -> Mapping[str, str]:
        """Return path → text of those of ``paths`` that ``commit`` holds."""
        if self._tests[0] != commit:
            self._tests = commit, self._kept.texts(commit, paths)
        return self._tests[1]


@dataclass(frozen=True)
class Source:
    """Where a page comes from. ``then`` says what comes next for a node.

    ``verify`` checks the job as it stands, ``ceiling_usd`` is what is configured (0: none).
    ``reproduce`` gives commands that check it again.
    """

    directory: JobDirectory
    patches: Patches
    then: Next
    verify: Callable[[Status], Verified]
    asked: Asked = CURRENT
    ceiling_usd: float = 0.0
    reproduce: Callable[[Plan], Sequence[tuple[str, str]]] = field(default=lambda _plan: ())


def read_page(source: Source) -> Page:
    """Return what is on record of a job; RequestError where there is none, or it is damaged."""
    directory = source.directory
    status = read_status(directory)
    plan, no_plan = _plan(directory)
    receipts = _receipts(directory)
    return Page(
        status=status,
        advice=advice(status, source.asked),
        verified=source.verify(status),
        plan=plan,
        no_plan=no_plan,
        nodes=_nodes(source, plan, status, receipts) if plan else (),
        spec=_text(directory.spec),
        sessions=_sessions(directory, status),
        ceiling_usd=source.ceiling_usd,
        reproduce=source.reproduce(plan) if plan else (),
        made_at=now(),
        version=__version__,
        receipts=receipts,
    )


def _plan(directory: JobDirectory) -> tuple[Plan | None, str]:
    if not directory.plan.exists():
        return None, ""
    try:
        return directory.load_plan(), ""
    except DirectorError as error:
        return None, error.what


def _text(path: Path) -> str:
    try:
        return files.read_text(path) or ""
    except DirectorError as error:
        return error.what


def _sessions(directory: JobDirectory, status: Status) -> tuple[Session, ...]:
    until = status.now if status.process is not None else None
    return sessions_in(json_lines.read_lines(directory.events), until)


def _receipts(directory: JobDirectory) -> dict[str, Receipt]:
    """Return node → its receipt, the last one where it was merged again."""
    found = {}
    for line in json_lines.read_lines(directory.receipts):
        try:
            receipt = decode(Receipt, line)
        except MismatchError:
            continue  # `verify` says what is wrong with it
        found[receipt.node] = receipt
    return found


def _nodes(
    source: Source, plan: Plan, status: Status, receipts: Mapping[str, Receipt]
) -> tuple[NodePart, ...]:
    nows = {one.id: one for one in status.nodes}
    logs = {log.node: log for log in read_logs(source.directory, nows)}
    changes = _changes(source.patches, status)
    tests = _tests(source, plan)
    return tuple(
        _part(source, node, nows, logs[node.id])._replace(
            receipt=receipts.get(node.id),
            change=changes.get(node.id),
            tests={path: tests[path] for path in node.tests if path in tests},
        )
        for node in plan.nodes
        if node.id in nows
    )


def _part(source: Source, node: Node, nows: Mapping[str, NodeNow], log: NodeLog) -> NodePart:
    now = nows[node.id]
    bad = (NodeStatus.FAILED, NodeStatus.BLOCKED)
    held = [one for one in node.depends_on if one in nows and nows[one].state.status in bad]
    then = source.then(node, now.state, bool(now.same_failure), held)
    return NodePart(node, now, log, next=then)


def _changes(patches: Patches, status: Status) -> dict[str, Change]:
    known = {one.id: of for one in status.nodes if (of := patches.of(one.id, one.state))}
    read = patches.read(commit for _, commit in known.values())
    room, found = PATCHES_BYTES, dict[str, Change]()
    for node, (name, commit) in known.items():
        if commit in read:
            found[node] = change = shortened(name, read[commit], room)
            room -= len(change.patch)
    return found


def shortened(name: str, patch: str, room: int) -> Change:
    """Return a change whose patch has at most PATCH_LINES lines, and ``room`` characters."""
    lines = patch.splitlines()
    kept = lines[:PATCH_LINES]
    if sum(map(len, kept)) > room:
        kept = []
    return Change(name, "\n".join(kept), len(lines) - len(kept))


def _tests(source: Source, plan: Plan) -> dict[str, str]:
    """Return path → text of the tests as they were frozen; before that, as they are drafted."""
    try:
        seal = read_seal(source.directory)
    except DirectorError:
        seal = None
    paths = sorted({path for node in plan.nodes for path in node.tests})
    if seal is None:
        drafts = source.directory.tests
        held = {path: _draft(drafts, path) for path in paths}
        texts: Mapping[str, str] = {path: text for path, text in held.items() if text}
    else:
        texts = source.patches.tests(seal.contract, paths)
    room, found = TESTS_CHARACTERS, {}
    for path, text in texts.items():
        found[path] = text[: min(room, TEST_CHARACTERS)]
        room = max(0, room - len(found[path]))
    return found


def _draft(folder: Path, path: str) -> str:
    place = folder / path
    inside = place.resolve().is_relative_to(folder.resolve())
    return files.read_beginning(place) if inside and place.is_file() else ""


def state_of(directory: JobDirectory) -> tuple[object, ...]:
    """Return a value that differs when the records of a job have changed."""
    places = (
        directory.events, directory.state, directory.state_changes, directory.costs, directory.lock,
        directory.live, directory.plan, directory.stage, directory.spec, directory.receipts,
        directory.metrics, directory.sealed, directory.amending, directory.taken,
        directory.landed,
    )  # fmt: skip
    return tuple(_stamp(place) for place in places)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
