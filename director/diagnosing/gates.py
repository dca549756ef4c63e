"""The gates and the tests that are there, tried on the commit with which a job would begin."""

from __future__ import annotations

from collections.abc import Iterator

from director.diagnosing.checkouts import Checkouts
from director.diagnosing.subject import Found
from director.job.base_tests import Base, blocked_words, remark, try_tests
from director.model.diagnosis import Row, ok, problem, warning
from director.model.errors import RequestError
from director.model.format import counted, duration
from director.model.testing.preflight import Difference, Preflight
from director.worktrees.gates import GateResult, Verdict

TESTS = "tests"
LFS = "filter=lfs"


def worktree_rows(found: Found, checkouts: Checkouts) -> Iterator[Row]:
    """Give what worktrees of the commit lack, each gate's verdict, and whether tests can run."""
    base = checkouts.base
    if missing := base.missing_submodules():
        what, _, fix = missing.partition("; ")
        yield warning("submodules", what, fix)
    if row := _large_files(base):
        yield row
    gates = found.settings.config.gates
    try:
        base.import_check.refuse_gates(gates.values(), found.repository.root)
    except RequestError as error:
        yield problem(TESTS, error.what, error.next_step)
        return
    verdicts: dict[str, dict[str, str]] = {}
    for name, command in gates.items():
        found.subject.begins(f"running gate {name} on HEAD: {command}")
        result = _run(base, name, command)
        log = result.recorded_log
        verdict, reason = result.verdict.value, result.reason
        verdicts[name] = {"command": command, "verdict": verdict, "reason": reason, "log": log}
        yield _gate(found, name, result)
    if not gates:
        fix = "`director init --set 'gates.test=\"…\"'` sets one"
        yield warning("gates", "no [gates]: only the tests of the job's own nodes judge it", fix)
    if not verdicts:
        found.subject.begins("running the existing tests in a fresh worktree")
    yield from _tests(base, verdicts)


def _run(base: Base, name: str, command: str) -> GateResult:
    with base.pool.lease_gate(base.commit) as worktree:
        return base.gates.run(command, worktree.path, f"base.{name}")


def _gate(found: Found, name: str, result: GateResult) -> Row:
    about, where = f"gate {name}", found.settings.place("gates", name)
    took = duration(result.wall_secs)
    if result.verdict is Verdict.GREEN:
        return ok(about, f"green on HEAD ({took}): {result.command}")
    if result.verdict is Verdict.RED:
        fix = "correct what it names; while it is red on HEAD already, it fails no job"
        return warning(about, f"red on HEAD: {result.failure}: {result.command}", fix, where)
    fix = (
        "correct the command, or provide what it needs (a program on PATH, `setup` of [worktree], "
        "more time by [limits] node_timeout_secs)"
    )
    return problem(about, f"cannot run on HEAD: {result.reason}: {result.command}", fix, where)


def _tests(base: Base, verdicts: dict[str, dict[str, str]]) -> Iterator[Row]:
    try:
        seen = try_tests(base, verdicts)
    except RequestError as error:
        yield problem(TESTS, error.what, error.next_step)
        return
    if said := blocked_words(seen):
        fix = base.advice() or "correct `setup` of [worktree], or what it needs"
        yield problem(TESTS, said, fix.removesuffix("; "))
        return
    told = {one["command"] for one in verdicts.values() if one["verdict"] == Verdict.BROKEN.value}
    remarks = [
        said
        for one in seen.runs
        if (said := remark(one)) and (one.description or one.worktree.command not in told)
    ]
    for said in remarks:
        fix = base.advice() or "provide what it lacks: `setup`, `copy` or `link` of [worktree]"
        yield warning(TESTS, said, fix.removesuffix("; "))
    if not remarks and (not told or any(one.worktree.ran_tests for one in seen.runs)):
        yield _of_runs(seen)


def _of_runs(seen: Preflight) -> Row:
    ran = [one for one in seen.runs if one.worktree.ran_tests]
    if ran:
        return ok(TESTS, f"they run in a fresh worktree: {'; '.join(map(_run_words, ran))}")
    if seen.runs:
        tried = "; ".join(f"`{one.worktree.command}` ({one.worktree.outcome})" for one in seen.runs)
        return ok(TESTS, f"nothing seems to be missing in a fresh worktree: {tried}")
    fix = "no action is needed: the job's nodes bring tests of their own"
    return warning(TESTS, "no tests that director recognises, and no [gates]", fix)


def _run_words(one: Difference) -> str:
    tests = f", {counted(one.worktree.tests, 'test')}" if one.worktree.tests else ""
    return f"`{one.worktree.command}` {one.worktree.outcome}{tests}"


def _large_files(base: Base) -> Row | None:
    """Return what is to be known of Git LFS, where the commit uses it."""
    paths = [path for path in base.paths if path.rpartition("/")[2] == ".gitattributes"]
    texts = base.repository.contents(base.commit, paths).values()
    if not any(LFS.encode() in text for text in texts):
        return None
    if not base.user.git.ok("config", "--get-regexp", r"^filter\.lfs\.(process|smudge)$"):
        said = (
            "the repository keeps files in Git LFS, which git is not set up for: they stay pointers"
        )
        return warning("Git LFS", said, "install git-lfs, then `git lfs install`")
    if not base.user.git.ok("lfs", "version"):
        said = "the repository keeps files in Git LFS, and git-lfs is not installed"
        return problem("Git LFS", said, "install git-lfs")
    return ok("Git LFS", "worktrees have the files, not their pointers")
