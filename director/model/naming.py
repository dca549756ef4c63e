"""Nodes and jobs as people name them: by their ids, or by what only one id begins with."""

from __future__ import annotations

from collections.abc import Iterable

from director.model.errors import RequestError
from director.model.format import counted
from director.model.plan import Node, Plan
from director.model.reason import Reason

SHOWN = 10


def known_node(plan: Plan, word: str) -> Node:
    """Return the node that ``word`` names; raises RequestError as ``node_called`` does."""
    return plan.node(node_called(word, (node.id for node in plan.nodes)))


def node_called(word: str, known: Iterable[str]) -> str:
    """Return the id of a node as ``id_called`` does."""
    return id_called(word, known, "node")


def id_called(word: str, known: Iterable[str], thing: str) -> str:
    """Return the id that ``word`` is, or that alone begins with it. ``thing`` has such ids.

    Raises RequestError, with the likely id, for one that nothing or several things have.
    """
    ids = list(known)
    if word in ids:
        return word
    found = [one for one in ids if word and one.startswith(word)]
    if len(found) == 1:
        return found[0]
    if found:
        raise RequestError(
            f"{word} is the beginning of {counted(len(found), thing)}",
            f"name one of them: {_listed(found)}",
            Reason.USAGE,
        )
    from difflib import get_close_matches  # takes a while to import, and mistakes are rare

    close = get_close_matches(word, ids, n=1)
    meant = f"did you mean {close[0]}? " if close else ""
    raise RequestError(
        f"{thing} not found: {word}", f"{meant}the {thing}s are: {_listed(ids)}", Reason.USAGE
    )


def _listed(ids: list[str]) -> str:
    more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    return f"{', '.join(ids[:SHOWN]) or 'none'}{more}"
