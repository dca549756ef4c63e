"""``director doctor`` as a user sees it.

With it: ``diagnosing.agents``, ``diagnosing.gates``, ``diagnosing.leftovers``,
``diagnosing.checkouts``, ``diagnosing.subject``, ``diagnosing.machine``, ``commands.doctor``.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.support.fake_opencode import VERSION, fail, hang, mark, say
from tests.support.jobs import PRICING, JobCase, node

NAMES = ("strong", "author", "cheap", "scout", "reader", "big")
MODELS = tuple(f"fake/{name}" for name in NAMES)
GREEN = '[gates]\ntest = "true"\n'


class DoctorCase(JobCase):
    """A diagnosis must change nothing and leave nothing, whatever it finds."""

    def setUp(self) -> None:
        super().setUp()
        self.fake.lists(*MODELS)
        self.configure(GREEN)

    def look(self, code: int, *argv: str, **how: Any) -> dict[str, list[dict[str, str]]]:
        """Run it, and return what it says about what."""
        before = self.repo.fingerprint()
        records = sorted(str(path) for path in self.home.rglob("*"))
        said = self.ends(code, "doctor", "--json", *argv, **how).json
        self.assertEqual(self.repo.fingerprint(), before)
        self.assertEqual(sorted(str(path) for path in self.home.rglob("*")), records)
        self.assertEqual(self.left_behind(), [])
        found: dict[str, list[dict[str, str]]] = {}
        for row in said["rows"]:
            found.setdefault(row["about"], []).append(row)
        self.said = said
        return found

    def one(self, rows: dict[str, list[dict[str, str]]], about: str) -> dict[str, str]:
        self.assertEqual(len(rows.get(about, [])), 1, rows)
        return rows[about][0]

    def line_of(self, text: str) -> str:
        """Return where a line of the configuration is, as rows say it."""
        lines = (self.home / "config.toml").read_text().splitlines()
        return f"config.toml:{lines.index(text) + 1}"


class TestWhatIsFine(DoctorCase):
    def test_all_is_looked_at(self) -> None:
        rows = self.look(0)
        self.assertEqual({row["level"] for found in rows.values() for row in found}, {"ok"}, rows)
        self.assertIn(VERSION, self.one(rows, "OpenCode")["what"])
        self.assertEqual(len(rows["model"]), len(MODELS))
        self.assertIn("green on HEAD", self.one(rows, "gate test")["what"])
        for about in ("Python", "git", "repository", "identity", "machine", "disk", "agents",
                      "prices", "confinement", "launcher", "leftovers", "disk use", "server",
                      "tests"):  # fmt: skip
            self.assertIn(about, rows)
        self.assertEqual((self.said["ok"], self.said["problems"]), (True, 0))
        self.assertEqual(self.fake.calls(), [])

    def test_people_get_a_row_each_and_a_total(self) -> None:
        out = self.ends(0, "doctor").out
        self.assertIn("✓ gate test     green on HEAD", out)
        self.assertRegex(out, r"\nNo problems, \d+ ok\.\nNext: director plan")
        self.assertLessEqual(max(map(len, out.splitlines())), 120)


class TestWhatIsMissing(DoctorCase):
    def test_outside_a_repository(self) -> None:
        elsewhere = self.place / "elsewhere"
        elsewhere.mkdir()
        rows = self.look(2, cwd=elsewhere)
        self.assertIn("not in a git repository", self.one(rows, "repository")["what"])
        self.assertIn("--repo", self.one(rows, "repository")["fix"])

    def test_without_a_commit(self) -> None:
        shutil.rmtree(self.repo.root / ".git")
        self.repo.git("init", "--quiet")
        rows = self.look(2)
        self.assertIn("has no commit yet", self.one(rows, "repository")["what"])
        self.assertNotIn("gate test", rows)

    def test_without_a_configuration(self) -> None:
        (self.home / "config.toml").unlink()
        rows = self.look(2)
        self.assertIn("director init", self.one(rows, "configuration")["fix"])
        self.assertIn(VERSION, self.one(rows, "OpenCode")["what"])
        self.assertEqual(self.said["next_command"], ["director", "init"])

    def test_a_configuration_with_mistakes(self) -> None:
        self.configure("[gats]\n")
        rows = self.look(2)
        self.assertIn("gats (line ", self.one(rows, "configuration")["what"])

    def test_no_opencode(self) -> None:
        self.fake.program.unlink()
        rows = self.look(2, env={**self.env, "PATH": self.without_opencode()})
        self.assertIn("not on PATH", self.one(rows, "OpenCode")["what"])
        self.assertIn("npm install", self.one(rows, "OpenCode")["fix"])

    def without_opencode(self) -> str:
        folders = self.env["PATH"].split(":")
        return ":".join(one for one in folders if not (Path(one) / "opencode").exists())

    def test_one_that_does_not_start(self) -> None:
        self.fake.program.write_text("#!/bin/sh\nexit 3\n")
        rows = self.look(2)
        self.assertIn("does not start", self.one(rows, "OpenCode")["what"])

    def test_an_old_one(self) -> None:
        text = self.fake.program.read_text()
        self.fake.program.write_text(text.replace(f"echo {VERSION}", "echo 0.9.1"))
        row = self.one(self.look(0), "OpenCode")
        self.assertEqual(row["level"], "warning")
        self.assertIn(VERSION, row["fix"])


class TestModels(DoctorCase):
    def test_an_unknown_one_is_named_with_its_line_and_a_guess(self) -> None:
        self.fake.lists(*(one.replace("cheap", "cheep") for one in MODELS))
        rows = self.look(2)
        wrong = [row for row in rows["model"] if row["level"] == "problem"]
        self.assertEqual(len(wrong), 1, rows["model"])
        self.assertIn("does not know fake/cheap (executor", wrong[0]["what"])
        self.assertIn("did you mean fake/cheep?", wrong[0]["fix"])
        self.assertEqual(wrong[0]["where"], self.line_of('executor = "fake/cheap"'))
        self.assertEqual(self.said["reason"], "model_unknown")

    def test_a_cli_that_lists_nothing_is_a_warning(self) -> None:
        (self.fake.folder / "models").unlink()
        rows = self.look(0)
        self.assertEqual({row["level"] for row in rows["model"]}, {"warning"})
        self.assertIn("doctor --live", rows["model"][0]["fix"])

    def test_prices_that_are_missing_or_of_no_tier(self) -> None:
        self.configure(f'{GREEN}[pricing."fake/chep"]\ninput = 1.0\noutput = 1.0\n', pricing=False)
        rows = self.look(0)
        said = " ".join(row["what"] + row["fix"] for row in rows["prices"])
        self.assertIn("no [pricing] for fake/cheap (executor", said)
        self.assertIn("no tier uses fake/chep", said)
        self.assertIn("did you mean fake/cheap?", said)
        self.assertEqual(rows["prices"][-1]["where"], self.line_of('[pricing."fake/chep"]'))

    def test_a_server_that_cannot_be_shared(self) -> None:
        self.repo.write(".opencode/plugin/p.js", "export const P = async () => ({})\n")
        self.repo.commit("a plugin")
        self.configure(f'{GREEN}[opencode]\nserver = "auto"\n')
        row = self.one(self.look(0), "server")
        self.assertEqual(row["level"], "warning")
        self.assertIn("has code that OpenCode would run", row["what"])

    def test_a_users_server_that_does_not_answer(self) -> None:
        self.configure(
            f'{GREEN}[opencode]\nserver = "http://127.0.0.1:9"\n[sandbox]\nmode = "off"\n'
        )
        self.assertEqual(self.one(self.look(2), "server")["level"], "problem")

    def test_a_local_provider_where_nothing_listens(self) -> None:
        text = (self.home / "config.toml").read_text().replace("fake/cheap", "local/small")
        local = '[providers.local]\nbase_url = "http://127.0.0.1:9/v1"\n'
        (self.home / "config.toml").write_text(f"{text}{local}")
        rows = self.look(2)
        wrong = [row for row in rows["model"] if row["level"] == "problem"]
        self.assertIn("nothing answers at http://127.0.0.1:9/v1", wrong[0]["what"])

    def test_an_agent_file_that_cannot_be_read(self) -> None:
        self.repo.write(".opencode/agents/planner.md", "---\nmode: [\n---\n")
        self.assertEqual(self.one(self.look(2), "agents")["level"], "problem")


class TestGates(DoctorCase):
    def test_red_is_a_warning_and_broken_a_problem(self) -> None:
        self.configure('[gates]\nred = "echo wrong; exit 1"\nbroken = "no-such-program"\n')
        rows = self.look(2)
        red, broken = self.one(rows, "gate red"), self.one(rows, "gate broken")
        self.assertEqual((red["level"], broken["level"]), ("warning", "problem"))
        self.assertIn("wrong", red["what"])
        self.assertIn("not found", broken["what"])
        self.assertEqual(broken["where"], self.line_of('broken = "no-such-program"'))

    def test_one_that_cannot_run_is_told_once_and_named_at_the_end(self) -> None:
        self.configure('[gates]\ntrue = "true"\nlint = ".venv/bin/lint"\n')
        out = self.ends(2, "doctor").out
        self.assertEqual(out.count("`.venv/bin/lint`"), 1, out)
        self.assertRegex(out, r"\nNext, gate lint \(config\.toml:\d+\): ")

    def test_they_run_on_head_in_a_clean_worktree(self) -> None:
        self.repo.write("new.txt", "not committed\n")
        self.configure('[gates]\nclean = "test ! -e new.txt && test -e README"\n')
        self.assertEqual(self.one(self.look(0), "gate clean")["level"], "ok")

    def test_one_worktree_is_all_that_is_checked_out(self) -> None:
        self.configure("[gates]\nalone = 'test -z \"$(ls ../../agents)\"'\n")
        self.assertEqual(self.one(self.look(0), "gate alone")["level"], "ok")

    def test_tests_that_miss_what_git_ignores(self) -> None:
        self.repo.write(".gitignore", "dependency.py\n")
        self.repo.write("requirements.txt", "dependency\n")
        self.repo.write("tests/test_a.py", "import unittest\nimport dependency\n\n\n"
                        "class T(unittest.TestCase):\n    def test_a(self): pass\n")  # fmt: skip
        self.repo.commit("tests")
        self.repo.write("dependency.py", "")
        self.configure()
        row = self.one(self.look(2), "tests")
        self.assertIn("No module named 'dependency'", row["what"])
        self.assertIn("[worktree]", row["fix"])
        self.configure('[worktree]\nsetup = "touch dependency.py"\n')
        row = self.one(self.look(0), "tests")
        self.assertIn("they run in a fresh worktree", row["what"])

    def test_a_setup_that_fails(self) -> None:
        self.configure(f'{GREEN}[worktree]\nsetup = "exit 7"\n')
        self.assertIn("exit 7", json.dumps(self.look(2)["worktree"]))

    def test_an_editable_install_of_the_checkout(self) -> None:
        self.repo.write("src/package/__init__.py", "")
        self.repo.write("pyproject.toml", '[project]\nname = "package"\n')
        self.repo.commit("a package")
        gate = f"PYTHONPATH={self.repo.root}/src python3 -m unittest"
        self.configure(f'[gates]\ntest = "{gate}"\n')
        row = self.one(self.look(2), "tests")
        self.assertIn("would not test the worktree", row["what"])

    def test_files_of_git_lfs(self) -> None:
        self.repo.write(".gitattributes", "*.bin filter=lfs diff=lfs\n")
        self.repo.commit("large files")
        row = self.one(self.look(0), "Git LFS")
        self.assertEqual(row["level"], "warning")
        self.assertIn("pointers", row["what"])


class TestLeftovers(DoctorCase):
    def test_a_killed_run_and_what_it_left(self) -> None:
        self.configure()
        self.plan(node("a"))
        on = self.tmp / "on"
        self.implement("a", mark(on), hang())
        self.kill_at(on, "run")
        said = self.ends(0, "doctor", "--json").json
        found = [row for row in said["rows"] if row["about"] == "leftovers"]
        self.assertTrue(any("director run (process" in row["what"] for row in found), found)
        self.assertTrue(any("left worktrees in" in row["what"] for row in found), found)
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.one(self.look(0), "leftovers")["level"], "ok")

    def test_what_a_killed_doctor_left_is_removed(self) -> None:
        place = Path(self.env["XDG_STATE_HOME"]) / "director" / "doctor-0123456789ab"
        place.mkdir(parents=True)
        (place / "lock").touch()
        self.look(0)
        self.assertFalse(place.exists())


class TestLive(DoctorCase):
    def test_each_model_is_called_once(self) -> None:
        for agent in ("brainstorm", "planner", "explorer", "test-author", "executor", "reviewer"):
            self.fake.always(agent, say("ok"))
        rows = self.look(0, "--live")
        self.assertEqual(len(rows["live"]), len(MODELS))
        self.assertEqual(len(self.fake.calls()), len(MODELS))
        self.assertGreater(self.said["cost_known"], 0)
        out = self.ends(0, "doctor", "--live").out
        self.assertRegex(out, r"; the calls cost \$")

    def test_a_provider_that_refuses(self) -> None:
        for agent in ("brainstorm", "planner", "explorer", "test-author", "executor", "reviewer"):
            self.fake.always(agent, fail("APIError", "no such key", 401))
        rows = self.look(2, "--live")
        self.assertIn("no such key", rows["live"][0]["what"])
        self.assertEqual(len(self.fake.calls()), len(MODELS))
        self.assertIn("fake/", PRICING)
