"""What a revision changed: nodes of the plan by name, the spec as a diff."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import unified_diff
from typing import Any, NamedTuple

from director.model.plan import Node
from director.model.printable import printable


class NodeChanges(NamedTuple):
    """Ids of nodes that are new, gone or different, and of those whose tests alone are."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    rewritten: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` says of them."""
        return {
            "added": list(self.added),
            "removed": list(self.removed),
            "changed": [{"node": one, "fields": list(fields)} for one, fields in self.changed],
            "tests_rewritten": list(self.rewritten),
        }

    def in_words(self) -> str:
        """Return a line for each kind of change."""
        changed = [f"{one} ({', '.join(fields)})" for one, fields in self.changed]
        lines = [
            *_line("new nodes", self.added),
            *_line("removed nodes", self.removed),
            *_line("changed nodes", changed),
            *_line("tests written again", self.rewritten),
        ]
        return "\n".join(lines) or "nothing: the plan is as it was"


def _line(label: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"{label}: {', '.join(names)}"


def node_changes(before: Iterable[Node], after: Iterable[Node]) -> NodeChanges:
    """Compare two plans."""
    old, new = {one.id: one for one in before}, {one.id: one for one in after}
    both = [(old[one], new[one]) for one in new if one in old]
    changed = [(now.id, _fields(was, now)) for was, now in both]
    return NodeChanges(
        tuple(one for one in new if one not in old),
        tuple(one for one in old if one not in new),
        tuple((one, fields) for one, fields in changed if fields),
        tuple(now.id for was, now in both if dict(was.test_hashes) != dict(now.test_hashes)),
    )


def _fields(was: Node, now: Node) -> tuple[str, ...]:
    pairs = zip(Node._fields, was, now, strict=True)
    return tuple(name for name, old, new in pairs if old != new and name != "test_hashes")


def text_diff(before: str, after: str, name: str) -> str:
    """Return a unified diff that can be printed; "" where nothing differs."""
    lines = unified_diff(
        printable(before).splitlines(),
        printable(after).splitlines(),
        f"{name} before",
        name,
        lineterm="",
    )
    return "\n".join(lines)
