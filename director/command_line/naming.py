"""Nodes as people type them on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from director.model.errors import RequestError
from director.model.format import counted
from director.model.reason import Reason

SHOWN = 10


def node_called(word: str, known: Iterable[str]) -> str:
    """Return the id that ``word`` is, or is the beginning of.

    Raises RequestError, with the likely id, for one that no or several nodes have.
    """
    ids = list(known)
    if word in ids:
        return word
    found = [one for one in ids if word and one.startswith(word)]
    if len(found) == 1:
        return found[0]
    if found:
        raise RequestError(
            f"{word} is the beginning of {counted(len(found), 'node')}",
            f"name one of them: {_listed(found)}",
            Reason.USAGE,
        )
    close = get_close_matches(word, ids, n=1)
    meant = f"did you mean {close[0]}? " if close else ""
    raise RequestError(
        f"node not found: {word}", f"{meant}the nodes are: {_listed(ids)}", Reason.USAGE
    )


def _listed(ids: list[str]) -> str:
    more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    return f"{', '.join(ids[:SHOWN]) or 'none'}{more}"
