"""Red that lacks something in the environment is told from red that lacks the work.

``outputs/`` holds runs of the real tools; what could not be run is quoted from where it was
reported.

With it: ``command_run``, and the symptoms (``symptoms``, ``build_symptoms``, ``script_symptoms``).
"""

from __future__ import annotations

import importlib
import unittest
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from director.model.testing import build_symptoms, script_symptoms
from director.model.testing.command_run import CommandRun
from director.model.testing.environment import Missing, missing_in_environment
from director.model.testing.symptoms import Remedy

PARSER: Any = importlib.import_module("re._parser")
OUTPUTS = Path(__file__).parent / "outputs"
# What the nodes of all these make: a module "slug" or "new", in each language.
FILES = (
    "slug.py", "src/slug.js", "src/slug.mjs", "src/slug.ts", "slug/slug.go", "src/slug.rs",
    "lib/slug.rb", "src/new.c", "src/new.h", "src/mypkg/new.py",
)  # fmt: skip
TESTS = ("tests/test_slug.py", "tests/slug.test.js")
TRACKED = (
    "README.md", "src/mypkg/__init__.py", "tests/test_req.py", "go.mod", "package.json",
    "src/lib.rs", "Makefile",
)  # fmt: skip
PACKAGE, PROGRAM, NETWORK, COMMAND = Remedy.PACKAGE, Remedy.PROGRAM, Remedy.NETWORK, Remedy.COMMAND
MISSING = {
    "bundle-gem": (PACKAGE, "Could not find gem 'nokogiri (= 1.0)'"),
    "cargo-command": (PROGRAM, "no such command: `nextestx`"),
    "cargo-linker": (PROGRAM, "linker `nocc` not found"),
    "cargo-nohost": (NETWORK, "failed to download from `https://index.example.org"),
    "cargo-offline": (NETWORK, "no matching package named `serde` found"),
    "cargo-toml": (COMMAND, "could not find `Cargo.toml`"),
    "cargo-unresolved": (PACKAGE, "unlinked crate `serde`"),
    "cd": (COMMAND, "can't cd to web"),
    "cd-bash": (COMMAND, "cd: web: No such file or directory"),
    "cmake-build": (COMMAND, "is not a directory"),
    "cmake-compiler": (PROGRAM, "CMAKE_C_COMPILER not set"),
    "cmake-compiler-2": (PROGRAM, "CMAKE_C_COMPILER not set"),
    "cmake-compiler-3": (PROGRAM, "No CMAKE_C_COMPILER could be found"),
    "cmake-package": (PACKAGE, 'package configuration file provided by "Nope"'),
    "ctest": (COMMAND, "Failed to change working directory"),
    "gcc-header": (PACKAGE, "openssl/nope.h: No such file or directory"),
    "gcc-lib": (PACKAGE, "cannot find -lnope"),
    "go-cgo": (PROGRAM, 'C compiler "nogcc" not found'),
    "go-nohost": (NETWORK, "no such host"),
    "go-nomod": (COMMAND, "does not contain main module"),
    "go-noprovide": (PACKAGE, "no required module provides package github.com/stretchr/testify"),
    "go-noproxyhost": (NETWORK, "proxyconnect tcp"),
    "go-nosum": (PACKAGE, "missing go.sum entry"),
    "go-off": (NETWORK, "module lookup disabled by GOPROXY=off"),
    "go-proxy": (NETWORK, "dial tcp 127.0.0.1:9: connect: connection refused"),
    "javac-junit": (PACKAGE, "package org.junit.jupiter.api does not exist"),
    "jest-env": (PACKAGE, "Test environment jest-environment-jsdom cannot be found"),
    "jest-module": (PACKAGE, "Cannot find module 'lodash'"),
    "jest-preset": (PACKAGE, "Preset ts-jestx not found"),
    "jest-transform": (PACKAGE, "Module ts-jestx in the transform option was not found"),
    "make-127": (PROGRAM, "pytestx: No such file or directory"),
    "make-cc": (PROGRAM, "cc: not found"),
    "make-need": (COMMAND, "No rule to make target 'vendor/x.c', needed by 'need'"),
    "make-target": (COMMAND, "No rule to make target 'test'"),
    "mvn-nopom": (COMMAND, "there is no POM"),
    "mvn-offline": (NETWORK, "in offline mode"),
    "node-bin": (PACKAGE, "node_modules/jest/bin/jest.js"),
    "node-esm": (PACKAGE, "Cannot find package 'lodash'"),
    "node-module": (PACKAGE, "Cannot find module 'lodash'"),
    "node-module-plain": (PACKAGE, "Cannot find module 'lodash'"),
    "npm-ci": (COMMAND, "The `npm ci` command can only install"),
    "npm-missing-script": (COMMAND, 'Missing script: "test:unit"'),
    "npm-nopackage": (COMMAND, "Could not read package.json"),
    "npx-mylib": (PACKAGE, "could not determine executable to run"),
    "npx-no": (PACKAGE, "npx canceled due to missing packages"),
    "npx-nohost": (NETWORK, "code ENOTFOUND"),
    "npx-offline": (PACKAGE, "npx canceled due to missing packages"),
    "npx-tsc": (PACKAGE, "This is not the tsc command you are looking for"),
    "npx-unreachable": (NETWORK, "code ECONNREFUSED"),
    "php-autoload": (PACKAGE, "vendor/autoload.php"),
    "php-phpunit": (PACKAGE, "Could not open input file: vendor/bin/phpunit"),
    "pnpm-exec2": (PACKAGE, 'Command "jest" not found'),
    "pnpm-script": (COMMAND, "Missing script: nope"),
    "poetry-run": (PROGRAM, "Command not found: nopetest"),
    "pytest-addopts": (PACKAGE, "unrecognized arguments: --cov --timeout=3"),
    "pytest-arguments": (PACKAGE, "unrecognized arguments: --cov=mypkg"),
    "pytest-async": (PACKAGE, "async def functions are not natively supported"),
    "pytest-conftest": (PACKAGE, "No module named 'requests'"),
    "pytest-fixture": (PACKAGE, "fixture 'mocker' not found"),
    "pytest-internalerror": (PACKAGE, "No module named 'requests'"),
    "pytest-missing": (PACKAGE, "No module named pytest"),
    "pytest-module": (PACKAGE, "No module named 'requests'"),
    "pytest-module-q": (PACKAGE, "No module named 'requests'"),
    "pytest-nofile": (COMMAND, "file or directory not found: tests/test_nope.py"),
    "pytest-plugin": (PACKAGE, 'Error importing plugin "pytest_mock"'),
    "pytest-required": (PACKAGE, "Missing required plugins: pytest-xdist"),
    "pytest-src": (PACKAGE, "No module named 'mypkg'"),
    "ruby-require": (PACKAGE, "cannot load such file -- nokogiri"),
    "ruby-rspec": (PROGRAM, "No such file or directory -- rspec"),
    "tsc": (PACKAGE, "TS2688: Cannot find type definition file for 'node'"),
    "tsc-describe": (PACKAGE, "TS2307: Cannot find module 'lodash'"),
    "unittest-module": (PACKAGE, "No module named 'requests'"),
    "uv-offline": (NETWORK, "the network was disabled"),
    "uv-python": (PROGRAM, "No interpreter found for Python 3.99"),
    "uv-spawn": (PROGRAM, "Failed to spawn: nopetest"),
    "vitest-import": (PACKAGE, "Cannot find package 'lodash'"),
    "yarn": (PACKAGE, "doesn't seem to be present in your lockfile"),
    "yarn1-command": (PACKAGE, 'Command "jest" not found'),
}
AVOIDABLE = {
    "cargo-unresolved", "gcc-header", "go-noprovide", "javac-junit", "jest-module", "node-bin",
    "node-esm", "node-module", "node-module-plain", "pytest-async", "pytest-conftest",
    "pytest-fixture", "pytest-module", "pytest-module-q", "pytest-src", "ruby-require",
    "tsc-describe", "unittest-module", "vitest-import",
}  # fmt: skip
QUOTED = {
    # https://github.com/microverseinc/linters-config/issues/94
    "Failure/Error: require 'git'\n\nLoadError:\n  cannot load such file -- git\n"
    "# ./lib/helpers/git.rb:1:in `<top (required)>'\n\n"
    "0 examples, 0 failures, 1 error occurred outside of examples\n": PACKAGE,
    # https://github.com/ergochat/ergo/issues/2154
    "go: download go1.22 for linux/amd64: toolchain not available\n": PROGRAM,
    "go: errors parsing go.mod:\n/w/go.mod:3: invalid go version '1.26.3': must match format 1.23\n"
    "/w/go.mod:5: unknown block type: tool\n": PROGRAM,
    "go: errors parsing go.mod:\ngo.mod:5: unknown directive: toolchain\n": PROGRAM,
    # https://github.com/gradle/gradle/issues/13258
    "> Could not resolve all artifacts for configuration ':classpath'.\n"
    "      > No cached version of com.github.jengelman.gradle.plugins:shadow:2.0.4 available for "
    "offline mode.\n": NETWORK,
    # https://github.com/dotnet/runtime/issues/45755
    "/usr/lib64/dotnet/sdk/5.0.100/Sdks/Microsoft.NET.Sdk/targets/Microsoft.PackageDependency"
    "Resolution.targets(241,5): error NETSDK1004: Assets file '/w/obj/project.assets.json' not "
    "found. Run a NuGet package restore to generate this file.\n": PACKAGE,
    # https://github.com/nodejs/corepack/issues/332
    "Internal Error: Error when performing the request to https://registry.example.org/pnpm; for "
    "troubleshooting help, see https://github.com/nodejs/corepack#troubleshooting\n": NETWORK,
    # https://github.com/pnpm/pnpm/issues/4146
    ' ERR_PNPM_RECURSIVE_EXEC_FIRST_FAIL  Command "build" not found\n': PACKAGE,
    # https://github.com/capricorn86/happy-dom/issues/1128
    " MISSING DEPENDENCY  Cannot find dependency 'jsdom'\n": PACKAGE,
    # https://github.com/microsoft/playwright/issues/27421
    "Error: browserType.launch: Executable doesn't exist at "
    "/home/u/.cache/ms-playwright/chromium-1080/chrome-linux/chrome\n": PROGRAM,
    # https://github.com/4x99/code6/issues/235
    "require(): Failed opening required '/var/www/html/vendor/autoload.php' "
    "(include_path='.:/usr/local/lib/php') in /var/www/html/artisan on line 18\n": PACKAGE,
    # https://github.com/exercism/exercism/issues/4610
    "npm WARN Local package.json exists, but node_modules missing, did you mean to "
    "install?\n": PACKAGE,
}


