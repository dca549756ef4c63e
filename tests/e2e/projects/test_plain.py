"""Projects that need nothing prepared: Python, C with make, Go, a monorepo."""

from __future__ import annotations

from tests.e2e.projects.project import Project, ProjectCase, Work, require


def python_node(name: str, folder: str = "", test_cmd: str = "") -> Work:
    """Return a node that adds a module ``name`` with a function of that name."""
    test = (
        f"import unittest\n\nfrom {name} import {name}\n\n\n"
        f"class Test{name.title()}(unittest.TestCase):\n"
        f"    def test_it(self) -> None:\n        self.assertEqual({name}(), {name!r})\n"
    )
    return Work(
        name,
        tests={f"{folder}tests/test_{name}.py": test},
        files={f"{folder}{name}.py": f"def {name}() -> str:\n    return {name!r}\n"},
        test_cmd=test_cmd or f"python3 -m unittest tests.test_{name}",
    )


class TestPythonWithoutDependencies(ProjectCase):
    def test_two_nodes_side_by_side(self) -> None:
        files = {"README.md": "two words\n", "tests/__init__.py": ""}
        self.finished(Project(files, [python_node("hello"), python_node("world")]))


class TestMonorepo(ProjectCase):
    def test_tests_in_a_package_of_their_own(self) -> None:
        files = {
            "README.md": "two packages\n",
            "packages/one/tests/__init__.py": "",
            "packages/two/tests/__init__.py": "",
            "packages/two/two.py": "TWO = 2\n",
        }
        one = python_node(
            "hello", "packages/one/", "cd packages/one && python3 -m unittest tests.test_hello"
        )
        two = python_node(
            "world", "packages/two/", "cd packages/two && python3 -m unittest tests.test_world"
        )
        self.finished(Project(files, [one, two]))


MAKEFILE = """\
CFLAGS = -Wall -Werror -O0

check: build/tests
\t./build/tests

build/tests: $(wildcard src/*.c src/*.h tests/*.c tests/*.h)
\tmkdir -p build
\t$(CC) $(CFLAGS) -Isrc -o $@ $(wildcard src/*.c tests/*.c)
"""
C_MAIN = """\
#include <stdio.h>

extern int (*const checks[])(void);

int main(void)
{
    int number = 0, failed = 0;
    for (int (*const *check)(void) = checks; *check; check++) {
        int ok = (*check)();
        failed += !ok;
        printf("%sok %d\\n", ok ? "" : "not ", ++number);
    }
    printf("1..%d\\n", number);
    return failed != 0;
}
"""
C_CHECKS = """\
#include "square.h"

static int squares(void)
{
    return square(3) == 9;
}

int (*const checks[])(void) = {squares, 0};
"""


class TestCWithMake(ProjectCase):
    def test_a_source_file_and_its_header(self) -> None:
        require("make")
        require("cc")
        work = Work(
            "square",
            tests={"tests/checks.c": C_CHECKS},
            files={
                "src/square.h": "int square(int number);\n",
                "src/square.c": '#include "square.h"\n\nint square(int number)\n{\n'
                "    return number * number;\n}\n",
            },
            test_cmd="make --silent check",
        )
        files = {"Makefile": MAKEFILE, "tests/main.c": C_MAIN, ".gitignore": "build/\n"}
        self.finished(Project(files, [work]))


def go_node(name: str) -> Work:
    """Return a node that adds a function to the one package."""
    title = name.title()
    test = (
        'package words\n\nimport "testing"\n\n'
        f"func Test{title}(t *testing.T) {{\n\tif got := {title}(); got != {name!r} {{\n"
        '\t\tt.Fatalf("got %q", got)\n\t}\n}\n'
    ).replace("'", '"')
    code = f"package words\n\nfunc {title}() string {{\n\treturn {name!r}\n}}\n".replace("'", '"')
    command = f"go test -run '^Test{title}$' ."
    return Work(name, {f"{name}_test.go": test}, {f"{name}.go": code}, command)


class TestGo(ProjectCase):
    def test_two_nodes_in_one_package(self) -> None:
        require("go")
        files = {"go.mod": "module example.com/words\n\ngo 1.18\n", "words.go": "package words\n"}
        self.finished(Project(files, [go_node("hello"), go_node("world")]))
