"""What an agent leaves for director itself to run into, and what tries to outlive its call."""

from __future__ import annotations

from pathlib import Path

from tests.faults.cases import FaultCase, bad, good
from tests.support.fake_opencode import Step, silent_shell
from tests.support.jobs import node
from tests.support.kernel import require_landlock

LASTING = "while :; do sleep 0.05; done"
PIPES = {
    "head": "mkdir -p new/.git/objects new/.git/refs; mkfifo new/.git/HEAD",
    "common": "mkdir -p new/.git/objects new/.git/refs; mkfifo new/.git/commondir; "
    "echo ref: refs/heads/x > new/.git/HEAD",
    "elsewhere": "mkdir -p new $TMPDIR/x/objects $TMPDIR/x/refs; mkfifo $TMPDIR/x/HEAD; "
    "echo gitdir: $TMPDIR/x > new/.git",
    "tracked": "rm -rf tests; mkdir -p tests/.git/objects tests/.git/refs; "
    "mkfifo tests/.git/HEAD; git checkout -q tests",
}


def script(path: str, text: str) -> Step:
    """Return a step that makes a program of a shell script."""
    made = f"mkdir -p {Path(path).parent}; printf '#!/bin/sh\\n%s\\n' '{text}' > {path}"
    return silent_shell(f"{made}; chmod +x {path}")


class TestProcesses(FaultCase):
    def alive(self) -> list[str]:
        pids = (self.tmp / "pids").read_text().split()
        return [pid for pid in pids if Path(f"/proc/{pid}").exists()]

    def test_with_a_foreign_marker(self) -> None:
        markers = ("x", "director", '"${DIRECTOR_PROCESS%:*}:x"')
        pids, streams = self.tmp / "pids", "< /dev/null > /dev/null 2>&1"
        lasting = f"setsid sh -c 'echo $$ >> {pids}; {LASTING}' {streams} &"
        started = " ".join(f"DIRECTOR_PROCESS={marker} {lasting}" for marker in markers)
        until = f"while test $(cat {pids} | wc -l) -lt {len(markers)}; do sleep 0.05; done"
        self.plan(node("a"))
        self.implement("a", *good(silent_shell(f"{started} {until}")))
        self.ends(0, "run")
        self.assertEqual(self.alive(), [])


class TestProgramsOfTheWorktree(FaultCase):
    """director runs none of them itself: it is confined by nothing."""

    def test_a_git_in_a_relative_folder_on_path(self) -> None:
        self.env["PATH"] = f"./tools:{self.env['PATH']}"
        self.plan(node("a"))
        ran = self.home / "ran"
        self.implement("a", *good(script("tools/git", f'touch {ran}; exec /usr/bin/git "$@"')))
        self.ends(0, "run")
        self.assertFalse(ran.exists())

    def test_a_script_that_a_filter_of_the_users_runs(self) -> None:
        require_landlock()
        self.commit_files(
            {
                ".gitattributes": "* filter=plain\n*.txt filter=upper\n",
                "tools/upper": 'echo "$2: $1" >&2; tr a-z A-Z\n',
            }
        )
        self.repo.git("config", "filter.upper.clean", "sh tools/upper '%% it''s' %f; true")
        self.repo.git("config", "filter.upper.smudge", "tr A-Z a-z")
        self.before = self.repo.fingerprint()
        self.plan(node("a"))
        ran, tried = self.home / "ran", self.tmp / "tried"
        changed = f"touch {tried}; touch {ran}; tr a-z A-Z"
        self.implement("a", *bad(script("tools/upper", changed)))
        self.implement("a", *good())
        self.ends(0, "run")
        self.assertTrue(tried.exists())
        self.assertFalse(ran.exists())
        self.assertEqual(self.on_branch("a.txt"), "GOOD")


class TestPipes(FaultCase):
    """git would wait for ever."""

    def test_repositories_in_a_worktree(self) -> None:
        for name, command in PIPES.items():
            with self.subTest(name):
                self.plan(node("a"))
                self.implement("a", *good(silent_shell(command)))
                done = self.start("run").ended()
                self.assertEqual(done.code, 0, done.err)
                self.only_the_work_is_merged()
                self.before = self.repo.fingerprint()
