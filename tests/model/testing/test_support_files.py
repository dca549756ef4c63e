"""Which files and settings decide how tests run."""

from __future__ import annotations

import unittest

from director.model.plan import Node
from director.model.testing.support_files import changed_settings, has_settings, support_problems


def node(*files: str, support: tuple[str, ...] = (), **changes: str) -> Node:
    command = changes.get("test_cmd", "python3 -m unittest tests.unit.test_a")
    tests = (changes.get("test", "tests/unit/test_a.py"),)
    return Node("a", "t", "s", files, (), command, tests, test_support=support)


class TestSupportProblems(unittest.TestCase):
    def refused(self, *nodes: Node) -> list[str]:
        """Return the paths that are refused."""
        return [problem.split("'")[3] for problem in support_problems(nodes)]

    def test_files_that_decide_how_tests_run(self) -> None:
        paths = (
            "conftest.py",
            "src/conftest.py",
            "tests/__init__.py",
            "tests/unit/__init__.py",
            "pkg/tests/data/__init__.py",
            "pytest.ini",
            "tox.ini",
            "noxfile.py",
            "jest.config.ts",
            "web/vitest.config.mts",
            ".mocharc.json",
            ".mocharc",
            "karma.conf.js",
            "phpunit.xml",
            "spec/spec_helper.rb",
        )
        self.assertEqual(self.refused(node("app.py", *paths)), list(paths))

    def test_ordinary_files(self) -> None:
        paths = (
            "app.py",
            "src/pkg/__init__.py",
            "__init__.py",
            "pyproject.toml",
            "package.json",
            "Cargo.toml",
            "go.mod",
            "Makefile",
            "setup.cfg",
            "vite.config.ts",
            "src/test.py",
            "tests/helpers.py",
        )
        self.assertEqual(self.refused(node(*paths)), [])

    def test_a_package_file_beside_tests_and_code_belongs_to_the_code(self) -> None:
        beside = node("pkg/__init__.py", "pkg/slug.py", test="pkg/slug_test.py")
        self.assertEqual(self.refused(beside), [])
        apart = node("checks/__init__.py", "pkg/slug.py", test="checks/slug_test.py")
        self.assertEqual(self.refused(apart), ["checks/__init__.py"])

    def test_the_tests_of_every_node_count(self) -> None:
        other = node("b.py", test="checks/test_b.py")
        self.assertEqual(self.refused(node("checks/__init__.py"), other), ["checks/__init__.py"])

    def test_a_recipe_file_only_where_a_test_command_runs_it(self) -> None:
        made = node("b.py", test_cmd="cd web && make test")
        self.assertEqual(self.refused(node("Makefile"), made), ["Makefile"])

    def test_the_plan_may_say_so(self) -> None:
        self.assertEqual(self.refused(node("conftest.py", support=("conftest.py",))), [])

    def test_both_ways_out_are_named(self) -> None:
        (said,) = support_problems([node("conftest.py")])
        self.assertIn('"test_support"', said)
        self.assertIn('"tests"', said)


class TestSettings(unittest.TestCase):
    def changed(self, path: str, before: str | None, after: str | None) -> list[str]:
        old, new = (text if text is None else text.encode() for text in (before, after))
        return changed_settings(path, old, new)

    def test_what_configures_a_runner_is_named(self) -> None:
        for path, before, after, names in (
            (
                "web/package.json",
                '{"scripts": {"test": "jest", "build": "tsc"}, "jest": {}}',
                '{"scripts": {"test": "exit 0", "build": "x"}, "dependencies": {"a": "1"}}',
                ["jest", "scripts.test"],
            ),
            ("package.json", None, '{"scripts": {"pretest": "x"}}', ["scripts.pretest"]),
            ("package.json", '{"mocha": {"spec": "a"}}', None, ["mocha"]),
            ("package.json", '{"scripts": {"test": "jest"}}', "{", ["scripts.test"]),
            (
                "pyproject.toml",
                '[tool.pytest.ini_options]\naddopts = "-q"\n',
                '[tool.pytest.ini_options]\naddopts = "--co"\n[tool.tox]\nenv_list = []\n',
                ["tool.pytest", "tool.tox"],
            ),
            ("setup.cfg", "[metadata]\nname = a\n", "[tool:pytest]\naddopts = --co\n",
             ["tool:pytest"]),
        ):  # fmt: skip
            with self.subTest(path=path, after=after):
                self.assertEqual(self.changed(path, before, after), names)

    def test_the_rest_of_such_a_file_is_free(self) -> None:
        for path, before, after in (
            ("package.json", '{"scripts": {"test": "jest"}}',
             '{"scripts": {"test": "jest", "lint": "eslint"}, "dependencies": {"a": "1"}}'),
            ("package.json", None, '{"name": "a"}'),
            ("package.json", "[]", '{"scripts": []}'),
            ("pyproject.toml", None, '[project]\nname = "a"\n[tool.ruff]\nline-length = 99\n'),
            ("setup.cfg", "[metadata]\nname = a\n", "[metadata]\nname = b\nurl = %(x)s\n"),
            ("src/app.py", "a", "b"),
        ):  # fmt: skip
            with self.subTest(path=path, after=after):
                self.assertEqual(self.changed(path, before, after), [])

    def test_only_some_files_are_looked_into(self) -> None:
        self.assertTrue(has_settings("web/package.json"))
        self.assertFalse(has_settings("src/app.py"))
