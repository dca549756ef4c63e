"""Reading a plan that somebody else wrote: every problem is named, nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from director.model.commit_policy import TYPES
from director.model.dag import dag_problems
from director.model.plan import DIFFICULTIES, Node, Plan
from director.model.testing.support_files import support_problems

NODE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
RESERVED_FOLDERS = (".git", ".director")
NODE_FIELDS = {
    "id": str,
    "title": str,
    "spec": str,
    "files": list,
    "depends_on": list,
    "test_cmd": str,
    "tests": list,
    "estimated_difficulty": str,
}
OPTIONAL_FIELDS = {"test_hashes", "test_support", "type"}
PLAN_FIELDS = ("job_id", "task", "repo", "base_commit", "created_at", "job_branch")


class InvalidPlanError(Exception):
    """A plan that cannot be run; ``problems`` holds one sentence for each thing wrong."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read_nodes(document: object) -> tuple[Node, ...]:
    """Return the nodes of a planner's document ``{"nodes": [...]}`` (parsed JSON).

    Raises InvalidPlanError with all problems: shape, paths, ids, dependencies, cycles,
    files that two unordered nodes would both change, and test support files in an allowlist.
    """
    nodes = _nodes_of(document)
    if problems := support_problems(nodes):
        raise InvalidPlanError(tuple(problems))
    return nodes


def _nodes_of(document: object) -> tuple[Node, ...]:
    entries = document.get("nodes") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise InvalidPlanError(
            ('the plan must be an object {"nodes": [...]} with one node or more',)
        )
    problems: list[str] = []
    nodes = [_read_node(entry, index, problems) for index, entry in enumerate(entries)]
    if problems:
        raise InvalidPlanError(tuple(problems))
    whole = [node for node in nodes if node is not None]
    problems = [*_claim_problems(whole), *dag_problems(whole)]
    if problems:
        raise InvalidPlanError(tuple(problems))
    return tuple(whole)


def read_plan(document: object) -> Plan:
    """Return the plan stored in ``plan.json`` (parsed JSON); raises InvalidPlanError."""
    if not isinstance(document, dict):
        raise InvalidPlanError(("plan.json must hold a JSON object",))
    problems = [
        f'"{name}" must be a string'
        for name in PLAN_FIELDS
        if not isinstance(document.get(name), str)
    ]
    if problems:
        raise InvalidPlanError(tuple(problems))
    return Plan(nodes=_nodes_of(document), **{name: document[name] for name in PLAN_FIELDS})


def path_problem(path: str) -> str | None:
    """Say why ``path`` cannot stand in a plan, or None when it can."""
    parts = path.split("/")
    if not path or path.startswith("/") or "\\" in path or re.match(r"[A-Za-z]:", path):
        return "must be relative to the repository root, with forward slashes"
    if any(part in ("", ".", "..") for part in parts):
        return "must name one file plainly (no '.', '..', empty part or trailing slash)"
    if any(part.lower().rstrip(". ") in RESERVED_FOLDERS for part in parts):
        return "must not touch .git or .director"
    if any(character in path for character in "*?") or not path.isprintable():
        return "must name one file, without patterns or control characters"
    return None


def _read_node(entry: object, index: int, problems: list[str]) -> Node | None:
    if not isinstance(entry, dict):
        problems.append(f"nodes[{index}] must be an object")
        return None
    label = f"node {entry['id']!r}" if isinstance(entry.get("id"), str) else f"nodes[{index}]"
    found = [f"{label}: {problem}" for problem in _shape_problems(entry)]
    if not found:
        found = [f"{label}: {problem}" for problem in _value_problems(entry)]
    if found:
        problems.extend(found)
        return None
    return Node(
        id=entry["id"],
        title=entry["title"],
        spec=entry["spec"],
        files=tuple(entry["files"]),
        depends_on=tuple(entry["depends_on"]),
        test_cmd=entry["test_cmd"],
        tests=tuple(entry["tests"]),
        estimated_difficulty=entry["estimated_difficulty"],
        test_hashes=dict(entry.get("test_hashes", {})),
        test_support=tuple(entry.get("test_support", ())),
        type=entry.get("type", ""),
    )


def _shape_problems(entry: Mapping[str, Any]) -> list[str]:
    problems = []
    for name, kind in NODE_FIELDS.items():
        if name not in entry:
            problems.append(f'"{name}" is missing')
        elif not isinstance(entry[name], kind):
            problems.append(f'"{name}" must be a {"list of strings" if kind is list else "string"}')
        elif kind is list and not all(isinstance(item, str) for item in entry[name]):
            problems.append(f'"{name}" must hold strings only')
    unknown = sorted(set(entry) - set(NODE_FIELDS) - OPTIONAL_FIELDS)
    problems += [f'"{name}" is not a field of a node' for name in unknown]
    hashes = entry.get("test_hashes", {})
    if not isinstance(hashes, dict) or not all(isinstance(h, str) for h in hashes.values()):
        problems.append('"test_hashes" must map paths to sha256 digests')
    support = entry.get("test_support", [])
    if not isinstance(support, list) or not all(isinstance(path, str) for path in support):
        problems.append('"test_support" must be a list of strings')
    if entry.get("type", "") not in ("", *TYPES):
        problems.append(f'"type" must be one of {", ".join(TYPES)}')
    return problems


def _value_problems(entry: Mapping[str, Any]) -> list[str]:
    problems = []
    if not NODE_ID.fullmatch(entry["id"]) or entry["id"].endswith((".lock", ".")):
        problems.append("the id must be a plain name (letters, digits, '.', '_', '-')")
    problems += [
        f'"{name}" is empty' for name in ("title", "spec", "test_cmd") if not entry[name].strip()
    ]
    problems += [f'"{name}" is empty' for name in ("files", "tests") if not entry[name]]
    if "\n" in entry["title"]:
        problems.append('"title" must be one line')
    elif not entry["title"].isprintable():
        problems.append('"title" must hold printable characters only')
    if entry["estimated_difficulty"] not in DIFFICULTIES:
        problems.append(f'"estimated_difficulty" must be one of {", ".join(DIFFICULTIES)}')
    for name in ("files", "tests"):
        for path in entry[name]:
            if problem := path_problem(path):
                problems.append(f'"{name}": {path!r} {problem}')
        if len(set(entry[name])) != len(entry[name]):
            problems.append(f'"{name}" names a path twice')
    problems += [
        f'"test_support": {path!r} is not in "files"'
        for path in entry.get("test_support", ())
        if path not in entry["files"]
    ]
    return problems


def _claim_problems(nodes: list[Node]) -> list[str]:
    """Say where tests stand in an allowlist, or one of the two in the other's way."""
    owner = {path: node.id for node in nodes for path in node.tests}
    folders = {folder: path for path in owner for folder in _parents(path)}
    problems = []
    for node in nodes:
        for path in node.files:
            said = f"node {node.id!r}: {path!r} in its allowlist"
            above = next((folder for folder in _parents(path) if folder in owner), None)
            if path in owner:
                problems.append(f"{said} is a test of node {owner[path]!r}")
            elif path in folders:
                problems.append(f"{said} is the folder of the test {folders[path]!r}")
            elif above:
                problems.append(f"{said} lies below the test {above!r}")
    return problems


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts))]
