"""A package in which all tests are compiled together, as in Go, Java, Rust or TypeScript."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.support.fake_opencode import Step, say, shell, write
from tests.support.jobs import JobCase, node

# Every name that a test in the package uses must be defined in there, whichever test is to run.
COMPILER = """\
for test in pkg/*_test.sh; do
  for name in $(sed -n 's/^# uses //p' "$test"); do
    grep -qs "^$name()" pkg/*.lib.sh || { echo "$test: undefined: $name"; exit 2; }
  done
done
for lib in pkg/*.lib.sh; do if [ -e "$lib" ]; then . "./$lib"; fi; done
for name; do . "./pkg/${name}_test.sh"; done
"""


def unit(name: str, *, depends_on: Sequence[str] = (), **changes: Any) -> dict[str, Any]:
    """Return a node that defines the function ``name`` in the package."""
    standard = {
        "files": [f"pkg/{name}.lib.sh"],
        "test_cmd": f"sh build.sh {name}",
        "tests": [f"pkg/{name}_test.sh"],
    }
    return node(name, depends_on=depends_on, **{**standard, **changes})


def unit_test(*names: str) -> str:
    """Return a test file that wants "good" of the functions ``names``."""
    return "".join(
        f'# uses {name}\n[ "$({name})" = good ] || {{ echo "bad {name}"; exit 1; }}\n'
        for name in names
    )


class CompileUnitCase(JobCase):
    """A repository with such a package, and agents that do the right work."""

    def setUp(self) -> None:
        super().setUp()
        self.repo.write("build.sh", COMPILER)
        self.repo.write("pkg/README", "all of it is compiled together\n")
        self.repo.commit("a package")

    def plan_units(self, *nodes: dict[str, Any]) -> None:
        """Make a ready plan of nodes made by ``unit``."""
        self.script_units(*nodes)
        self.ends(0, "plan", "make things", "--no-critique")

    def script_units(self, *nodes: dict[str, Any]) -> None:
        """Let the planning roles answer so that ``nodes`` become the plan."""
        self.script_planning(*nodes)
        for one in nodes:
            steps = [write(path, unit_test(one["id"])) for path in one["tests"]]
            self.fake.always("test-author", *steps, say("written"), node=one["id"])

    def unit_work(self, name: str, says: str = "good") -> tuple[Step, ...]:
        """Return the steps of an executor that looks around and defines its function."""
        return (
            shell(f"ls pkg > {self.tmp}/seen-by-{name}; sh build.sh {name}"),
            write(f"pkg/{name}.lib.sh", f"{name}() {{ echo {says}; }}\n"),
            say("done"),
        )

    def work_on(self, *names: str) -> None:
        """Queue the right work for each of the nodes."""
        for name in names:
            self.implement(name, *self.unit_work(name))

    def seen_by(self, name: str) -> set[str]:
        """Return the tests that the executor of a node found in the package."""
        found = (self.tmp / f"seen-by-{name}").read_text().split()
        return {one.removesuffix("_test.sh") for one in found if one.endswith("_test.sh")}

    def receipt(self, name: str) -> dict[str, Any]:
        """Return a node's receipt."""
        (line,) = [one for one in self.lines("receipts.jsonl") if one["node"] == name]
        return line