def recorded(name: str) -> CommandRun:
    """Return a run of ``outputs/``."""
    command, code, output = (OUTPUTS / f"{name}.txt").read_text().split("\n", 2)
    return CommandRun(command.removeprefix("$ "), int(code.strip("[]").split()[-1]), output)


def missing(run: CommandRun, *more: str, tracked: tuple[str, ...] = TRACKED) -> Missing | None:
    """Return what ``run`` lacks where the nodes make FILES, TESTS and ``more``."""
    return missing_in_environment(run, (*FILES, *TESTS, *more), tracked)


def texts(tokens: Any) -> Iterator[str]:
    """Give what a pattern finds, for each way through it: NUL where it leaves open what stands."""
    yield from map("".join, product(*(list(_texts_of(str(kind), of)) for kind, of in tokens)))


def _texts_of(kind: str, of: Any) -> Iterator[str]:
    match kind:
        case "LITERAL":
            yield chr(of)
        case "SUBPATTERN":
            yield from texts(of[-1])
        case "BRANCH":
            for branch in of[1]:
                yield from texts(branch)
        case "AT":
            yield ""
        case _:
            yield "\0"


class TestSigns(unittest.TestCase):
    def test_what_a_symptom_finds_has_its_sign(self) -> None:
        for symptom in (*script_symptoms.SYMPTOMS, *build_symptoms.SYMPTOMS):
            with self.subTest(symptom.words):
                self.assertGreater(len(symptom.sign.strip()), 0)
                without = [t for t in texts(PARSER.parse(symptom.words)) if symptom.sign not in t]
                self.assertEqual(without, [])


