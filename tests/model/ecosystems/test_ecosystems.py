"""What repositories need, and how their tests run, by their files.

With it: its rows (``rows``, ``python``, ``node``), what they are made of (``project``), ``paths``.
"""

from __future__ import annotations

import tomllib
import unittest
from collections.abc import Mapping
from typing import NamedTuple

from director.model.config_reader import read_config
from director.model.ecosystems.ecosystems import (
    Ecosystem,
    Example,
    as_toml,
    ecosystems,
    is_manifest,
    manifests,
    proposal,
)
from tests.support.jobs import CONFIG

PYTEST = "import pytest\n\ndef test_a():\n    pass\n"
UNITTEST = "import unittest\n\nclass TestA(unittest.TestCase):\n    pass\n"
VENV = "python3 -m venv .venv && .venv/bin/python -m pip install -q "
DESCRIBED = '[project]\nname = "a"\n[build-system]\nrequires = ["hatchling"]\n'


def found_in(files: Mapping[str, str]) -> tuple[Ecosystem, ...]:
    paths = sorted(files)
    return ecosystems(paths, {path: files[path] for path in manifests(paths)})


class Case(NamedTuple):
    """A repository, and what is said of its one ecosystem where a prepared environment is there."""

    name: str
    files: Mapping[str, str]
    setup: str
    inputs: tuple[str, ...]
    suite: str
    example: str = ""
    keep: tuple[str, ...] = ()


def script(test: str, **more: object) -> str:
    import json

    return json.dumps({"scripts": {"test": test}, **more})


