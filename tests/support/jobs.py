"""A repository with a configuration, the fake OpenCode, and director as a user runs it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from director.records.call_notes import written_places
from director.records.job_directory import JobDirectory
from director.reporting.live.lines import INDENT
from tests.support.fake_opencode import FakeOpenCode, Step, answer, say, shell, write
from tests.support.hermetic import HermeticCase
from tests.support.repositories import SampleRepo
from tests.support.shared import made_once
from tests.support.warm import SOURCE as SOURCE
from tests.support.warm import can_run, run_warm

REWRITTEN = ("plan.json", "plan_stage.json", "events.jsonl", "job.git/objects/info/alternates")
CONFIG = """\
[tiers]
planner = "fake/strong"
test_author = "fake/author"
executor = "fake/cheap"
explorer = "fake/scout"
reviewer = "fake/reader"
escalation = "fake/big"
"""
# How OpenCode is run where a test does not say: "auto" runs the same tests on a server.
SERVER = os.environ.get("DIRECTOR_TESTS_SERVER", "off")
NO_REPAIR = "[limits]\nrepair_attempts = 0\n"  # a red integration gate is reported only
PRICING = """
[pricing."fake/strong"]
input = 10.0
output = 50.0
[pricing."fake/author"]
input = 10.0
output = 50.0
[pricing."fake/cheap"]
input = 1.0
output = 2.0
[pricing."fake/scout"]
input = 1.0
output = 2.0
[pricing."fake/reader"]
input = 5.0
output = 10.0
[pricing."fake/big"]
input = 8.0
output = 40.0
"""


def unbroken(lines: str) -> str:
    """Return lines of progress as they were before they were broken to fit."""
    return lines.replace(f"\n{INDENT}", " ")


@dataclass(frozen=True)
class Done:
    """A finished ``director``: exit code and streams."""

    code: int
    out: str
    err: str

    @property
    def in_one_line(self) -> str:
        """Standard output as an endless line would show it."""
        return re.sub(r"(?: \\)?\n\s*", " ", self.out)

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


def node(name: str, *, depends_on: Sequence[str] = (), **changes: Any) -> dict[str, Any]:
    """Return a node that makes ``<name>.txt``; its test wants the word "good" in it."""
    return {
        "id": name,
        "title": f"Make {name}",
        "spec": f"{name}.txt holds the word good",
        "files": [f"{name}.txt"],
        "depends_on": list(depends_on),
        "test_cmd": f"sh tests/{name}.sh",
        "tests": [f"tests/{name}.sh"],
        "estimated_difficulty": "easy",
        **changes,
    }


def script_of_test(name: str) -> str:
    """Return the test of ``node(name)``: green when ``<name>.txt`` holds "good"."""
    return f'grep -q good {name}.txt || {{ echo "no good {name}"; exit 1; }}\n'


class JobCase(HermeticCase):
    """Gives ``self.repo``, ``self.fake`` and ``self.director(…)``.

    ``confined`` False: agents and gates are kept from nothing, as where the kernel cannot.
    ``self.place`` is the temporary folder; agents and gates can write in ``self.tmp``, in there.
    """

    repo: SampleRepo
    fake: FakeOpenCode
    place: Path
    server = SERVER
    confined = True

    def setUp(self) -> None:
        super().setUp()
        self.place = self.tmp
        self.tmp = self.place / "shared"
        self.tmp.mkdir()
        self.repo = SampleRepo.create(self.place / "repo", self.env, {"README": "hello\n"})
        self.fake = FakeOpenCode(self.place / "fake")
        self.env = self.fake.install(self.env)
        self.configure()

    def configure(self, text: str = "", *, pricing: bool = True) -> None:
        """Write ``config.toml``: the tiers, prices unless told otherwise, then ``text``."""
        self.home.mkdir(exist_ok=True)
        server = "" if "[opencode]" in text else f'\n[opencode]\nserver = "{self.server}"\n'
        free = "" if self.confined or "[sandbox]" in text else '\n[sandbox]\nmode = "off"\n'
        parts = (CONFIG, PRICING if pricing else "", server, free, text)
        (self.home / "config.toml").write_text("".join(parts))

    @property
    def home(self) -> Path:
        return self.repo.root / ".director"

    def director(
        self,
        *argv: str,
        stdin: str = "",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Done:
        """Run director in the repository and return how it ended; a traceback is a failure."""
        told = dict(env or self.env)
        if can_run(told, stdin):
            done = run_warm(argv, told, cwd or self.repo.root, stdin)
            return self._done(done)
        told["PYTHONPATH"] = str(SOURCE)
        return self.command(sys.executable, "-m", "director", *argv, stdin=stdin, env=told, cwd=cwd)

    def command(
        self, *argv: str, env: Mapping[str, str], stdin: str = "", cwd: Path | None = None
    ) -> Done:
        """Run a command in the repository and return how it ended; a traceback is a failure."""
        done = subprocess.run(
            argv,
            cwd=cwd or self.repo.root,
            env=env,
            input=stdin,
            capture_output=True,
            text=True,
        )
        return self._done(done)

    def shell(self, script: str) -> Done:
        """Run a bash script in the repository that knows the command ``director``."""
        command = shlex.join([sys.executable, "-m", "director"])
        done = subprocess.run(
            ["bash", "-c", f'director() {{ {command} "$@"; }}\n{script}'],
            cwd=self.repo.root,
            env={**self.env, "PYTHONPATH": str(SOURCE)},
            capture_output=True,
            text=True,
        )
        return self._done(done)

    def _done(self, done: subprocess.CompletedProcess[str]) -> Done:
        self.assertNotIn("Traceback", done.stderr)
        return Done(done.returncode, done.stdout, unbroken(done.stderr))

    def ends(self, code: int, *argv: str, **how: Any) -> Done:
        """Run director and demand its exit code."""
        done = self.director(*argv, **how)
        self.assertEqual(done.code, code, f"{argv}\n{done.out}\n{done.err}")
        return done

    def started(self, *argv: str) -> subprocess.Popen[bytes]:
        """Start director and return its process; what it prints is lost."""
        return subprocess.Popen(
            [sys.executable, "-m", "director", *argv],
            cwd=self.repo.root,
            env={**self.env, "PYTHONPATH": str(SOURCE)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill_at(self, reached: Path, *argv: str) -> None:
        """Start director, and kill it as soon as the file ``reached`` is there."""
        process = self.started(*argv)
        try:
            while not reached.exists():
                self.assertIsNone(process.poll(), "it ended before it could be killed")
                time.sleep(0.02)
        finally:
            process.kill()
            process.wait()

    def script_planning(self, *nodes: Mapping[str, Any]) -> None:
        """Let the planning roles answer so that ``nodes`` become the plan, with red tests."""
        self.fake.always("explorer", say("the recon"))
        self.fake.always("brainstorm", say("the spec"))
        self.fake.always("planner", answer({"nodes": list(nodes)}), heading="Plan")
        for one in nodes:
            name = str(one["id"])
            steps = [write(path, script_of_test(name)) for path in one["tests"]]
            self.fake.always("test-author", *steps, say("written"), node=name)

    def plan(self, *nodes: Mapping[str, Any], tests: Mapping[str, str] | None = None) -> None:
        """Make a ready plan of ``nodes``; ``tests`` are the scripts of nodes with another test.

        The same first plan on the same tree with the same configuration is made once and copied
        then: git's folder and the records are another repository's afterwards.
        """
        self.script_planning(*nodes)
        for name, script in (tests or {}).items():
            steps = (write(f"tests/{name}.sh", script), say("written"))
            self.fake.always("test-author", *steps, node=name)
        if (self.home / "plan.json").exists():  # what the job before left is there, too
            self._plan()
            return
        tree = self.repo.git("rev-parse", "HEAD^{tree}")
        config = (self.home / "config.toml").read_text()
        own = (self.home / ".gitignore").exists()  # a test's, which director leaves as it is
        ours = os.getpid()  # one job must not run twice at once: it sweeps what carries its name
        store = made_once([ours, tree, config, nodes, tests or {}, own], self._plan_in)
        if not (self.home / "plan.json").exists():
            self._restore(store)

    def _plan(self) -> None:
        self.ends(0, "plan", "make things", "--no-critique")

    def _plan_in(self, store: Path) -> None:
        """Plan, and keep in ``store`` what came of it."""
        self._plan()
        for part in (".git", ".director"):
            shutil.copytree(self.repo.root / part, store / part, symlinks=True)
        (store / "tmp").write_text(str(self.place))

    def _restore(self, store: Path) -> None:
        """Take over a plan made before: git's folder and the records, the working tree stays."""
        for part in (".git", ".director"):
            shutil.rmtree(self.repo.root / part)
            shutil.copytree(store / part, self.repo.root / part, symlinks=True)
        (self.home / "worktrees.json").unlink(missing_ok=True)  # they were another test's
        for name in REWRITTEN:
            path = self.home / name
            path.write_text(path.read_text().replace((store / "tmp").read_text(), str(self.place)))

    def implement(self, name: str, *steps: Step) -> None:
        """Queue one executor call for a node: ``steps``, or by default the right work."""
        self.fake.queue("executor", *(steps or self.good_work(name)), node=name)

    def good_work(self, name: str) -> tuple[Step, ...]:
        """Return the steps of an executor that watches the test fail, then does the work."""
        return (shell(f"sh tests/{name}.sh"), write(f"{name}.txt", "good\n"), say("done"))

    @property
    def branch(self) -> str:
        """The job branch, as the plan names it."""
        return str(self.stored("plan.json")["job_branch"])

    def stored(self, name: str) -> dict[str, Any]:
        """Return a JSON record of the current job."""
        value = json.loads((self.home / name).read_text())
        assert isinstance(value, dict)
        return value

    def lines(self, name: str) -> list[dict[str, Any]]:
        """Return a JSONL record of the current job."""
        return [json.loads(line) for line in (self.home / name).read_text().splitlines()]

    def node_state(self, name: str) -> dict[str, Any]:
        """Return where a node stands, by ``state.json`` and the changes since."""
        state = JobDirectory(self.home).state_file.load()
        assert state
        value = state["nodes"][name]
        assert isinstance(value, dict)
        return value

    def on_branch(self, path: str) -> str | None:
        """Return the content of a file on the published job branch, or None."""
        listed = self.repo.git("ls-tree", "-r", "--name-only", self.branch).splitlines()
        return self.repo.git("show", f"{self.branch}:{path}") if path in listed else None

    def kept_folder(self) -> Path | None:
        """Return the folder of the worktrees that are kept for the current job, or None."""
        record = self.home / "worktrees.json"
        said = json.loads(record.read_text()) if record.exists() else {}
        return Path(said["folder"]) if "kept" in said else None

    def folder_of_unused_work(self) -> Path | None:
        """Return the folder of worktrees with work that is paid for and was not used, or None."""
        places = written_places(self.home / "calls")
        record = self.home / "worktrees.json"
        said = json.loads(record.read_text()) if record.exists() else {}
        folder = Path(said["folder"]) if "unused" in said else None
        used = folder is None or not any(place.is_relative_to(folder) for place in places)
        return None if used else folder

    def left_behind(self) -> list[str]:
        """Return worktrees that nothing accounts for, and processes with director's marker."""
        place = Path(self.env["XDG_STATE_HOME"]) / "director"
        kept = self.kept_folder() or self.folder_of_unused_work()
        folders = [path for path in place.iterdir() if path != kept] if place.exists() else []
        commands = {pid: command_of(pid) for pid in marked_processes(self.place)}
        # One without words is over: the kernel has taken its memory, and is about to forget it.
        running = [f"process {pid}: {words}" for pid, words in commands.items() if words]
        return [str(path) for path in folders] + running


def command_of(pid: int) -> str:
    """Return the words that a process was started with, "" when it is gone."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return " ".join(word.decode(errors="replace") for word in words)


def marked_processes(place: Path) -> list[int]:
    """Return the processes that a director started on behalf of the test in ``place``."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue
        if b"DIRECTOR_PROCESS=" in environment and str(place).encode() in environment:
            found.append(int(entry.name))
    return found
