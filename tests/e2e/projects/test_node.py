"""Projects for Node.js: dependencies that setup installs, and a build by TypeScript."""

from __future__ import annotations

import json
import os
import shutil
import unittest

from tests.e2e.npm import UnavailableError, installed
from tests.e2e.projects.project import Project, ProjectCase, Work, require
from tests.support.repositories import SampleRepo

TYPESCRIPT = ("typescript@5.8.3", "@types/node@20.9.5")


class TestNpm(ProjectCase):
    def test_dependencies_that_setup_installs(self) -> None:
        require("npm")
        test = (
            'const test = require("node:test");\nconst assert = require("node:assert");\n'
            'const { loud } = require("../loud.js");\n'
            'test("loud", () => assert.strictEqual(loud("word"), "WORD!"));\n'
        )
        work = Work(
            "loud",
            tests={"tests/loud.test.js": test},
            files={
                "loud.js": 'const { upper } = require("upper");\n'
                'exports.loud = (text) => upper(text) + "!";\n'
            },
            test_cmd="npm --silent test -- tests/loud.test.js",
        )
        package = {
            "name": "words",
            "version": "1.0.0",
            "private": True,
            "scripts": {"test": "node --test"},
            "dependencies": {"upper": "file:vendor/upper"},
        }
        locked = {
            "name": "words",
            "version": "1.0.0",
            "lockfileVersion": 3,
            "packages": {
                "": {key: package[key] for key in ("name", "version", "dependencies")},
                "node_modules/upper": {"resolved": "vendor/upper", "link": True},
                "vendor/upper": {"version": "1.0.0"},
            },
        }
        files = {
            "package.json": json.dumps(package, indent=2) + "\n",
            "package-lock.json": json.dumps(locked, indent=2) + "\n",
            "vendor/upper/package.json": json.dumps({"name": "upper", "version": "1.0.0"}) + "\n",
            "vendor/upper/index.js": "exports.upper = (text) => text.toUpperCase();\n",
            ".gitignore": "node_modules/\n",
        }
        config = '[worktree]\nsetup = "npm ci --no-audit --no-fund"\n'
        self.finished(Project(files, [work], config))


def ts_node(name: str) -> Work:
    """Return a node that adds a module; every test is compiled with every other one."""
    test = (
        'import { test } from "node:test";\nimport assert from "node:assert";\n'
        f'import {{ {name} }} from "../src/{name}";\n'
        f'test("{name}", () => assert.strictEqual({name}(), "{name}"));\n'
    )
    code = f'export function {name}(): string {{\n  return "{name}";\n}}\n'
    command = f"npx --no-install tsc -p . && node --test build/tests/{name}.test.js"
    return Work(name, {f"tests/{name}.test.ts": test}, {f"src/{name}.ts": code}, command)


def with_typescript(repo: SampleRepo) -> None:
    """Install TypeScript in the user's checkout, without asking a registry again."""
    try:
        found = installed("typescript", *TYPESCRIPT)
    except UnavailableError as error:
        if os.environ.get("CI") == "true":
            raise
        raise unittest.SkipTest(f"no TypeScript to test with: {error}") from None
    shutil.copytree(found, repo.root / "node_modules", symlinks=True)


class TestTypeScript(ProjectCase):
    def test_two_nodes_that_one_compiler_run_takes_in(self) -> None:
        options = {
            "target": "es2022",
            "module": "commonjs",
            "strict": True,
            "esModuleInterop": True,
            "types": ["node"],
            "rootDir": ".",
            "outDir": "build",
        }
        settings = {"compilerOptions": options, "include": ["src", "tests"]}
        files = {
            "tsconfig.json": json.dumps(settings, indent=2) + "\n",
            "package.json": '{"name": "words", "private": true}\n',
            "src/index.ts": "export const words = true;\n",
            ".gitignore": "node_modules/\nbuild/\n",
        }
        nodes = [ts_node("hello"), ts_node("world")]
        config = '[worktree]\nlink = ["node_modules"]\n'
        self.finished(Project(files, nodes, config, prepared_by=with_typescript))