CASES = (
    Case(
        "Python, uv",
        {
            "uv.lock": "",
            "pyproject.toml": DESCRIBED + '[dependency-groups]\nlint = []\ntest = ["pytest"]\n',
            "src/a/__init__.py": "",
            "tests/test_a.py": PYTEST,
        },
        "uv sync --frozen --group test",
        ("pyproject.toml", "uv.lock"),
        ".venv/bin/python -m pytest -q",
        ".venv/bin/python -m pytest -q tests/test_a.py",
    ),
    Case(
        "Python, poetry",
        {"poetry.lock": "", "pyproject.toml": "[tool.poetry]\n", "tests/test_a.py": PYTEST},
        "POETRY_VIRTUALENVS_IN_PROJECT=true poetry install --no-interaction",
        ("poetry.lock", "pyproject.toml"),
        ".venv/bin/python -m pytest -q",
        ".venv/bin/python -m pytest -q tests/test_a.py",
    ),
    Case(
        "Python, pdm",
        {"pdm.lock": "", "pyproject.toml": DESCRIBED, "tests/test_a.py": PYTEST},
        "PDM_IGNORE_ACTIVE_VENV=1 pdm sync",
        ("pdm.lock", "pyproject.toml"),
        ".venv/bin/python -m pytest -q",
        ".venv/bin/python -m pytest -q tests/test_a.py",
    ),
    Case(
        "Python, pip",
        {"requirements.txt": "idna\n", "requirements-dev.txt": "pytest\n", "test_a.py": PYTEST},
        VENV + "-r requirements-dev.txt -r requirements.txt",
        ("requirements-dev.txt", "requirements.txt"),
        ".venv/bin/python -m pytest -q",
        ".venv/bin/python -m pytest -q test_a.py",
    ),
    Case(
        "Python, pip",  # the runner is listed nowhere
        {"setup.py": "", "a/__init__.py": "", "tests/test_a.py": PYTEST},
        VENV + "-e . pytest",
        ("setup.py",),
        ".venv/bin/python -m pytest -q",
        ".venv/bin/python -m pytest -q tests/test_a.py",
    ),
    Case(
        "Python, pip",
        {
            "pyproject.toml": DESCRIBED
            + '[project.optional-dependencies]\ntest = ["pytest"]\ndocs = ["sphinx"]\n',
            "src/a.py": "",
            "tests/test_a.py": PYTEST,
        },
        VENV + "-e '.[test]'",
        ("pyproject.toml",),
        ".venv/bin/python -m pytest -q",
        ".venv/bin/python -m pytest -q tests/test_a.py",
    ),
    Case(
        "Python, pip",
        {
            "pyproject.toml": DESCRIBED + '[dependency-groups]\ndev = ["pytest"]\n',
            "tests/test_a.py": PYTEST,
        },
        "python3 -m venv .venv && .venv/bin/python -m pip install -q 'pip>=25.1' && "
        ".venv/bin/python -m pip install -q -e . --group dev",
        ("pyproject.toml",),
        ".venv/bin/python -m pytest -q",
        ".venv/bin/python -m pytest -q tests/test_a.py",
    ),
    Case(
        "Python, pip",  # nothing to install
        {"pyproject.toml": "[tool.x]\n", "src/a.py": "", "tests/test_a.py": UNITTEST},
        "",
        ("pyproject.toml",),
        "PYTHONPATH=src .venv/bin/python -m unittest discover -s tests",
        "PYTHONPATH=src .venv/bin/python -m unittest discover -s tests -p test_a.py",
    ),
    Case(
        "Python, pip",
        {"setup.cfg": "", "tests/__init__.py": "", "tests/test_a.py": UNITTEST},
        "",
        ("setup.cfg",),
        ".venv/bin/python -m unittest",
        ".venv/bin/python -m unittest tests.test_a",
    ),
    Case(
        "Node.js, npm",
        {"package.json": script("jest --ci"), "package-lock.json": "", "src/a.test.js": ""},
        "npm ci",
        ("package-lock.json", "package.json"),
        "npm test",
        "npx --no-install jest src/a.test.js",
    ),
    Case(
        "Node.js, npm",
        {
            "package.json": script("tsc && node --import tsx --test", dependencies={"a": "1"}),
            "test/a.ts": "",
        },
        "npm install --no-package-lock",
        ("package.json",),
        "npm test",
        "node --import tsx --test test/a.ts",
    ),
    Case(
        "Node.js, npm",
        {"package.json": script('echo "Error: no test specified"'), "a.test.mjs": '"node:test"'},
        "",
        ("package.json",),
        "node --test",
        "node --test a.test.mjs",
    ),
    Case(
        "Node.js, pnpm",
        {
            "package.json": script("vitest", packageManager="pnpm@9.12.3+sha512.abc"),
            "pnpm-lock.yaml": "",
            "a.test.ts": "",
        },
        "npx --yes pnpm@9.12.3 install --frozen-lockfile",
        ("package.json", "pnpm-lock.yaml"),
        "npx --yes pnpm@9.12.3 test",
        "npx --yes pnpm@9.12.3 exec vitest run a.test.ts",
    ),
    Case(
        "Node.js, pnpm",
        {"package.json": "{}", "pnpm-lock.yaml": "", "pnpm-workspace.yaml": "", "a/a.test.js": ""},
        "pnpm install --frozen-lockfile",
        ("package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml"),
        "pnpm -r test",
    ),
    Case(
        "Node.js, yarn",
        {"package.json": script("mocha"), "yarn.lock": "# yarn lockfile v1", "test/a.js": ""},
        "yarn install --frozen-lockfile",
        ("package.json", "yarn.lock"),
        "yarn test",
        "yarn run mocha test/a.js",
    ),
    Case(
        "Node.js, yarn",
        {
            "package.json": script("make", packageManager="yarn@4.5.0"),
            "yarn.lock": "__metadata:\n  version: 8\n",
        },
        "npx --yes @yarnpkg/cli-dist@4.5.0 install --immutable",
        ("package.json", "yarn.lock"),
        "npx --yes @yarnpkg/cli-dist@4.5.0 test",
    ),
    Case(
        "Node.js, yarn",
        {
            "package.json": script("make"),
            "yarn.lock": "__metadata:\n",
            ".yarn/releases/yarn-4.1.0.cjs": "",
        },
        "node .yarn/releases/yarn-4.1.0.cjs install --immutable",
        ("package.json", "yarn.lock"),
        "node .yarn/releases/yarn-4.1.0.cjs test",
    ),
    Case(
        "Node.js, bun",
        {"package.json": script("bun test"), "bun.lock": "", "a.test.ts": ""},
        "bun install --frozen-lockfile",
        ("bun.lock", "package.json"),
        "bun run test",
        "bun test a.test.ts",
    ),
    Case(
        "Go",
        {"go.mod": "module a\n\nrequire b v1\n", "go.sum": "", "p/a_test.go": ""},
        "go mod download",
        ("go.mod", "go.sum"),
        "go test ./...",
        "go test -v ./p",
    ),
    Case(
        "Go",
        {"go.mod": "module a\n", "a_test.go": ""},
        "",
        ("go.mod",),
        "go test ./...",
        "go test -v .",
    ),
    Case(
        "Rust",
        {"Cargo.toml": "[workspace]\n", "Cargo.lock": "", "tests/a.rs": "", "a/Cargo.toml": ""},
        "cargo fetch --locked",
        ("Cargo.lock", "Cargo.toml"),
        "cargo test --locked --workspace",
        "cargo test --locked --test a",
        ("target",),
    ),
    Case(
        "Ruby, Bundler",
        {"Gemfile": "", "Gemfile.lock": "", "spec/a_spec.rb": ""},
        "bundle config set --local path vendor/bundle && bundle install",
        ("Gemfile", "Gemfile.lock"),
        "bundle exec rspec",
        "bundle exec rspec spec/a_spec.rb",
    ),
    Case(
        "PHP, Composer",
        {"composer.json": "{}", "composer.lock": "", "tests/ATest.php": ""},
        "composer install --no-interaction --no-progress",
        ("composer.json", "composer.lock"),
        "vendor/bin/phpunit",
        "vendor/bin/phpunit tests/ATest.php",
    ),
    Case(
        "Maven",
        {"pom.xml": "", "core/pom.xml": "", "core/src/test/java/a/ATest.java": "", "mvnw": ""},
        "",
        ("pom.xml",),
        "./mvnw -B test",
        "./mvnw -B test -Dtest=ATest",
        ("core/target", "target"),
    ),
    Case(
        "Gradle",
        {"build.gradle.kts": "", "settings.gradle.kts": "", "src/test/kotlin/ATest.kt": ""},
        "",
        ("build.gradle.kts", "settings.gradle.kts"),
        "gradle test",
        "gradle test --tests ATest",
        (".gradle", "build"),
    ),
    Case(
        "CMake",
        {"CMakeLists.txt": "project(a C)\nenable_testing()\n", "Makefile": "test:\n", "a.c": ""},
        "",
        ("CMakeLists.txt",),
        "cmake -B build && cmake --build build && ctest --test-dir build --output-on-failure",
        keep=("build",),
    ),
    Case("make", {"Makefile": "all: a\n\ntest: all\n\t./a\n", "a.c": ""}, "", (), "make test"),
)


