"""The journal of where director moved the job branch, and on what grounds.

A ref is only a file in a repository that agents use. What director believes of the branch is
here, outside of it: a line for each move, a merge's with its whole receipt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from director.model.codec.decoding import decode
from director.model.codec.encoding import encode
from director.model.codec.mistakes import MismatchError
from director.model.receipt import Receipt
from director.records.guarded_lines import GuardedLines


class Tips:
    """The moves of one job's branch. One thread at a time adds."""

    def __init__(self, path: Path) -> None:
        self._lines = GuardedLines(path)
        self._known: set[str] = set()
        self._reached: dict[str, list[str]] = {}  # a tip → the merges noted with it, if others
        self.former: set[str] = set()
        """Where the branch was before it was rebased; none of that is on it any more."""
        self.commits: list[str] = []
        """Where the branch was moved to, oldest first; the first is where it began."""
        self.receipts: dict[str, Receipt] = {}
        """Merge commit → its receipt, for those that the branch still holds."""
        for value in self._lines.values:
            if isinstance(tip := value.get("tip"), str):
                self._take(tip, _receipts(value))
            elif isinstance(former := value.get("former"), list):
                self.former |= {one for one in former if isinstance(one, str)}

    def begin(self, base: str, former: Iterable[str] = ()) -> None:
        """Note that the branch begins at ``base``; nothing else is noted afterwards.

        ``former``: where it was before it was rebased to that.
        """
        self._known, self.commits, self.receipts = {base}, [base], {}
        self._reached = {}
        self.former = set(former)
        stood = [{"former": sorted(self.former)}] if self.former else []
        self._lines.replace([{"tip": base}, *stood])

    @property
    def all(self) -> frozenset[str]:
        """Where the branch ever was, also before it was rebased."""
        return frozenset(self._known | self.former)

    def add(self, commit: str, *receipts: Receipt) -> None:
        """Note where the branch goes, or receipts where it is; on disk afterwards.

        Several receipts are of merges that it goes over in one step, of which none is ever its tip:
        all are on one line, so that a crash leaves all of them or none. Where it goes back to a
        commit, what came after is not on it any more.
        """
        encoded = [encode(receipt) for receipt in receipts]
        line: dict[str, Any] = {"tip": commit}
        if encoded:
            line |= {"receipts": encoded} if len(encoded) > 1 else {"receipt": encoded[0]}
        self._lines.add(line)
        self._take(commit, receipts)

    def _take(self, commit: str, receipts: Sequence[Receipt]) -> None:
        if receipts:
            new = {receipt.merged: receipt for receipt in receipts}
            self.receipts |= new
            # Those noted where it is already are of what it held.
            if commit not in self.commits[-1:] and [*new] != [commit]:
                self._reached[commit] = [*new]
        elif commit in self._known:
            later = self.commits[self.commits.index(commit) + 1 :]
            for one in later:
                for merged in (one, *self._reached.pop(one, ())):
                    self.receipts.pop(merged, None)
        self.commits.append(commit)
        self._known.add(commit)

    def __contains__(self, commit: object) -> bool:
        """Whether the branch was ever moved to ``commit``."""
        return commit in self._known

    def restore(self) -> bool:
        """Undo what others wrote into the journal; returns whether there was any."""
        return self._lines.restore()


def _receipts(value: Mapping[str, Any]) -> list[Receipt]:
    """Return the receipts on a line; none when director did not write them."""
    noted = value.get("receipts", [value.get("receipt")])
    try:
        return [decode(Receipt, one) for one in noted] if isinstance(noted, list) else []
    except MismatchError:
        return []
