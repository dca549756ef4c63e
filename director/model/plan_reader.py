"""Reading a plan that a model or a person wrote: every problem is named, nothing is guessed."""

from __future__ import annotations

import re

from director.model.codec.decoding import Words, decode, decode_fields
from director.model.codec.mistakes import MismatchError, Mistake
from director.model.dag import dag_problems
from director.model.paths import parents
from director.model.patterns import lazy_pattern
from director.model.plan import Node, Plan

NODE_ID = lazy_pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
RESERVED_FOLDERS = (".git", ".director")
NODE = Words(missing='"{}" is missing', unknown="a field of a node")
PLAN = Words(missing='"{}" is missing')
MOST_PROBLEMS = 30


class InvalidPlanError(Exception):
    """A plan that cannot be run; ``problems`` holds one sentence for each thing wrong.

    Of very many the first, and how many more there are: nobody corrects all of them at once.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        if (more := len(problems) - MOST_PROBLEMS) > 0:
            problems = (*problems[:MOST_PROBLEMS], f"and {more} more problems")
        super().__init__("\n".join(problems))
        self.problems = problems


def read_nodes(document: object) -> tuple[Node, ...]:
    """Return the nodes of a planner's document ``{"nodes": [...]}`` (parsed JSON).

    Raises InvalidPlanError with all problems: shape, paths, ids, dependencies, cycles,
    files that two unordered nodes would both change, test support files in an allowlist, repairs.
    """
    # Not needed for a plan that was read before, and a while to import.
    from director.model.testing.support_files import support_problems

    nodes = _nodes_of(document)
    own = (f'node {node.id!r}: "repairs" is set by director only' for node in nodes if node.repairs)
    if problems := [*own, *support_problems(nodes)]:
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
    header, mistakes = decode_fields(Plan, {**document, "nodes": []}, PLAN)
    if mistakes:
        raise InvalidPlanError(tuple(map(_said, mistakes)))
    return Plan(**{**header, "nodes": _nodes_of(document)})


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
    try:
        node = decode(Node, entry, NODE)
        found = _value_problems(node)
    except MismatchError as error:
        found = [_said(mistake) for mistake in error.mistakes]
    problems.extend(f"{label}: {problem}" for problem in found)
    return None if found else node


def _said(mistake: Mistake) -> str:
    """Return a mistake as planners are told."""
    if not mistake.path:
        return mistake.problem
    name, *inside = mistake.path
    return f'"{name}" {"must hold strings only" if inside else mistake.problem}'


def _value_problems(node: Node) -> list[str]:
    problems = []
    if not NODE_ID.fullmatch(node.id) or node.id.endswith((".lock", ".")):
        problems.append("the id must be a plain name (letters, digits, '.', '_', '-')")
    texts = {"title": node.title, "spec": node.spec, "test_cmd": node.test_cmd}
    problems += [f'"{name}" is empty' for name, text in texts.items() if not text.strip()]
    if "\n" in node.title:
        problems.append('"title" must be one line')
    elif not node.title.isprintable():
        problems.append('"title" must hold printable characters only')
    for name, paths in (("files", node.files), ("tests", node.tests)):
        if not paths and not (name == "tests" and node.repairs):
            problems.append(f'"{name}" is empty')
        for path in paths:
            if problem := path_problem(path):
                problems.append(f'"{name}": {path!r} {problem}')
        if len(set(paths)) != len(paths):
            problems.append(f'"{name}" names a path twice')
    if node.repairs and node.tests:
        problems.append('"tests" must be empty: a repair has none of its own')
    problems += [
        f'"test_support": {path!r} is not in "files"'
        for path in node.test_support
        if path not in node.files
    ]
    return problems


def _claim_problems(nodes: list[Node]) -> list[str]:
    """Say where tests stand in an allowlist, or one of the two in the other's way."""
    owner = {path: node.id for node in nodes for path in node.tests}
    folders = {folder: path for path in owner for folder in parents(path)}
    problems = []
    for node in nodes:
        for path in node.files:
            said = f"node {node.id!r}: {path!r} in its allowlist"
            above = next((folder for folder in parents(path) if folder in owner), None)
            if path in owner:
                problems.append(f"{said} is a test of node {owner[path]!r}")
            elif path in folders:
                problems.append(f"{said} is the folder of the test {folders[path]!r}")
            elif above:
                problems.append(f"{said} lies below the test {above!r}")
    return problems