class TestEcosystems(unittest.TestCase):
    def test_each_by_its_lock_file_or_manifest(self) -> None:
        for case in CASES:
            with self.subTest(case.name, files=sorted(case.files)):
                found = found_in(case.files)
                self.assertEqual([one.name for one in found], [case.name])
                one = found[0]
                example = one.example_in(lambda _: True)
                self.assertEqual(one.setup, case.setup)
                self.assertEqual(one.inputs, case.inputs)
                self.assertEqual(sorted(one.keep), sorted(case.keep))
                self.assertEqual(one.suite_in(lambda _: True), case.suite)
                self.assertEqual(example.command if example else "", case.example)

    def test_without_a_manifest_there_is_none(self) -> None:
        files = {"README": "", "a.py": "", "tests/test_a.py": PYTEST, "tests/a.sh": ""}
        self.assertEqual(manifests(sorted(files)), ())
        self.assertEqual(found_in(files), ())

    def test_without_tests_there_is_no_suite(self) -> None:
        for files in (
            {"requirements.txt": "", "a.py": ""},
            {"package.json": "{}", "package-lock.json": ""},
            {"package.json": '{"workspaces": ["a"]}', "a/package.json": "{}"},
            {"go.mod": "", "a.go": ""},
            {"Cargo.toml": "", "src/lib.rs": "pub fn a() {}\n"},
            {"CMakeLists.txt": "project(a C)\n"},
            {"pom.xml": ""},
        ):
            with self.subTest(files=sorted(files)):
                self.assertEqual([one.suite for one in found_in(files)], [""])

    def test_unit_tests_of_rust_stand_in_any_file_of_the_crate(self) -> None:
        inline = "#[cfg(test)]\nmod tests {}\n"
        (one,) = found_in({"Cargo.toml": "", "src/lib.rs": "mod a;\n", "src/a.rs": inline})
        self.assertEqual((one.suite, one.example), ("cargo test", None))

    def test_the_interpreter_is_the_one_that_is_there(self) -> None:
        (one,) = found_in({"api/requirements.txt": "", "api/test_a.py": PYTEST})
        plain = "cd api && python3 -m pytest -q"
        self.assertEqual(one.suite_in(lambda _: False), plain)
        here = {"api/venv/bin/python"}.__contains__
        self.assertEqual(one.suite_in(here), plain.replace("python3", "venv/bin/python"))
        self.assertEqual(
            one.example_in(lambda _: False), Example("api/test_a.py", f"{plain} test_a.py")
        )

    def test_what_cannot_be_read_says_nothing(self) -> None:
        for files in (
            {"pyproject.toml": "[project\n", "test_a.py": UNITTEST},
            {"package.json": "[1]"},
            {"package.json": "{"},
            {"package.json": '{"scripts": 7, "packageManager": 8}'},
        ):
            with self.subTest(files=files):
                self.assertEqual([one.setup for one in found_in(files)], [""])

    def test_projects_of_a_monorepo(self) -> None:
        found = found_in(
            {
                "package.json": script("jest", workspaces=["packages/*"]),
                "package-lock.json": "",
                "packages/a/package.json": script("jest"),
                "tools/x/package.json": "{}",
                "tools/x/yarn.lock": "",
                "docs/requirements.txt": "sphinx\n",
                "services/my api/requirements.txt": "pytest\n",
                "services/my api/tests/test_a.py": PYTEST,
            }
        )
        self.assertEqual(
            [(one.name, one.folder) for one in found],
            [
                ("Node.js, npm", ""),
                ("Python, pip", "services/my api"),
                ("Node.js, yarn", "tools/x"),
            ],
        )
        api = found[1]
        self.assertEqual(api.setup, f"(cd 'services/my api' && {VENV}-r requirements.txt)")
        self.assertEqual(
            api.suite_in(lambda _: True), "cd 'services/my api' && .venv/bin/python -m pytest -q"
        )
        self.assertEqual(api.inputs, ("services/my api/requirements.txt",))


