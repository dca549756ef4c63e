"""What the worktrees of a pool hand over to the next command of the job, and take from the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from director.worktrees.lane import Lane
from director.worktrees.pool_note import NOTE, Trees
from director.worktrees.provisions import Provisions
from director.worktrees.setups import SetupResult, Setups


class Handover:
    """The handover of the pool in ``folder``, none of whose ``lanes`` is in use."""

    def __init__(
        self, folder: Path, lanes: Sequence[Lane], setups: Setups, provisions: Provisions | None
    ) -> None:
        self._folder = folder
        self._lanes = lanes
        self._setups = setups
        self._provisions = provisions
        worktrees = (tree for lane in lanes for tree in (lane.gate, lane.work))
        self._worktrees = {self._name(tree.path): tree for tree in worktrees}

    def note(self, *, doubted: bool) -> dict[str, Any]:
        """Return what ``resume`` takes; of what is provided nothing where that is ``doubted``."""
        trees = Trees(self._folder)
        kept = {name: one for name, tree in self._worktrees.items() if (one := tree.kept())}
        provided = None if doubted else self._note_provisions(trees)
        noted = trees.to_json()
        places = {"/".join(name.split("/")[:2]) for name in noted}  # as they lie in a part
        places |= {self._name(self._worktrees[name].index) for name in kept}
        places |= {*kept, f"notes/{NOTE}"}
        said = {"worktrees": kept, "provided": provided, "trees": noted}
        return {**said, "places": sorted(places)}

    def _note_provisions(self, trees: Trees) -> dict[str, Any] | None:
        given = self._provisions.kept(trees) if self._provisions else None
        if given is None or self._provisions is None:
            return None
        key = self._provisions.setup_key(self._provisions.setup_commit())
        made = self._setups.get(key)
        slots = ((name, tree.provisions) for name, tree in self._worktrees.items())
        builds = {lane.work.path.name: lane.builds.kept for lane in self._lanes}
        return {
            "given": given,
            "setups": {key: made.to_json(trees)} if made else {},
            "slots": {name: kept for name, slot in slots if slot and (kept := slot.kept(trees))},
            "builds": {name: trees.name_of(tree) for name, tree in builds.items() if tree},
        }

    def resume(self, note: Mapping[str, Any]) -> None:
        """Continue with what an earlier command of the job noted."""
        for name, kept in note["worktrees"].items():
            if worktree := self._worktrees.get(name):
                worktree.resume(kept)
        if self._provisions and note["provided"]:
            trees = Trees(self._folder, note["trees"])
            self._resume_provisions(self._provisions, note["provided"], trees)

    def _resume_provisions(
        self, provisions: Provisions, said: Mapping[str, Any], trees: Trees
    ) -> None:
        user_files = provisions.resume(said["given"], trees)
        if user_files is None:
            return
        for key, made in said["setups"].items():
            self._setups.note(key, SetupResult.from_json(made, trees, user_files))
        for lane in self._lanes:
            if name := said["builds"].get(lane.work.path.name):
                tree = trees.named(name)
                lane.builds.kept = tree if tree.names == provisions.policy.keep else None
        for name, kept in said["slots"].items():
            worktree = self._worktrees.get(name)
            if worktree and worktree.provisions:
                worktree.provisions.resume(kept, trees, user_files)

    def _name(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()
