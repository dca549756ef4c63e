from __future__ import annotations

import unittest

from director.model.ecosystems.ecosystems import ecosystems
from director.model.ecosystems.gates import gates_of, settings_in


def gates(texts: dict[str, str], *others: str) -> dict[str, str]:
    """Return name → command for a repository of these files."""
    paths = [*texts, *others]
    found = ecosystems(paths, texts)
    assert set(settings_in(paths)) <= set(paths)
    return {one.name: one.command for one in gates_of(found, paths, texts, lambda _: False)}


class TestGates(unittest.TestCase):
    def test_python(self) -> None:
        text = "[project]\nname = 'x'\n[tool.ruff]\n[tool.mypy]\nfiles = ['src']\n"
        found = gates({"pyproject.toml": text}, "tests/test_a.py", "tests/__init__.py")
        self.assertEqual(found["lint"], "ruff check .")
        self.assertEqual(found["typecheck"], "mypy")
        self.assertEqual(found["test"], "python3 -m unittest")

    def test_files_of_their_own(self) -> None:
        found = gates({"setup.cfg": "[flake8]\n[mypy]\n"})
        self.assertEqual(found, {"lint": "flake8", "typecheck": "mypy ."})
        self.assertEqual(gates({"pyrightconfig.json": "{}"}), {"typecheck": "pyright"})

    def test_scripts_of_node(self) -> None:
        package = '{"scripts": {"test": "vitest run", "lint": "eslint .", "type-check": "tsc"}}'
        texts = {"package.json": package, "pnpm-lock.yaml": ""}
        expected = {
            "test": "pnpm test", "lint": "pnpm run lint", "typecheck": "pnpm run type-check",
        }  # fmt: skip
        self.assertEqual(gates(texts), expected)

    def test_scripts_are_run_by_the_same_package_manager_as_the_tests(self) -> None:
        scripts = '"scripts": {"test": "vitest run", "lint": "eslint ."}'
        texts = {
            "package.json": f'{{"packageManager": "pnpm@9.12.3+sha512.abc", {scripts}}}',
            "pnpm-lock.yaml": "",
        }
        pnpm = "npx --yes pnpm@9.12.3"
        self.assertEqual(gates(texts), {"test": f"{pnpm} test", "lint": f"{pnpm} run lint"})

    def test_typescript_without_a_script(self) -> None:
        texts = {"package.json": '{"devDependencies": {"typescript": "5"}}', "tsconfig.json": "{}"}
        self.assertEqual(gates(texts)["typecheck"], "npx --no-install tsc --noEmit")

    def test_go_and_rust(self) -> None:
        self.assertEqual(
            gates({"go.mod": "module x\n"}, "a_test.go"),
            {"test": "go test ./...", "lint": "go vet ./..."},
        )
        found = gates({"Cargo.toml": "[package]\n", "rustfmt.toml": ""}, "tests/a.rs")
        self.assertEqual(found, {"test": "cargo test", "lint": "cargo fmt --check"})

    def test_a_makefile_fills_what_nothing_else_says(self) -> None:
        texts = {"Makefile": "test:\n\ttrue\nlint:\n\ttrue\nmypy := x\n"}
        self.assertEqual(gates(texts), {"test": "make test", "lint": "make lint"})
        texts |= {"ruff.toml": ""}
        self.assertEqual(gates(texts)["lint"], "ruff check .")

    def test_two_projects_have_two_gates(self) -> None:
        texts = {"go.mod": "module x\n", "web/package.json": '{"scripts": {"test": "jest"}}'}
        found = gates(texts, "a_test.go")
        self.assertEqual(found["test"], "go test ./...")
        self.assertEqual(found["test-web"], "cd web && npm test")

    def test_what_cannot_be_read_says_nothing(self) -> None:
        self.assertEqual(gates({"pyproject.toml": "[tool", "package.json": "{"}), {})