class TestWhatToolsSay(unittest.TestCase):
    def test_every_recorded_run_is_judged(self) -> None:
        names = {path.stem for path in OUTPUTS.glob("*.txt")}
        self.assertEqual({one for one in names if not one.startswith("right-")}, set(MISSING))

    def test_what_is_missing_is_named_with_what_to_do(self) -> None:
        for name, (remedy, words) in MISSING.items():
            with self.subTest(name):
                found = missing(recorded(name))
                assert found
                self.assertIn(words, found.words)
                self.assertEqual(found.next_step, remedy.value)
                self.assertEqual(found.avoidable, name in AVOIDABLE)
                self.assertNotIn("\n", found.words)

    def test_what_others_reported(self) -> None:
        for output, remedy in QUOTED.items():
            with self.subTest(output):
                found = missing(CommandRun("run the tests", 1, output))
                assert found
                self.assertEqual(found.next_step, remedy.value)

    def test_red_because_the_work_is_not_done_is_right(self) -> None:
        names = sorted(path.stem for path in OUTPUTS.glob("right-*.txt"))
        self.assertGreater(len(names), 15)
        for name in names:
            with self.subTest(name):
                self.assertIsNone(missing(recorded(name)))

    def test_a_long_output_is_searched_at_both_ends(self) -> None:
        words = recorded("pytest-missing").output
        for output in (words + "x" * 999_999, "y\n" * 999_999 + words):
            self.assertIsNotNone(missing(CommandRun("python -m pytest", 1, output)))


