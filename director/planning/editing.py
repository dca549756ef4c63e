"""Gate 2 as artifacts: tests laid out for editing, and taken back as they are then."""

from __future__ import annotations

import hashlib
import shutil

from director.job.workbench import Workbench
from director.model.errors import RequestError
from director.model.plan import Node
from director.planning.authoring import admit, commit_entries, fingerprint
from director.records.files import explained, make_folder
from director.workspace.job_repository import Entry


def lay_out(bench: Workbench, nodes: tuple[Node, ...]) -> None:
    """Write every node's tests, as they are on the branch, into the job's ``tests/`` folder."""
    folder = bench.directory.tests
    shutil.rmtree(folder, ignore_errors=True)
    tip = bench.job.tip()
    for node in nodes:
        for path, content in bench.job.contents(tip, node.tests).items():
            target = folder / path
            with explained(target):
                make_folder(target.parent)
                target.write_bytes(content)


def take_back(bench: Workbench, node: Node, admitted: str) -> Node:
    """Return the node with its tests frozen as they are on disk now.

    Edited tests are committed. ``admitted`` is the fingerprint under which the node was last
    seen red; when it no longer holds, the tests must be red again. RequestError says what is
    missing or no longer red.
    """
    contents = {path: _content(bench, node, path) for path in node.tests}
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in contents.items()}
    frozen = node._replace(test_hashes=hashes)
    tip = bench.job.tip()
    known = bench.job.entries(tip, node.tests)
    before = bench.job.hashes(tip, node.tests)
    edited = [
        Entry(path, known[path].mode if path in known else "100644", bench.job.store(content))
        for path, content in contents.items()
        if before.get(path) != hashes[path]
    ]
    if fingerprint(frozen) != admitted:
        _check(bench, frozen, edited)
    if edited:
        commit_entries(bench, node.id, edited)
    return frozen


def clear_away(bench: Workbench) -> None:
    """Remove the folder of editable tests: from now on they are frozen."""
    shutil.rmtree(bench.directory.tests, ignore_errors=True)


def _content(bench: Workbench, node: Node, path: str) -> bytes:
    place = bench.directory.tests / path
    try:
        return place.read_bytes()
    except OSError:
        raise RequestError(
            f"node {node.id}: its test {path} is not in {bench.directory.tests}",
            'restore the file, or take it out of the node\'s "tests" in plan.json',
        ) from None


def _check(bench: Workbench, node: Node, edited: list[Entry]) -> None:
    tip = bench.job.tip()
    draft = bench.job.commit(bench.job.tree_with(tip, edited), tip, "Edited tests\n")
    with bench.pool.lane() as lane:
        admission = admit(bench, node, lane.gate, draft)
    if admission.problem:
        raise RequestError(
            f"the tests of node {node.id} cannot be admitted: {admission.problem.splitlines()[0]}",
            f"edit them in {bench.directory.tests}, then `director plan --continue`",
        )
