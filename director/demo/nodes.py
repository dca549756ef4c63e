"""The nodes of the sample job: each with its tests, and with what the models write for it."""

from functools import cache
from typing import NamedTuple

from director.demo.texts import FOLDER, Files, files, text
from director.model.plan import Node


class ScriptedNode(NamedTuple):
    """A node, its tests, and every attempt at it.

    ``attempts`` are what is written, in order; only the last one is right. ``by_executor`` says
    how many of them the executor makes before the escalation tier makes the last.
    """

    node: Node
    tests: Files
    attempts: tuple[Files, ...]
    by_executor: int

    @property
    def solution(self) -> Files:
        """The attempt that is right."""
        return self.attempts[-1]

    def attempt(self, number: int, *, escalated: bool) -> Files:
        """Return what is written in attempt ``number`` (1 is the first) on either tier."""
        if escalated:
            return self.solution
        return self.attempts[min(number, self.by_executor) - 1]


class _Row(NamedTuple):
    node_id: str
    title: str
    difficulty: str
    by_executor: int
    depends_on: tuple[str, ...] = ()


ROWS = (
    # Right at the first attempt.
    _Row("slug", "Turn a heading into a slug", "easy", 1),
    # The first attempt is wrong (it rounds to the nearest minute); the second is right.
    _Row("reading-time", "Say how long a text takes to read", "easy", 2),
    # The executor gets it wrong twice (code fences), and the escalation tier right.
    _Row("headings", "Find the headings of a Markdown text", "hard", 2),
    # Puts the others together; it also changes a file that is already there.
    _Row(
        "contents",
        "Put the table of contents together",
        "medium",
        1,
        ("slug", "reading-time", "headings"),
    ),
)


@cache
def scripted_nodes() -> tuple[ScriptedNode, ...]:
    """Return the nodes, dependencies first."""
    return tuple(map(_scripted, ROWS))


def _scripted(row: _Row) -> ScriptedNode:
    tests = files(f"{row.node_id}/contract")
    (test,) = tests
    names = sorted(path.name for path in (FOLDER / row.node_id).glob("attempt-*"))
    attempts = tuple(files(f"{row.node_id}/{name}") for name in names)
    node = Node(
        id=row.node_id,
        title=row.title,
        spec=text(f"{row.node_id}/spec.md"),
        files=tuple(attempts[-1]),
        depends_on=row.depends_on,
        test_cmd=f"python3 -m unittest {test.removesuffix('.py').replace('/', '.')}",
        tests=(test,),
        estimated_difficulty=row.difficulty,
    )
    return ScriptedNode(node, tests, attempts, row.by_executor)