class TestWhatTheWorkMayBring(unittest.TestCase):
    def test_a_file_that_a_node_may_change_and_that_may_cure_it(self) -> None:
        cases = {
            "make-target": "Makefile",
            "npm-missing-script": "package.json",
            "jest-module": "package.json",
            "pytest-module": "requirements-dev.txt",
            "pytest-addopts": "conftest.py",
            "pytest-src": "tests/conftest.py",
            "go-noprovide": "go.mod",
            "cargo-unresolved": "Cargo.toml",
            "cmake-package": "cmake/FindNope.cmake",
            "javac-junit": "pom.xml",
            "ruby-require": "Gemfile",
            "tsc": "tsconfig.json",
        }
        for name, path in cases.items():
            with self.subTest(name):
                self.assertIsNone(missing(recorded(name), path))

    def test_a_runner_that_is_not_there_is_no_node_s_work(self) -> None:
        for name in ("pytest-missing", "npx-tsc", "make-cc", "go-proxy"):
            with self.subTest(name):
                self.assertIsNotNone(missing(recorded(name), "pyproject.toml", "package.json"))

    def test_what_a_node_makes_under_that_name(self) -> None:
        cases = {
            "pytest-module": "src/requests/__init__.py",
            "pytest-module-q": "requests.py",
            "pytest-missing": "pytest.py",
            "jest-module": "src/lodash/index.js",
            "tsc-describe": "types/lodash.d.ts",
            "go-noprovide": "assert/assert.go",
            "gcc-header": "include/nope.h",
            "gcc-lib": "libnope.c",
            "make-need": "vendor/x.c",
            "cd": "web/package.json",
            "ruby-require": "lib/nokogiri.rb",
            "poetry-run": "bin/nopetest",
        }
        for name, path in cases.items():
            with self.subTest(name):
                found = missing(recorded(name), path)
                self.assertNotIn(MISSING[name][1], found.words if found else "")

    def test_what_the_project_has_under_that_name_is_in_doubt(self) -> None:
        cases = {
            "pytest-module": "src/requests/core.py",  # a package without __init__.py
            "jest-module": "packages/lodash/index.js",
            "ruby-require": "lib/nokogiri.rb",
            "gcc-header": "include/nope.h",
            "cd": "web/index.html",
        }
        for name, path in cases.items():
            with self.subTest(name):
                self.assertIsNone(missing(recorded(name), tracked=(*TRACKED, path)))

    def test_a_package_that_is_there_and_is_not_found(self) -> None:
        run = recorded("pytest-src")
        self.assertIsNotNone(missing(run, "src/mypkg/other.py"))
        self.assertIsNotNone(missing(run, "src/mypkg/__init__.py"))  # there already
        self.assertIsNone(missing(run, "mypkg.py"))  # a new one, elsewhere
        self.assertIsNone(missing(run, tracked=("README.md",)))  # a node makes the package

    def test_aliases_and_relative_modules_are_the_project_s(self) -> None:
        for name in ("./x", "../x", "/w/src/x", "#x", "@/lib/x", "~/x", "node:sqlite"):
            output = f"Cannot find module '{name}' from 'a.test.js'\n"
            with self.subTest(name):
                self.assertIsNone(missing(CommandRun("npx jest", 1, output)))


