"""`.director` is removed while director works: the end is clear, and nothing is left."""

from __future__ import annotations

from tests.faults.cases import FaultCase, good
from tests.support.fake_opencode import shell, write
from tests.support.jobs import node


class TestRemoved(FaultCase):
    confined = False  # it is an agent that removes it

    def setUp(self) -> None:
        super().setUp()
        self.configure("[limits]\nprovider_retries = 0\n")
        self.remove = f"rm -rf {self.home}"

    def ends_clearly(self, *argv: str) -> None:
        said = self.ends(3, *argv, "--json").json
        self.assertEqual(said["error"], f"{self.home} was removed while director was working")
        self.assertIn("on director/job-", said["next"])
        seen = self.repo.git("status", "--porcelain", "--untracked-files=all", ".director")
        # no record can be committed by mistake: there are none, or they are ignored
        self.assertIn(seen, ("", "?? .director/.gitignore"))

    def test_during_a_call(self) -> None:
        self.plan(node("a"))
        self.implement("a", shell(self.remove), *good())
        self.ends_clearly("run")

    def test_during_a_gate_in_several_lanes(self) -> None:
        remove = f"test -e {self.tmp}/on && {self.remove}; exit 1\n"
        self.plan(node("a"), node("b"), tests={"a": remove, "b": remove})
        (self.tmp / "on").touch()
        self.ends_clearly("run", "--parallel", "2")

    def test_during_planning(self) -> None:
        self.script_planning(node("a"))
        self.fake.queue("explorer", shell(self.remove))
        self.ends_clearly("plan", "x")

    def test_while_tests_are_written(self) -> None:
        self.script_planning(node("a"))
        self.fake.queue("test-author", write("tests/a.sh", f"{self.remove}; exit 1\n"))
        self.ends_clearly("plan", "x", "--no-critique")