class TestProposal(unittest.TestCase):
    def proposed(self, files: Mapping[str, str]) -> dict[str, object]:
        policy = proposal(found_in(files), sorted(files))
        return tomllib.loads(as_toml(policy))["worktree"] if policy else {}

    def test_all_that_has_tests_is_prepared(self) -> None:
        files = {
            "package.json": "{}",  # formats the code, tests nothing
            "package-lock.json": "",
            "api/requirements.txt": "pytest\n",
            "api/test_a.py": PYTEST,
            "core/Cargo.toml": "",
            "core/tests/a.rs": "",
        }
        self.assertEqual(
            self.proposed(files),
            {
                "setup": f"(cd api && {VENV}-r requirements.txt) && (cd core && cargo fetch)",
                "setup_inputs": ["api/requirements.txt", "core/Cargo.toml"],
                "keep": ["core/target"],
            },
        )

    def test_where_nothing_is_tested_all_is_prepared(self) -> None:
        files = {"package.json": "{}", "package-lock.json": ""}
        self.assertEqual(self.proposed(files)["setup"], "npm ci")

    def test_a_worktree_that_needs_nothing_has_no_proposal(self) -> None:
        self.assertEqual(self.proposed({"go.mod": "module a\n", "a_test.go": ""}), {})
        self.assertEqual(self.proposed({"README": ""}), {})

    def test_no_build_folder_holds_what_git_tracks(self) -> None:
        cmake = {"CMakeLists.txt": "enable_testing()\n", "build/ci.sh": ""}
        self.assertEqual(self.proposed(cmake), {"keep": ["cmake-build"]})
        rust = {"Cargo.toml": "", "tests/a.rs": "", "target/.gitkeep": ""}
        self.assertNotIn("keep", self.proposed(rust))

    def test_a_configuration_takes_every_proposal(self) -> None:
        for case in CASES:
            policy = proposal(found_in(case.files), sorted(case.files))
            if policy is None:
                continue
            with self.subTest(case.name, files=sorted(case.files)):
                read = read_config(CONFIG + as_toml(policy), "c").worktree
                self.assertEqual(read, policy)


class TestManifests(unittest.TestCase):
    def test_lock_files_and_manifests_by_their_names(self) -> None:
        for path in (
            "uv.lock",
            "a/package.json",
            "requirements-dev.txt",
            "Cargo.lock",
            "requirements/ci.txt",
        ):
            self.assertTrue(is_manifest(path), path)
        for path in ("a.py", "README", "requirements/notes.md", "Makefile", "my-go.mod"):
            self.assertFalse(is_manifest(path), path)
