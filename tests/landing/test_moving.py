"""Moving the branch: with the user's hooks, all or nothing, and after a kill.

With it: ``users_git``.
"""

from __future__ import annotations

from tests.landing.land_case import YES, LandCase

ONLY_MAIN = """\
test "$1" = prepared || exit 0
while read old new ref; do
    case "$ref" in refs/heads/%s) echo "not on my watch" >&2; exit 1;; esac
done
exit 0"""


class TestHooks(LandCase):
    def test_the_users_hooks_run_when_their_checkout_moves(self) -> None:
        seen = self.place / "seen"
        self.hook("post-merge", f'echo "$GIT_REFLOG_ACTION $1" > {seen}; exit 1')
        found = self.land()
        self.assertEqual(seen.read_text(), "director land 0\n")
        self.assertEqual(self.head(), found["landed"]["commit"])
        self.assertIn("director land", self.repo.git("reflog", "-1", "main"))

    def test_hooks_elsewhere_run_too(self) -> None:
        seen = self.place / "seen"
        hook = self.hook("post-merge", f"touch {seen}")
        folder = self.place / "my-hooks"
        folder.mkdir()
        hook.rename(folder / "post-merge")
        self.repo.git("config", "core.hooksPath", str(folder))
        self.land()
        self.assertTrue(seen.exists())

    def test_a_hook_that_refuses_leaves_the_checkout_as_it_was(self) -> None:
        self.repo.write("README", "my own change\n")
        self.hook("reference-transaction", ONLY_MAIN % "main")
        (self.repo.root / ".git" / "ORIG_HEAD").unlink(missing_ok=True)
        before = self.repo.fingerprint()
        found = self.ends(3, "land", *YES, "--json").json
        self.assertIn("main was not moved", found["what"])
        after = self.repo.fingerprint()
        # Files went there and back: git's index is another file with the same content.
        self.assertEqual(
            {k for k in before | after if before.get(k) != after.get(k)} - {".git/index"}, set()
        )
        status = self.repo.git("status", "--porcelain", "-uno")
        self.assertEqual(status, "M README")
        self.assertFalse((self.repo.root / "a.txt").exists())

    def test_a_git_that_ends_half_way_leaves_the_files_as_they_were(self) -> None:
        """As on a full disk: some files are written, and neither the index nor the ref."""
        at_home = f"test $PWD != {self.repo.root}"
        self.repo.git("config", "filter.odd.smudge", f"cat; {at_home}")
        self.repo.git("config", "filter.odd.required", "true")
        self.repo.write(".git/info/attributes", "b.txt filter=odd\n")
        found = self.refuses(3, "stopped")
        self.assertIn("main was not moved", found["what"])
        self.assertIn("nothing was changed", found["next"])
        self.repo.git("config", "filter.odd.smudge", "cat")
        self.land()

    def test_a_hook_that_refuses_a_branch_elsewhere_leaves_that_as_it_was(self) -> None:
        self.repo.git("branch", "--quiet", "other")
        self.hook("reference-transaction", ONLY_MAIN % "other")
        found = self.refuses(3, "stopped", *YES, "--onto", "other")
        self.assertIn("other was not moved", found["what"])


class TestKilled(LandCase):
    def test_a_kill_after_the_move_is_made_good_by_the_next_command(self) -> None:
        # The hook's git is director's child.
        self.hook("post-merge", "kill -9 $(cut -d' ' -f4 /proc/$PPID/stat)")
        process = self.started("land", *YES)
        self.assertEqual(process.wait(), -9)
        (self.repo.root / ".git" / "hooks" / "post-merge").unlink()
        landed = self.head()
        self.assertIn("a.txt", self.files())
        self.assertFalse((self.home / "landed.json").exists())
        found = self.land()
        self.assertEqual((self.head(), found["landed"]["commit"]), (landed, landed))
        self.assertEqual(self.repo.git("status", "--porcelain", "-uno"), "")
        self.assertEqual(self.left_behind(), [])
        self.assertFalse((self.home / "landing").exists())

    def test_a_landing_that_cannot_be_noted_says_so(self) -> None:
        (self.home / "landed.json").mkdir()
        said = self.ends(3, "land", *YES, "--json").json["what"]
        self.assertRegex(
            said, r"^landed on main as \w+ \(squash\), but cannot write .*landed\.json: "
        )
        self.assertIn("a.txt", self.files())
        (self.home / "landed.json").rmdir()
        self.land()
        self.assertTrue((self.home / "landed.json").is_file())

    def test_a_kill_before_the_move_moved_nothing(self) -> None:
        reached = self.place / "shared" / "reached"
        self.configure(f'[gates]\nwhole = "touch {reached}; sleep 600"\n')
        before = self.repo.fingerprint()
        self.kill_at(reached, "land", *YES)
        self.assertEqual(self.repo.fingerprint(), before)
        self.configure('[gates]\nwhole = "true"\n')
        self.land()
        self.assertIn("a.txt", self.files())
        self.assertEqual(self.left_behind(), [])
        self.assertFalse((self.home / "landing").exists())
