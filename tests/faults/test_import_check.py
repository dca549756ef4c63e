"""Tests that would not test the worktree stop the job before anybody is paid to write them.

Covers ``job.import_check``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.faults.cases import FaultCase
from tests.support.fake_opencode import say, write
from tests.support.jobs import Done, node
from tests.support.kernel import require_landlock

UNITTEST = "python3 -m unittest tests/test_two.py"
TEST = """\
import unittest
from sample import two

class TestTwo(unittest.TestCase):
    def test_it(self):
        self.assertEqual(two(), 2)
"""
WORK = "def one():\n    return 1\n\ndef two():\n    return 2\n"
FINDER = """\
from __future__ import annotations
import sys

MAPPING: dict[str, str] = {{'sample': '{root}/src/sample'}}
NAMESPACES: dict[str, list[str]] = {{}}

def install():
    pass
"""


class ImportCheckCase(FaultCase):
    """A Python project whose code lies in ``src``, with a node that adds a function to it."""

    source = "src/"
    test_cmd = UNITTEST

    def setUp(self) -> None:
        super().setUp()
        module = f"{self.source}sample/__init__.py"
        self.commit_files(
            {
                "pyproject.toml": '[project]\nname = "Sample_Project"\nversion = "1.0"\n',
                module: "def one():\n    return 1\n",
                ".gitignore": ".venv/\nnode_modules\n__pycache__/\n.director/\n",
                "tests/__init__.py": "",
            }
        )
        self.node = node("two", files=[module], tests=["tests/test_two.py"], test_cmd=self.test_cmd)
        self.root = self.repo.root
        self.settle()

    def settle(self) -> None:
        """Take the checkout as it is now for what it has to be afterwards."""
        self.before = self.repo.fingerprint()

    def script(self, test: str = TEST, **changes: str) -> None:
        """Let the roles answer, and the executor do the work."""
        self.script_planning({**self.node, **changes})
        tests = self.node["tests"]
        self.fake.always("test-author", write(tests[0], test), say("written"), node="two")
        self.fake.always("executor", write(self.node["files"][0], WORK), say("done"), node="two")

    def environment(self, place: Path | None = None, *, active: bool = True) -> Path:
        """Make a virtual environment (in the checkout) and return where its packages are."""
        place = place or self.root / ".venv"
        words = [sys.executable, "-m", "venv", "--without-pip", str(place)]
        subprocess.run(words, check=True, env=self.env)
        if active:
            self.env["PATH"] = f"{place}/bin{os.pathsep}{self.env['PATH']}"
            self.env["VIRTUAL_ENV"] = str(place)
        (site,) = (place / "lib").glob("python*/site-packages")
        self.settle()
        return site

    def installed(self, site: Path, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = site / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.settle()

    def stops(self, *words: str, calls: tuple[str, ...] = ()) -> Done:
        """Plan, and demand a stop whose message has all ``words``, and that only these are paid."""
        done = self.ends(2, "plan", "add two", "--no-critique")
        for word in words:
            self.assertIn(word, done.err)
        self.assertEqual([call.agent for call in self.fake.calls()], list(calls))
        return done

    def goes_through(self) -> None:
        self.ends(0, "plan", "add two", "--no-critique")
        self.ends(0, "run")
        self.assertEqual(self.on_branch(self.node["files"][0]), WORK.strip())


def dist_info(direct_url: Mapping[str, object] | None = None) -> dict[str, str]:
    """Return what an installer leaves of version 1.0 of the project (PEP 376, 610)."""
    folder = "sample_project-1.0.dist-info"
    found = {
        f"{folder}/METADATA": "Metadata-Version: 2.1\nName: Sample_Project\nVersion: 1.0\n",
        f"{folder}/RECORD": "sample/__init__.py,,\n",
    }
    if direct_url:
        found[f"{folder}/direct_url.json"] = json.dumps(direct_url)
    return found


class TestEditableInstall(ImportCheckCase):
    """The environment that is activated has an editable install of the project."""

    def setUp(self) -> None:
        super().setUp()
        self.script()
        self.site = self.environment()
        url = {"dir_info": {"editable": True}, "url": f"file://{self.root}"}
        self.info = dist_info(url)

    def test_a_path_file(self) -> None:
        name = "__editable__.sample_project-1.0.pth"
        self.installed(self.site, {**self.info, name: f"{self.root}/src"})
        self.stops(
            f"{self.site}/{name} leads to {self.root}/src",
            '[worktree] setup = "python3 -m venv .venv && .venv/bin/pip install -e ."',
        )

    def test_a_finder(self) -> None:
        module = "__editable___sample_project_1_0_finder"
        hook = f"import {module}; {module}.install()"
        files = {"__editable__.sample.pth": hook, f"{module}.py": FINDER.format(root=self.root)}
        self.installed(self.site, {**self.info, **files})
        self.stops(f"{self.site}/{module}.py leads to {self.root}/src/sample")

    def test_what_setup_develop_leaves(self) -> None:
        self.installed(self.site, {"Sample-Project.egg-link": f"{self.root}/src\n../"})
        self.stops(f"{self.site}/Sample-Project.egg-link leads to {self.root}/src")

    def test_a_link(self) -> None:
        (self.site / "sample").symlink_to(self.root / "src/sample")
        self.settle()
        self.stops(f"{self.site}/sample leads to {self.root}/src/sample")

    def test_only_its_record_says_so(self) -> None:
        self.installed(self.site, self.info)
        self.stops(f"direct_url.json leads to {self.root}")

    def test_gates_say_how_tests_run(self) -> None:
        self.installed(self.site, {"x.pth": f"{self.root}/src"})
        self.configure('[gates]\ntest = "python3 -m unittest"\n')
        self.stops("`python3 -m unittest` would not test the worktree", f"{self.root}/src")

    def test_an_environment_outside_the_checkout(self) -> None:
        site = self.environment(self.place / "env")
        self.installed(site, {"x.pth": f"{self.root}/src"})
        self.stops(f"{site}/x.pth leads to {self.root}/src")

    def test_tests_that_name_the_folder_of_the_worktree(self) -> None:
        self.installed(self.site, {**self.info, "x.pth": f"{self.root}/src"})
        self.script(test_cmd=f"PYTHONPATH=src {UNITTEST}")
        self.configure('[gates]\ntest = "PYTHONPATH=src python3 -m unittest"\n')
        self.goes_through()

    def test_the_planner_forgets_that_folder(self) -> None:
        self.installed(self.site, {"x.pth": f"{self.root}/src"})
        self.configure('[gates]\ntest = "PYTHONPATH=src python3 -m unittest"\n')
        calls = ("explorer", "brainstorm", "planner")
        advice = 'PYTHONPATH=src in "test_cmd" in plan.json'
        self.stops(f"`{UNITTEST}` would not test the worktree", advice, calls=calls)

    def test_worktrees_have_an_environment_of_their_own(self) -> None:
        self.installed(self.site, {"x.pth": f"{self.root}/src"})
        made = f"{sys.executable} -m venv --without-pip .venv"
        leads = "for one in .venv/lib/python*/site-packages; do echo $PWD/src > $one/x.pth; done"
        gates = '[gates]\ntest = ".venv/bin/python -m unittest"\n'
        self.configure(f'[worktree]\nsetup = "{made} && {leads}"\n{gates}')
        self.script(test_cmd=".venv/bin/python -m unittest tests/test_two.py")
        self.goes_through()

    def test_an_environment_of_its_own_with_a_copy_of_the_project(self) -> None:
        made = f"{sys.executable} -m venv --without-pip .venv"
        copies = (
            "for one in .venv/lib/python*/site-packages; do cp -r src/sample $one; "
            "mkdir $one/sample_project-1.0.dist-info; "
            "echo sample > $one/sample_project-1.0.dist-info/top_level.txt; done"
        )
        self.configure(f'[worktree]\nsetup = "{made} && {copies}"\n')
        self.script(test_cmd=".venv/bin/python -m unittest tests/test_two.py")
        calls = ("explorer", "brainstorm", "planner")
        self.stops("sample_project 1.0 is installed", "pip install -e .", calls=calls)

    def test_another_project(self) -> None:
        (self.place / "other").mkdir()
        (self.place / "other/other.py").write_text("")
        self.installed(self.site, {"other.pth": f"{self.place}/other"})
        self.script(test_cmd=f"PYTHONPATH=src {UNITTEST}")
        self.goes_through()

    def test_what_the_configuration_lets_gates_read(self) -> None:
        self.installed(self.site, {"x.pth": f"{self.root}/src"})
        self.configure(f'[sandbox]\nread = ["{self.root}/src"]\n')
        self.ends(0, "plan", "add two", "--no-critique")


class TestFlatLayout(ImportCheckCase):
    source = ""

    def test_the_worktree_comes_first(self) -> None:
        self.script()
        site = self.environment()
        url = {"dir_info": {"editable": True}, "url": f"file://{self.root}"}
        self.installed(site, {**dist_info(url), "x.pth": str(self.root)})
        self.goes_through()

    def test_dependencies_of_an_environment_in_the_checkout(self) -> None:
        self.script(test=f"import dependency\n{TEST}")
        self.installed(self.environment(), {"dependency.py": "", **dist_info()})
        self.goes_through()

    def test_uncommitted_modules_beside_it(self) -> None:
        self.script()
        self.installed(self.environment(), {"x.pth": str(self.root)})
        self.repo.write("scratch.py", "")
        self.settle()
        self.goes_through()


class TestRelease(ImportCheckCase):
    """A release of the project is installed."""

    def setUp(self) -> None:
        super().setUp()
        self.site = self.environment()

    def test_it_is_what_tests_would_import(self) -> None:
        self.script()
        self.installed(self.site, {**dist_info(), "sample/__init__.py": WORK})
        self.stops("sample_project 1.0 is installed: ", f"{self.site}/sample_project-1.0.dist-info")

    def test_a_copy_of_the_checkout(self) -> None:
        self.script()
        url = {"dir_info": {}, "url": f"file://{self.root}"}
        self.installed(self.site, {**dist_info(url), "sample/__init__.py": WORK})
        self.stops("sample_project 1.0 is installed: ")

    def test_tests_that_pass_already_name_it(self) -> None:
        """What the tests do to the path themselves is not known before they run."""
        self.commit_files({"tests/__init__.py": "import sys\nsys.path.append('src')\n"})
        self.settle()
        self.script()
        self.installed(self.site, {**dist_info(), "sample/__init__.py": WORK})
        done = self.ends(1, "plan", "add two", "--no-critique")
        self.assertIn("passes although nothing is implemented yet (sample_project 1.0", done.err)


class TestCopiedEnvironment(ImportCheckCase):
    def test_it_leads_to_the_checkout_still(self) -> None:
        self.script(test_cmd=".venv/bin/python -m unittest tests/test_two.py")
        site = self.environment(active=False)
        self.installed(site, {"x.pth": f"{self.root}/src"})
        for key in ("copy", "link"):
            for gates in ("", '[gates]\ntest = ".venv/bin/python -m unittest"\n'):
                self.configure(f'[worktree]\n{key} = [".venv"]\n{gates}')
                self.stops(f"x.pth leads to {self.root}/src", "[worktree] setup = ")

    def test_one_with_dependencies_alone(self) -> None:
        self.script(test_cmd="PYTHONPATH=src .venv/bin/python -m unittest tests/test_two.py")
        self.installed(self.environment(active=False), {"dependency.py": ""})
        self.configure('[worktree]\ncopy = [".venv"]\n')
        self.goes_through()


class TestSearchPath(ImportCheckCase):
    def test_of_the_environment(self) -> None:
        self.script()
        self.configure('[gates]\ntest = "python3 -m unittest"\n')
        done = self.plan_with(f"/nowhere:{self.root}/src")
        self.assertIn(f"PYTHONPATH leads to {self.root}/src", done.err)
        self.assertIn('next: unset PYTHONPATH, or set [env] drop = ["PYTHONPATH"]', done.err)
        self.assertEqual(self.fake.calls(), [])

    def test_a_relative_one(self) -> None:
        """It leads into the worktree, whatever is installed."""
        self.script()
        self.installed(self.environment(), {"x.pth": f"{self.root}/src"})
        script = 'PYTHONPATH="$PYTHONPATH:src" director plan "add two" --no-critique'
        self.assertEqual(self.shell(script).code, 0)

    def plan_with(self, path: str) -> Done:
        script = f'PYTHONPATH="$PYTHONPATH:{path}" director plan "add two" --no-critique'
        done = self.shell(script)
        self.assertEqual(done.code, 2, done.err)
        return done

    def test_of_the_command(self) -> None:
        self.script(test_cmd=f"PYTHONPATH={self.root}/src {UNITTEST}")
        self.configure('[gates]\ntest = "PYTHONPATH=src python3 -m unittest"\n')
        calls = ("explorer", "brainstorm", "planner")
        self.stops(f"PYTHONPATH leads to {self.root}/src", "PYTHONPATH=src", calls=calls)

    def test_a_run_after_it_was_set(self) -> None:
        self.script(test_cmd="sh tests/run.sh")
        self.commit_files({"tests/run.sh": f"PYTHONPATH=$MORE:src {UNITTEST}\n"})
        self.settle()
        self.ends(0, "plan", "add two", "--no-critique")
        done = self.ends(2, "run", env={**self.env, "MORE": f"{self.root}/src"})
        self.assertIn(f"uses {self.root}/src/sample/__init__.py of your checkout", done.in_one_line)
        self.assertNotIn("executor", [call.agent for call in self.fake.calls()])
        self.assertEqual(self.node_state("two")["status"], "pending")


class TestOutput(ImportCheckCase):
    """What cannot be known before is seen in what the tests say."""

    test_cmd = "sh tests/run.sh"

    def setUp(self) -> None:
        super().setUp()
        self.commit_files({"tests/run.sh": f"PYTHONPATH={self.root}/src {UNITTEST}\n"})
        self.settle()
        self.script()

    def is_refused(self) -> None:
        calls = ("explorer", "brainstorm", "planner", "test-author")
        used = f"uses {self.root}/src/sample/__init__.py of your checkout"
        self.stops("`sh tests/run.sh` does not test the worktree", used, calls=calls)

    def test_where_confinement_keeps_them_out(self) -> None:
        require_landlock()
        self.is_refused()
        (gate,) = [one for one in self.lines("events.jsonl") if one["kind"] == "gate"]
        self.assertIn(f"it may not read {self.root}/src/sample/__init__.py", gate["reason"])

    def test_where_it_does_not(self) -> None:
        self.configure('[sandbox]\nmode = "off"\n')
        self.env["PYTHONDONTWRITEBYTECODE"] = "1"
        self.is_refused()


class TestNode(ImportCheckCase):
    test_cmd = "node --test tests/two.test.js"

    def setUp(self) -> None:
        super().setUp()
        self.commit_files(
            {
                "package.json": '{"name": "all", "workspaces": ["packages/*"]}',
                "packages/one/package.json": '{"name": "one", "main": "index.js"}',
                "packages/one/index.js": "exports.one = 1;\n",
            }
        )
        (self.root / "node_modules").mkdir()
        (self.root / "node_modules/one").symlink_to("../packages/one")
        self.settle()
        self.script()

    def test_a_search_path_with_a_link_into_the_checkout(self) -> None:
        self.configure('[gates]\ntest = "node --test"\n')
        self.env["NODE_PATH"] = f"{self.root}/node_modules"
        self.stops(
            f"{self.root}/node_modules/one leads to {self.root}/packages/one", "node_modules"
        )

    def test_a_worktree_whose_packages_are_a_link_to_the_checkouts(self) -> None:
        self.configure(f'[worktree]\nsetup = "ln -s {self.root}/node_modules node_modules"\n')
        calls = ("explorer", "brainstorm", "planner")
        self.stops(f"node_modules/one leads to {self.root}/packages/one", '"npm ci"', calls=calls)
