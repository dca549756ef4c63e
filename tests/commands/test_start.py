"""What commands do before their work begins: the modules that they import, git's processes.

Of ``commands.run`` and ``commands.status``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.support.hermetic import ProcessCase
from tests.support.jobs import JobCase, node

PROJECT = Path(__file__).resolve().parents[2]
IMPORTED = "import sys; sys.path.insert(0, {!r}); import {}; print(*sys.modules)"
# Slow to import, or a hundred modules behind one: whoever needs them imports them then.
SLOW = {
    "ast", "asyncio", "concurrent", "configparser", "dataclasses", "difflib", "email", "http",
    "importlib.resources", "inspect", "logging", "multiprocessing", "platform", "secrets", "ssl",
    "textwrap", "traceback", "urllib.request", "uuid", "xml",
}  # fmt: skip
MOST_MODULES = 310
"""Of director, that a plain run may load: each takes a fifth of a millisecond, or more."""
NOT_FOR_RUN = {
    "director.agents.claude_code.caller",
    "director.agents.claude_code.events",
    "director.agents.codex.caller",
    "director.agents.codex.events",
    "director.agents.opencode.caller",
    "director.agents.opencode.server",
    "director.agents.steps",
    "director.command_line.dialogs",
    "director.command_line.screens.plan_result",
    "director.demo",
    "director.job.blaming",
    "director.landing",
    "director.mcp",
    "director.model.ecosystems",
    "director.model.offers",
    "director.model.testing.declared_tests",
    "director.planning",
    "director.processes.launchers.slurm",
    "director.processes.launchers.user_command",
    "director.processes.messenger",
    "director.reporting.live.screen",
    "director.reporting.live.time_left",
    "director.reporting.page",
    "director.verifying",
}
LOADED = """\
import sys
sys.path.insert(0, {!r})
from director.cli import main
main()
print(*sys.modules)
"""
GIT = """\
#!/bin/sh
printf '%s\\n' "$PWD" "$*" >>{log}
exec {git} "$@"
"""
OPTIONS = "-c"


class TestImports(ProcessCase):
    def imported(self, module: str) -> set[str]:
        """Return the modules that a fresh interpreter has after the import of ``module``."""
        words = (sys.executable, "-S", "-I", "-c", IMPORTED.format(str(PROJECT), module))
        return set(subprocess.run(words, capture_output=True, text=True, check=True).stdout.split())

    def test_run_does_without_what_is_slow_or_for_others(self) -> None:
        found = self.imported("director.commands.run")
        self.assertEqual(found & (SLOW | NOT_FOR_RUN), set())

    def test_status_does_without_what_works_on_jobs(self) -> None:
        found = self.imported("director.commands.status")
        self.assertEqual(found & (SLOW | NOT_FOR_RUN), set())
        works = ("director.agents.", "director.running.", "director.worktrees.")
        self.assertEqual({one for one in found if one.startswith(works)}, set())
        self.assertEqual(found & {"concurrent", "subprocess", "tomllib"}, set())


class TestWholeRun(JobCase):
    server = "off"

    def test_it_loads_few_modules(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        words = (sys.executable, "-S", "-c", LOADED.format(str(PROJECT)), "run", "--json")
        done = subprocess.run(
            words, cwd=self.repo.root, env=self.env, capture_output=True, text=True, check=True
        )
        found = set(done.stdout.splitlines()[-1].split())
        self.assertEqual(found & (SLOW | NOT_FOR_RUN), {"director.agents.opencode.caller"})
        self.assertLessEqual(sum(one.startswith("director.") for one in found), MOST_MODULES)


class TestGitProcesses(JobCase):
    def test_at_the_start_of_a_run_git_is_asked_each_thing_once(self) -> None:
        git = shutil.which("git", path=self.env["PATH"])
        log, wrapper = self.tmp / "git.log", self.place / "wrapper" / "git"
        wrapper.parent.mkdir()
        wrapper.write_text(GIT.format(log=log, git=git))
        wrapper.chmod(0o755)
        self.plan(node("a"))
        self.implement("a")
        self.env["PATH"] = f"{wrapper.parent}{os.pathsep}{self.env['PATH']}"
        self.ends(0, "run")
        lines = log.read_text().splitlines()
        asked = Counter(
            _command(words)
            for folder, words in zip(lines[::2], lines[1::2], strict=True)
            if not Path(folder).name.startswith("slot-")
        )
        once = {"config", "check-ignore", "ls-tree", "--version", "--exec-path"}
        self.assertEqual({name for name in once if asked[name] > 1}, set(), asked)
        self.assertLessEqual(asked["cat-file"], 1, asked)
        self.assertLessEqual(asked["fetch"], 2, asked)
        self.assertEqual(set(asked) - once, {"cat-file", "fetch"}, asked)


def _command(line: str) -> str:
    """Return git's subcommand: the first word that is neither an option nor an option's."""
    words = line.split()
    while words[0] == OPTIONS:
        words = words[2:]
    return words[0]
