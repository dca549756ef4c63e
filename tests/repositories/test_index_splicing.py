"""An index into which entries were put is the one that git would have written."""

from __future__ import annotations

import random
import subprocess

from director.repositories.index_files import IndexEntry, index_entries, index_file
from director.repositories.index_splicing import PER_BLOCK, blocks_of, spliced
from tests.support.hermetic import HermeticCase
from tests.support.repositories import SampleRepo


def entry(name: str, size: int = 1) -> IndexEntry:
    known = bytes(24) + (0o100644).to_bytes(4, "big") + bytes(8) + size.to_bytes(4, "big")
    return IndexEntry(name.encode(), known + b"\1" * 20)


class TestSplicing(HermeticCase):
    def test_any_changes_one_after_another(self) -> None:
        dice = random.Random(7)
        held: dict[bytes, IndexEntry] = {}
        data = index_file([], "sha1")
        blocks = blocks_of(data, "sha1")
        for size in range(60):
            names = [f"{dice.choice('abcé')}/{dice.randrange(400)}" for _ in range(size)]
            changes = {n.encode(): dice.choice([None, entry(n, size), entry(n)]) for n in names}
            data, blocks = spliced(data, blocks, changes, "sha1")
            held = {**held, **{k: v for k, v in changes.items() if v}}
            held = {k: v for k, v in held.items() if changes.get(k, v)}
            self.assertEqual(data, index_file(held.values(), "sha1"))
            self.assertEqual(list(index_entries(data, "sha1")), sorted(held.values()))

    def test_blocks_stay_few_where_names_are_put_in_one_after_another(self) -> None:
        """As the files that nodes make are: behind those before, before the folder of tests."""
        tests = {f"tests/{number:03}".encode() for number in range(200)}
        data = index_file([entry(name.decode()) for name in tests], "sha1")
        blocks = blocks_of(data, "sha1")
        for number in range(600):
            name = f"made_{number:03}"
            data, blocks = spliced(data, blocks, {name.encode(): entry(name)}, "sha1")
        self.assertLess(len(blocks.blocks), 2 * 800 // PER_BLOCK)

    def test_long_names(self) -> None:
        names = ["a" * 4094, "a" * 4095, "a" * 5000]
        data = index_file(map(entry, names), "sha1")
        data, _ = spliced(data, blocks_of(data, "sha1"), {b"b": entry("b")}, "sha1")
        self.assertEqual(data, index_file(map(entry, [*names, "b"]), "sha1"))

    def test_git_reads_it(self) -> None:
        repo = SampleRepo.create(self.tmp / "repo", self.env, {f"{n}.py": "" for n in range(200)})
        path = repo.root / ".git" / "index"
        data = path.read_bytes()
        data, _ = spliced(data, blocks_of(data, "sha1"), {b"7.py": None}, "sha1")
        path.write_bytes(data)
        self.assertEqual(repo.git("status", "--porcelain"), "D  7.py\n?? 7.py")

    def test_entries_that_git_marked_are_refused(self) -> None:
        repo = SampleRepo.create(self.tmp / "repo", self.env)
        for option in ("--assume-unchanged", "--skip-worktree"):
            subprocess.run(
                ["git", "update-index", option, "a.py"], cwd=repo.root, env=self.env, check=True
            )
            with self.assertRaises(ValueError):
                blocks_of((repo.root / ".git" / "index").read_bytes(), "sha1")
