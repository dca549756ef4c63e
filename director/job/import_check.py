"""Whether tests import the worktree's code: read from files before any model is called.

Where files do not show it, the output of a gate may.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path

from director.environments.import_folders import first_folders, importable
from director.environments.import_redirects import (
    Project,
    Redirect,
    node_redirects,
    normalised,
    path_redirects,
    python_redirects,
)
from director.environments.python_interpreters import interpreter_of
from director.model.errors import RequestError
from director.model.paths import lies_in
from director.model.patterns import lazy_pattern
from director.model.reason import Reason
from director.model.testing.checkout_paths import Checkout, used_path
from director.model.testing.import_order import PythonRun, inherits_path, python_runs
from director.model.testing.runner_command import programs
from director.repositories.users_checkout import PACKAGES
from director.worktrees.gates import GateResult

USUAL = ("python3 -m pytest", "python3 -m unittest")
PROJECTS = ("pyproject.toml", "setup.py", "setup.cfg")
OF_NODE = frozenset(
    {"bun", "jest", "mocha", "node", "npm", "npx", "pnpm", "ts-node", "tsx", "vitest", "yarn"}
)
SOURCES = ("", "src", "lib")  # where a project's modules usually lie
NAME = lazy_pattern(r"""(?:^|[\s(,])name\s*=\s*["']?([\w.-]+)""", re.MULTILINE)
OWN_ENVIRONMENT = (
    'make an environment in the worktree: [worktree] setup = "python3 -m venv .venv && '
    '.venv/bin/pip install -e ."'
)
IN_PLAN = '"test_cmd" in plan.json'


class ImportCheck:
    """The check for one job; ``checkout`` is what tests must not import, ``env`` what gates see.

    ``has_setup``: a setup command makes what worktrees are provided with; ``copied`` is what they
    are given of the user's files.
    """

    def __init__(
        self, checkout: Checkout, env: Mapping[str, str], has_setup: bool, copied: tuple[str, ...]
    ) -> None:
        self.checkout = checkout
        self.env = env
        self.has_setup = has_setup
        self.copied = copied

    def refuse_gates(self, commands: Iterable[str], root: Path) -> None:
        """Raise RequestError where no test could test a worktree of the checkout at ``root``.

        ``commands`` are the gates; where they do not say how tests run, and worktrees are given
        no environment, the usual ways count, if they are all of no use.
        """
        given = list(commands)
        runs = [command for command in given if python_runs(command)] or self._usual(root)
        known = [command for command in runs if self._is_known(command)]
        found = [self._first(command, root) for command in known]
        if found and all(found):
            self._refuse(known[0], found[0], root, "[gates]")
        for command in given:
            if programs(command) & OF_NODE:
                self._refuse(command, next(self._of_node(None), None), root, "[gates]")

    def _is_known(self, command: str) -> bool:
        """Whether the programs of a command are known before there is a worktree."""
        names = [run.program for run in python_runs(command)]
        inside = [name for name in names if "/" in name and not name.startswith("/")]
        return not inside or (
            not self.has_setup and all(lies_in(name, self.copied) for name in inside)
        )

    def _usual(self, root: Path) -> list[str]:
        is_one = any((root / name).is_file() for name in PROJECTS)
        if not is_one or self.has_setup:
            return []
        given = [name for name in self.copied if (root / name / "pyvenv.cfg").is_file()]
        own = [f"{name}/bin/{command}" for name in given for command in USUAL]
        words = ((command, command.split(" ")[0]) for command in own or USUAL)
        return [command for command, word in words if interpreter_of(word, root, self.env)]

    def refuse(self, command: str, worktree: Path) -> None:
        """Raise RequestError where ``command`` would not test the worktree it runs in."""
        self._refuse(command, self._first(command, worktree), worktree, IN_PLAN)
        if programs(command) & OF_NODE:
            self._refuse(command, next(self._of_node(worktree), None), worktree, IN_PLAN)

    def _refuse(self, command: str, redirect: Redirect | None, folder: Path, place: str) -> None:
        if redirect is not None:
            raise RequestError(
                f"`{command}` would not test the worktree: {redirect}",
                self._advice(command, redirect, folder, place),
                Reason.GATE_BROKEN,
            )

    def check(self, gate: GateResult, worktree: Path) -> None:
        """Raise RequestError where a gate did not test the worktree that it ran in."""
        self.refuse_output(gate, worktree)
        self.refuse(gate.command, worktree)

    def applies_to(self, command: str) -> bool:
        """Whether anything is known of how a command finds what it tests."""
        return bool(python_runs(command) or programs(command) & OF_NODE)

    def refuse_output(self, gate: GateResult, worktree: Path) -> None:
        """Raise RequestError where what a gate says shows that it used the user's checkout."""
        if path := used_path(gate.whole_output, worktree, self.checkout):
            redirects = self._redirects(gate.command, worktree)
            redirect = next((one for one in redirects if path.is_relative_to(one.path)), None)
            what = f"`{gate.command}` does not test the worktree: it uses {path} of your checkout"
            if redirect:
                advice = self._advice(gate.command, redirect, worktree, IN_PLAN)
                raise RequestError(f"{what} ({redirect})", advice, Reason.GATE_BROKEN)
            raise RequestError(
                what,
                f"correct what leads there (see {gate.log}), or {IN_PLAN}; what gates do need of "
                "it, name in `read` of [sandbox]; then `director plan --continue`",
                Reason.GATE_BROKEN,
            )

    def explanation(self, command: str, worktree: Path) -> str:
        """Return what ``command`` may have imported in place of the worktree's code; or ""."""
        redirect = next(self._redirects(command, worktree), None)
        return f" ({redirect}: was that imported?)" if redirect else ""

    def _advice(self, command: str, redirect: Redirect, folder: Path, place: str) -> str:
        if redirect.source == "NODE_PATH":
            return 'unset NODE_PATH, or set [env] drop = ["NODE_PATH"]; then run it again'
        if PACKAGES in Path(redirect.source).parts:
            return 'let [worktree] setup install the packages in the worktree (as "npm ci")'
        source = next((one for one in SOURCES[1:] if (folder / one).is_dir()), ".")
        inside = f"PYTHONPATH={source} in {place}, then `director plan --continue`"
        if redirect.source == "PYTHONPATH":
            if not inherits_path(command):
                return f"name a folder of the worktree: {inside}"
            return 'unset PYTHONPATH, or set [env] drop = ["PYTHONPATH"]; then run it again'
        if not self.has_setup:
            return f"{OWN_ENVIRONMENT}, and run tests by .venv/bin/python; or {inside}"
        if Path(redirect.source).is_relative_to(folder):
            return f"let [worktree] setup install it by `pip install -e .`; or {inside}"
        return f"run tests by the environment that [worktree] setup makes; or {inside}"

    def _first(self, command: str, folder: Path) -> Redirect | None:
        """Return what makes a command import something else than the worktree's own modules."""
        hits = (self._hit(run, command, folder) for run in python_runs(command))
        return next(chain.from_iterable(hits), None)

    def _hit(self, run: PythonRun, command: str, folder: Path) -> Iterator[Redirect]:
        redirects = list(self._of_run(run, command, folder))
        first = first_folders(run, folder) if redirects else None
        if first is None:
            return
        if inherits_path(command):  # relative ones redirect into the worktree
            entries = self.env.get("PYTHONPATH", "").split(":")
            inside = [entry for entry in entries if entry and not entry.startswith("/")]
            first += [folder / run.folder / entry for entry in inside]
        for redirect in redirects:
            own = {name for name in redirect.modules if self._is_own(name, redirect, folder)}
            if any(not importable(name, first) for name in own):
                yield redirect

    def _is_own(self, name: str, redirect: Redirect, folder: Path) -> bool:
        """Whether a module that is found elsewhere is one of the worktree's."""
        if redirect.distribution:
            return importable(name, [folder / one for one in SOURCES])
        root = next((one for one in self.checkout.roots if redirect.path.is_relative_to(one)), None)
        if root is None:
            return False
        place = folder / redirect.path.relative_to(root)
        places = [place, *(place / one for one in SOURCES)]
        return importable(name, [*places, place.parent] if redirect.path != root else places)

    def _redirects(self, command: str, folder: Path) -> Iterator[Redirect]:
        """Give everything that redirects imports out of a worktree when a command runs."""
        for run in python_runs(command):
            yield from self._of_run(run, command, folder)
        if programs(command) & OF_NODE:
            yield from self._of_node(folder)

    def _of_run(self, run: PythonRun, command: str, folder: Path) -> Iterator[Redirect]:
        yield from path_redirects("PYTHONPATH", run.outside, self.checkout)
        if inherits_path(command):
            entries = self.env.get("PYTHONPATH", "").split(":")
            yield from path_redirects("PYTHONPATH", entries, self.checkout)
        interpreter = interpreter_of(run.program, folder / run.folder, self.env)
        if interpreter is not None:
            project = Project(self.checkout, _names(folder, run.folder))
            yield from python_redirects(interpreter, self.env, project)

    def _of_node(self, worktree: Path | None) -> Iterator[Redirect]:
        entries = self.env.get("NODE_PATH", "").split(":")
        yield from path_redirects("NODE_PATH", entries, self.checkout)
        folders = [Path(entry) for entry in entries if entry.startswith("/")]
        if worktree is not None:
            folders.insert(0, worktree / PACKAGES)
        yield from chain.from_iterable(node_redirects(one, self.checkout) for one in folders)


def _names(folder: Path, inner: str) -> frozenset[str]:
    """Return the names under which a project is distributed, by its files."""
    return frozenset(chain.from_iterable(_named(one) for one in {folder, folder / inner}))


def _named(folder: Path) -> Iterator[str]:
    with suppress(OSError, tomllib.TOMLDecodeError, AttributeError, TypeError, UnicodeDecodeError):
        said = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
        found = (said.get("project"), said.get("tool", {}).get("poetry"))
        yield from (normalised(str(one["name"])) for one in found if one and "name" in one)
    for name in ("setup.cfg", "setup.py"):
        with suppress(OSError, UnicodeDecodeError):
            text = (folder / name).read_text(encoding="utf-8")
            yield from map(normalised, NAME.findall(text))