class TestFalseAlarms(unittest.TestCase):
    def test_tests_that_ran_and_quote_a_tool(self) -> None:
        quoted = "".join(recorded(name).output for name in ("make-target", "npx-no", "cd"))
        for summary in ("1 failed, 2 passed in 0.12s\n", "Ran 3 tests in 0.001s\n\nFAILED\n"):
            with self.subTest(summary):
                self.assertIsNone(missing(CommandRun("python -m pytest", 1, quoted + summary)))

    def test_a_difference_that_a_test_shows(self) -> None:
        output = (
            "E     - No module named 'yaml'\nE     + ModuleNotFoundError: No module named 'yaml'\n"
            "E       assert 'make: *** No rule to make target' in out\n1 failed in 0.02s\n"
        )
        self.assertIsNone(missing(CommandRun("python -m pytest", 1, output)))

    def test_what_a_program_looks_for_by_name_may_be_missing_on_purpose(self) -> None:
        self.assertIsNone(missing(recorded("right-pytest-dynamic")))

    def test_a_script_that_goes_on_without_a_program(self) -> None:
        output = "tests/a.sh: line 1: tput: command not found\nno good a\n"
        self.assertIsNone(missing(CommandRun("sh tests/a.sh", 1, output)))

    def test_a_connection_that_a_test_makes(self) -> None:
        output = "dial tcp 127.0.0.1:80: connect: connection refused\n"
        self.assertIsNone(missing(CommandRun("sh tests/a.sh", 1, output)))


class TestExecuted(unittest.TestCase):
    def test_a_file_that_cannot_be_loaded_is_no_test(self) -> None:
        for name in ("right-pytest-feature", "right-unittest-feature", "right-node-feature"):
            with self.subTest(name):
                self.assertEqual(recorded(name).executed, 0)

    def test_a_test_that_ran_counts(self) -> None:
        self.assertEqual(recorded("right-pytest-quote").executed, 1)
        mixed = "=== 1 failed, 1 error in 0.10s ===\n"
        self.assertEqual(CommandRun("python -m pytest", 1, mixed).executed, 2)

    def test_what_is_not_counted_is_unknown(self) -> None:
        self.assertIsNone(CommandRun("sh tests/a.sh", 1, "no good a\n").executed)
