"""Checkouts that are not plain: hooks that fail, line ends, modes, files that go or move."""

from __future__ import annotations

import stat

from tests.e2e.projects.project import Project, ProjectCase, Work, make_executable
from tests.support.repositories import SampleRepo

FAILING_HOOK = "#!/bin/sh\necho 'this hook always fails' >&2\nexit 1\n"
HOOKS = ("pre-commit", "commit-msg", "post-checkout", "pre-merge-commit", "reference-transaction")
CRLF = b"first\r\nsecond\r\n"


def with_failing_hooks(repo: SampleRepo) -> None:
    """Put hooks into the user's repository that refuse everything."""
    for name in HOOKS:
        hook = repo.root / ".git" / "hooks" / name
        hook.write_text(FAILING_HOOK)
        make_executable(hook)


def checked_out(repo: SampleRepo) -> None:
    """Make the checkout what git makes of it: line ends as configured, a script that starts."""
    make_executable(repo.root / "bin/count")
    (repo.root / "letters.txt").write_bytes(CRLF)


class TestHooksLineEndsAndModes(ProjectCase):
    def test_the_job_sees_files_as_the_user_does_and_runs_no_hook(self) -> None:
        files = {
            ".gitattributes": "*.txt text eol=crlf\n",
            "letters.txt": "first\nsecond\n",
            "bin/count": "#!/bin/sh\nwc -l < \"$1\" | tr -d ' '\n",
            "tests/lines.sh": "grep -q '^first.$' letters.txt && echo ok\n",
        }
        test = (
            'test "$(bin/count numbers.txt)" = 3 || exit 1\n'
            "test \"$(tr -dc '\\r' < numbers.txt | wc -c)\" -eq 3 || exit 1\n"
            "sh tests/lines.sh && echo 1..1 && echo ok 1\n"
        )
        work = Work(
            "numbers",
            tests={"tests/numbers.sh": test},
            files={"numbers.txt": None},
            test_cmd="sh tests/numbers.sh",
            commands=(r"printf 'one\r\ntwo\r\nthree\r\n' > numbers.txt",),
        )
        scene = self.finished(
            Project(files, [work], files_of=checked_out, prepared_by=with_failing_hooks)
        )
        self.assertEqual((scene.repo.root / "letters.txt").read_bytes(), CRLF)
        self.assertEqual(scene.repo.git("show", "HEAD:numbers.txt"), "one\ntwo\nthree")


class TestFilesThatGoOrMove(ProjectCase):
    def test_a_file_deleted_one_renamed_and_one_made_executable(self) -> None:
        files = {
            "old.txt": "old\n",
            "name.txt": "the same content before and after\n",
            "start.sh": "#!/bin/sh\necho started\n",
        }
        test = (
            "test ! -e old.txt || exit 1\n"
            "test ! -e name.txt || exit 1\n"
            "grep -q same new/name.txt || exit 1\n"
            'test "$(./start.sh)" = started || exit 1\n'
            "echo 1..1 && echo ok 1\n"
        )
        work = Work(
            "tidy",
            tests={"tests/tidy.sh": test},
            files=dict.fromkeys(("old.txt", "name.txt", "new/name.txt", "start.sh")),
            test_cmd="sh tests/tidy.sh",
            commands=("rm old.txt", "mkdir new && mv name.txt new/name.txt", "chmod +x start.sh"),
        )
        scene = self.finished(Project(files, [work]))
        tracked = scene.repo.git("ls-tree", "-r", "HEAD").splitlines()
        self.assertIn("100755", next(line for line in tracked if line.endswith("start.sh")))
        self.assertNotIn("old.txt", " ".join(tracked))
        self.assertTrue((scene.repo.root / "start.sh").stat().st_mode & stat.S_IXUSR)
        similar = scene.repo.git("diff", "-M", "--diff-filter=R", "--name-only", "HEAD~2", "HEAD")
        self.assertEqual(similar, "new/name.txt")
