"""The user's repository is read, and given one branch under ``director/``; nothing else."""

import os
import subprocess
from pathlib import Path

from director.agents.registry import starter_files
from director.model.errors import RequestError
from director.repositories.git_settings import config_text, freeze_settings
from director.repositories.repository import Repository, open_repository
from tests.support.hermetic import HermeticCase
from tests.support.repositories import SampleRepo

BRANCH = "director/job-1"
REF = f"refs/heads/{BRANCH}"


class RepositoryCase(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.sample = SampleRepo.create(self.tmp / "repo", self.env, {"a.py": "", "sub/b.py": ""})

    def open(self, path: Path | None = None) -> Repository:
        return open_repository(path or self.sample.root, self.env)


class TestOpen(RepositoryCase):
    def test_from_a_folder_inside(self) -> None:
        repository = self.open(self.sample.root / "sub")
        self.assertEqual(repository.root, self.sample.root)
        self.assertEqual(repository.objects, self.sample.root / ".git/objects")
        self.assertEqual(repository.common_dir, self.sample.root / ".git")
        self.assertEqual(repository.head(), self.sample.git("rev-parse", "HEAD"))

    def test_a_linked_worktree_shares_the_object_store(self) -> None:
        self.sample.git("worktree", "add", "-q", "../linked")
        repository = self.open(self.tmp / "linked")
        self.assertEqual(repository.root, self.tmp / "linked")
        self.assertEqual(repository.objects, self.sample.root / ".git/objects")
        self.assertEqual(repository.common_dir, self.sample.root / ".git")

    def test_no_repository_a_bare_one_and_no_folder(self) -> None:
        outside = self.tmp / "outside"
        outside.mkdir()
        with self.assertRaisesRegex(RequestError, "is not in a git repository"):
            self.open(outside)
        self.sample.git("clone", "-q", "--bare", ".", str(self.tmp / "bare"))
        with self.assertRaisesRegex(RequestError, "work tree"):
            self.open(self.tmp / "bare")
        with self.assertRaisesRegex(RequestError, "there is no folder"):
            self.open(self.tmp / "none")

    def test_a_path_with_a_line_break_is_refused(self) -> None:
        odd = self.tmp / "one\ntwo"
        self.sample.root.rename(odd)
        with self.assertRaisesRegex(RequestError, "line break"):
            self.open(odd)

    def test_an_old_git_is_refused(self) -> None:
        program = self.tmp / "bin" / "git"
        program.parent.mkdir()
        program.write_text(
            '#!/bin/sh\n[ "$1" = --version ] && echo git version 2.30.9\n[ "$1" = --version ]\n'
        )
        program.chmod(0o755)
        env = {**self.env, "PATH": f"{program.parent}:{self.env['PATH']}"}
        with self.assertRaisesRegex(RequestError, "cannot use the repository"):
            open_repository(self.sample.root, env)

    def test_an_unborn_branch_has_no_head(self) -> None:
        empty = self.tmp / "empty"
        empty.mkdir()
        SampleRepo(empty, self.env).git("init", "-q")
        with self.assertRaisesRegex(RequestError, "no commit yet"):
            self.open(empty).head()

    def test_object_format(self) -> None:
        self.assertEqual(self.open().object_format, "sha1")
        other = SampleRepo.create(self.tmp / "other", self.env, object_format="sha256")
        self.assertEqual(self.open(other.root).object_format, "sha256")


class TestReading(RepositoryCase):
    def test_identity_is_the_users(self) -> None:
        self.assertEqual(
            self.open().identity(),
            {
                "GIT_AUTHOR_NAME": "Sam Sample",
                "GIT_AUTHOR_EMAIL": "sam@example.org",
                "GIT_COMMITTER_NAME": "Sam Sample",
                "GIT_COMMITTER_EMAIL": "sam@example.org",
            },
        )

    def test_identity_of_the_environment_wins(self) -> None:
        env = {**self.env, "GIT_AUTHOR_NAME": "Ann", "GIT_COMMITTER_EMAIL": "c@example.org"}
        identity = open_repository(self.sample.root, env).identity()
        self.assertEqual(identity["GIT_AUTHOR_NAME"], "Ann")
        self.assertEqual(identity["GIT_AUTHOR_EMAIL"], "sam@example.org")
        self.assertEqual(identity["GIT_COMMITTER_EMAIL"], "c@example.org")

    def test_without_an_identity_director_commits_as_itself(self) -> None:
        for settings in ("useConfigOnly = true", "name =\n\temail = sam@example.org", "name = ..."):
            with self.subTest(settings):
                (Path(self.env["HOME"]) / ".gitconfig").write_text(f"[user]\n\t{settings}\n")
                repository = self.open()
                self.assertTrue(repository.is_anonymous)
                for who in ("AUTHOR", "COMMITTER"):
                    self.assertEqual(repository.identity()[f"GIT_{who}_NAME"], "director")
                    self.assertEqual(
                        repository.identity()[f"GIT_{who}_EMAIL"], "director@localhost"
                    )

    def test_the_committer_is_asked_for_where_settings_tell_one_from_the_author(self) -> None:
        for text, committer in (("", "Sam Sample"), ("[committer]\n\tname = Cy\n", "Cy")):
            config = Path(self.env["HOME"]) / ".gitconfig"
            config.write_text(f"[user]\n\tname = Sam Sample\n\temail = s@example.org\n{text}")
            user = self.open()
            user.settings = freeze_settings(user.git, self.tmp, self.tmp / "frozen")
            identity = user.identity()
            self.assertEqual(identity["GIT_AUTHOR_NAME"], "Sam Sample")
            self.assertEqual(identity["GIT_COMMITTER_NAME"], committer)
            self.assertEqual(identity["GIT_COMMITTER_EMAIL"], "s@example.org")

    def test_what_settings_alone_say_is_what_git_says(self) -> None:
        names = (
            "Sam Sample",
            "José",
            "S.",
            "<Sam>",
            "a <b> c",
            '"Sam"',
            " Sam ",
            "S,",
            "a\\tb",
            "7",
        )
        for name in names:
            with self.subTest(name):
                text = f"[user]\n\tname = {config_text([('user.name', name)]).split(' = ')[1]}"
                (Path(self.env["HOME"]) / ".gitconfig").write_text(
                    f"{text}\temail = s@example.org\n"
                )
                asked, told = self.open().identity(), self.open()
                told.settings = freeze_settings(told.git, self.tmp, self.tmp / "frozen")
                self.assertEqual(told.identity(), asked)

    def test_settings_of_its_own_file_without_what_that_includes(self) -> None:
        (self.sample.root / "more").write_text("[core]\n\teol = crlf\n")
        self.sample.git("config", "include.path", "../more")
        self.sample.git("config", "filter.x.clean", "one\ntwo")
        frozen = freeze_settings(self.open().git, self.tmp, self.tmp / "frozen")
        self.assertEqual(dict(frozen.local)["filter.x.clean"], "one\ntwo")
        self.assertNotIn("core.eol", dict(frozen.local))
        self.assertEqual(frozen.everywhere["core.eol"], "crlf")

    def test_what_the_environment_says_of_the_author_stands_beside_directors_own_name(self) -> None:
        (Path(self.env["HOME"]) / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
        env = {**self.env, "GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.org"}
        identity = open_repository(self.sample.root, env).identity()
        self.assertEqual(identity["GIT_AUTHOR_NAME"], "Ann")
        self.assertEqual(identity["GIT_COMMITTER_NAME"], "director")

    def test_uncommitted_counts_paths(self) -> None:
        self.assertEqual(self.open().uncommitted(starter_files()), 0)
        self.sample.write("a.py", "changed\n")
        self.sample.write("new file", "")
        self.assertEqual(self.open().uncommitted(starter_files()), 2)

    def test_what_sync_agents_writes_is_not_the_users_work(self) -> None:
        for path in (".opencode/opencode.json", ".opencode/agents/test-author.md"):
            self.sample.write(path, "synced\n")
        self.assertEqual(self.open().uncommitted(starter_files()), 0)
        self.sample.write(".opencode/agents/mine.md", "mine\n")
        self.assertEqual(self.open().uncommitted(starter_files()), 1)

    def test_reading_leaves_everything_as_it_was(self) -> None:
        self.sample.write("a.py", "changed\n")
        before = self.sample.fingerprint()
        repository = self.open()
        repository.head()
        repository.identity()
        repository.uncommitted(starter_files())
        self.assertEqual(self.sample.fingerprint(), before)


class TestPublish(RepositoryCase):
    def setUp(self) -> None:
        super().setUp()
        self.sample.git("clone", "-q", "--bare", ".", str(self.tmp / "job.git"))
        self.job = SampleRepo(self.tmp / "job.git", self.env)
        self.base = self.sample.git("rev-parse", "HEAD")
        self.tree = self.sample.git("rev-parse", "HEAD^{tree}")

    def job_commit(self, message: str, parent: str | None = None) -> str:
        commit = self.job.git("commit-tree", self.tree, "-p", parent or self.base, "-m", message)
        self.job.git("update-ref", REF, commit)
        return commit

    def publish(self) -> str | None:
        return self.open().publish(self.job.root, BRANCH)

    def test_creates_and_moves_the_branch_and_nothing_else(self) -> None:
        self.sample.write("a.py", "uncommitted\n")
        self.sample.write("staged.py", "")
        self.sample.git("add", "staged.py")
        self.job.git("tag", "v1")
        self.job.git("branch", "other")
        before = self.sample.fingerprint()
        first = self.job_commit("one")
        self.assertIsNone(self.publish())
        self.assertEqual(self.sample.git("rev-parse", REF), first)
        second = self.job_commit("two", first)
        self.assertIsNone(self.publish())
        self.assertEqual(self.sample.git("rev-parse", REF), second)
        self.assertEqual(self.sample.fingerprint(), before)

    def test_publishing_again_is_fine(self) -> None:
        self.job_commit("one")
        self.assertIsNone(self.publish())
        self.assertIsNone(self.publish())

    def test_commits_that_the_user_added_are_never_thrown_away(self) -> None:
        first = self.job_commit("one")
        self.assertIsNone(self.publish())
        own = self.sample.git("commit-tree", self.tree, "-p", first, "-m", "mine")
        self.sample.git("update-ref", REF, own)
        self.job_commit("two", first)
        reason = self.publish()
        assert reason is not None
        self.assertIn("non-fast-forward", reason)
        self.assertEqual(self.sample.git("rev-parse", REF), own)

    def test_a_branch_that_is_checked_out_stays_as_it_is(self) -> None:
        first = self.job_commit("one")
        self.assertIsNone(self.publish())
        self.sample.git("switch", "-q", BRANCH)
        self.job_commit("two", first)
        before = self.sample.fingerprint()
        self.assertIsInstance(self.publish(), str)
        self.assertEqual(self.sample.git("rev-parse", REF), first)
        self.assertEqual(self.sample.fingerprint(), before)

    def test_only_branches_of_directors(self) -> None:
        before = self.sample.fingerprint()
        with self.assertRaises(ValueError):
            self.open().publish(self.job.root, "main")
        self.assertEqual(self.sample.fingerprint(), before)

    def test_hooks_and_fetch_settings_of_the_user_play_no_part(self) -> None:
        hook = self.sample.write(".git/hooks/reference-transaction", "#!/bin/sh\nexit 1\n")
        hook.chmod(0o755)
        self.sample.git("config", "fetch.prune", "true")
        self.sample.git("config", "fetch.writeCommitGraph", "true")
        before = self.sample.fingerprint()
        self.job_commit("one")
        self.assertIsNone(self.publish())
        self.assertEqual(self.sample.fingerprint(), before)

    def test_no_transport_setting_of_the_user_stops_it(self) -> None:
        for number, setting in enumerate((
            "protocol.file.allow=never",
            "protocol.allow=never",
            "transfer.hideRefs=refs/heads",
            "uploadpack.hideRefs=refs/heads/director",
            "uploadpack.hideRefs=refs/",
            "transfer.fsckObjects=true",
            "fetch.fsckObjects=true",
            "fetch.negotiationAlgorithm=noop",
            "fetch.unpackLimit=1",
            "receive.denyNonFastForwards=true",
        )):  # fmt: skip
            with self.subTest(setting):
                name, _, value = setting.partition("=")
                self.sample.git("config", "--global", name, value)
                commit = self.job_commit(f"{number}")
                self.assertIsNone(self.publish())
                self.assertEqual(self.sample.git("rev-parse", REF), commit)
                self.sample.git("config", "--global", "--unset", name)
                self.sample.git("update-ref", "-d", REF)

    def test_what_is_odd_in_the_users_own_history_does_not_stop_it(self) -> None:
        self.sample.git("config", "--global", "transfer.fsckObjects", "true")
        blob = self.sample.git("rev-parse", "HEAD:a.py")
        mktree = ("hash-object", "-t", "tree", "-w", "--literally", "--stdin")
        odd = b"100644 .git\0" + bytes.fromhex(blob)
        done = subprocess.run(
            ["git", *mktree], cwd=self.job.root, env=self.env, input=odd, capture_output=True
        )
        self.tree = done.stdout.decode().strip()
        commit = self.job_commit("odd")
        self.assertIsNone(self.publish())
        self.assertEqual(self.sample.git("rev-parse", REF), commit)

    def test_a_job_repository_of_another_owner_is_read(self) -> None:
        if os.geteuid() != 0:
            self.skipTest("only root can give files away")
        commit = self.job_commit("one")
        os.chown(self.job.root, 12345, -1)
        self.assertIsNone(self.publish())
        self.assertEqual(self.sample.git("rev-parse", REF), commit)

    def test_a_missing_job_repository_is_a_reason(self) -> None:
        reason = self.open().publish(self.tmp / "none", BRANCH)
        self.assertTrue(reason)
