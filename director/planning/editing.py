"""Tests laid out for editing while they wait for approval, and taken back as they are then."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass

from director.job.context import JobContext
from director.job.views import Contents, views_of
from director.model.errors import RequestError
from director.model.plan import Node, Plan
from director.model.reason import Reason
from director.planning.tests_on_branch import bringers
from director.processes.removal import NotRemovedError, discard
from director.records import files
from director.records.files import make_folder, os_errors_stop
from director.records.job_directory import JobDirectory
from director.repositories.history import Entry


def export_tests(job: JobContext, paths: Iterable[str]) -> None:
    """Write tests, as they are on the branch, into the job's ``tests/`` folder, and no others."""
    folder = job.directory.tests
    with os_errors_stop(folder):
        discard(folder)
    tip = job.repository.tip()
    for path, content in job.repository.contents(tip, paths).items():
        target = folder / path
        with os_errors_stop(target):
            make_folder(target.parent)
            target.write_bytes(content)


def lay_out_missing(job: JobContext, paths: Set[str]) -> None:
    """Write those of ``paths`` that are not in the ``tests/`` folder, as they are on the branch.

    What lies there of them stays, since a person may have edited it; the rest goes.
    """
    folder = job.directory.tests
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    for path in there - paths:
        files.remove(folder / path)
    wanted = paths - there
    for path, content in job.repository.contents(job.repository.tip(), wanted).items():
        files.write_bytes(folder / path, content, durable=False)


def edited_tests(job: JobContext, paths: Iterable[str]) -> list[str]:
    """Return those of ``paths`` that lie in the ``tests/`` folder otherwise than on the branch."""
    laid = ((path, job.directory.tests / path) for path in paths)
    there = {path: place.read_bytes() for path, place in laid if place.is_file()}
    on_branch = job.repository.contents(job.repository.tip(), there)
    return sorted(path for path, content in there.items() if on_branch.get(path) != content)


def withdraw_tests(directory: JobDirectory, paths: Iterable[str]) -> None:
    """Remove test files that were laid out for editing: the branch says what they hold now."""
    for path in paths:
        files.remove(directory.tests / path)


def extended_by_others(plan: Plan, node: Node) -> tuple[str, str] | None:
    """Return a test file of ``node`` and a later node with tests on top of its own; or None."""
    later = ((path, plan.owners[path][-1]) for path in node.tests)
    return next(((path, last) for path, last in later if last != node.id), None)


@dataclass(frozen=True)
class Draft:
    """A plan as it is on disk. ``entries`` are its tests, as they are to be on the branch.

    ``contents`` are all contents that a test file has at one of its nodes.
    """

    plan: Plan
    entries: Mapping[str, Entry]
    contents: Contents


def draft_of(job: JobContext, plan: Plan, *, edited_only: bool) -> Draft:
    """Return ``plan`` with its tests frozen as they are on disk now.

    Of a file that several nodes extend that is what it holds at the last one; at the others it
    stays as it was written. ``edited_only``: a test that is not in the job's ``tests/`` folder is
    as it is on the branch. RequestError names one that is missing.
    """
    branch = _Branch(job, plan)
    hashes: dict[str, dict[str, str]] = {node.id: {} for node in plan.nodes}
    entries: dict[str, Entry] = {}
    contents: dict[tuple[str, str], Entry] = {}
    for path, owners in plan.owners.items():
        entry = entries[path] = branch.last(path, _on_disk(branch, path, edited_only))
        for owner in reversed(owners):
            if owner != owners[-1]:
                entry = branch.at(owner, path) or entry
            digest = _sha256(job.repository.objects.get(entry.oid).data)
            hashes[owner][path] = digest
            contents[path, digest] = entry
    nodes = (
        node._replace(test_hashes={path: hashes[node.id][path] for path in node.tests})
        for node in plan.nodes
    )
    return Draft(plan._replace(nodes=tuple(nodes)), entries, contents)


class _Branch:
    """What test files hold on the branch: at its tip, and at each of their nodes."""

    def __init__(self, job: JobContext, plan: Plan) -> None:
        self.job = job
        self.plan = plan
        self._tip = job.repository.tip()
        self.contents = job.repository.contents(self._tip, plan.owners)
        self._entries = job.repository.entries(self._tip, plan.owners)
        self._brought = bringers(job, plan.base_commit)
        self._views = views_of(job.repository, plan)

    def at(self, owner: str, path: str) -> Entry | None:
        """Return what a test file holds at a node; None: unknown."""
        return self._views.content_at(self._tip, self.plan.node(owner), path)

    def last(self, path: str, edited: bytes | None) -> Entry:
        """Return what a test file is to hold: what it does at its last node (None: as it is)."""
        owners, now = self.plan.owners[path], self.contents.get(path)
        ours = set(owners) & self._brought.get(path, set(owners))
        dropped = edited in (None, now) and not ours  # it was written for a node that is gone
        if dropped and (own := self.at(owners[-1], path)):
            return own
        content = now if edited is None else edited
        assert content is not None
        mode = self._entries[path].mode if path in self._entries else "100644"
        return Entry(path, mode, self.job.repository.store(content))


def _on_disk(branch: _Branch, path: str, edited_only: bool) -> bytes | None:
    """Return what is in the job's ``tests/`` folder; None: what is on the branch is meant."""
    folder = branch.job.directory.tests
    try:
        return (folder / path).read_bytes()
    except OSError:
        if edited_only and path in branch.contents:
            return None
        raise RequestError(
            f"node {branch.plan.owners[path][-1]}: its test {path} is not in {folder}",
            'put the file there, or take it out of the node\'s "tests" in plan.json',
            Reason.TESTS_REFUSED,
        ) from None


def fingerprints(plan: Plan) -> dict[str, str]:
    """Return node id → what its admission was about: command and tests' content (sha256, hex)."""
    return {
        node.id: _sha256(json.dumps([node.test_cmd, sorted(node.test_hashes.items())]).encode())
        for node in plan.nodes
    }


def remove_exported_tests(job: JobContext) -> None:
    """Remove the folder of editable tests: from now on they are frozen."""
    with suppress(NotRemovedError):
        discard(job.directory.tests)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
