"""What cannot work is said before anything is paid for: by ``plan``, and by ``run``."""

from __future__ import annotations

from director.model.roles import Role
from tests.faults.cases import FaultCase
from tests.support.jobs import CONFIG, node

MODELS = tuple(f"fake/{name}" for name in ("strong", "author", "cheap", "scout", "reader", "big"))
BROKEN = '[gates]\nlint = "no-such-program ."\n'


class TestGates(FaultCase):
    """One that cannot even start on the base."""

    def test_planning_ends_before_the_first_call(self) -> None:
        self.configure(BROKEN)
        said = self.ends(2, "plan", "make a", "--json").json
        self.assertEqual(said["reason"], "gate_broken")
        self.assertIn("no-such-program", said["what"])
        self.assertIn("--allow-broken-gates", said["next"])
        self.assertEqual(self.fake.calls(), [])

    def test_a_run_ends_before_the_first_call_unless_that_is_allowed(self) -> None:
        self.plan(node("a"))
        calls = len(self.fake.calls())
        self.configure(BROKEN)
        said = self.ends(2, "run", "--json").json
        self.assertEqual(said["reason"], "gate_broken")
        self.assertIn("--allow-broken-gates", said["next"])
        self.assertEqual(len(self.fake.calls()), calls)
        self.implement("a")
        self.ends(0, "run", "--allow-broken-gates")
        self.assertTrue(self.stored("plan_stage.json")["allow_broken_gates"])
        self.ends(0, "run")  # it is remembered


class TestModels(FaultCase):
    """An unknown one, in whichever tier."""

    def misspell(self, role: str) -> None:
        """Have one tier name a model that there is not."""
        model = next(line for line in CONFIG.splitlines() if line.startswith(f"{role} = "))
        self.configure()
        path = self.home / "config.toml"
        path.write_text(path.read_text().replace(model, f'{role} = "fake/no"'))

    def refuses(self, *command: str) -> None:
        """Demand that a command refuses each tier, and makes no call."""
        self.fake.lists(*MODELS)
        calls = len(self.fake.calls())
        for role in Role:
            with self.subTest(role=role):
                self.misspell(role)
                said = self.ends(2, *command, "--json").json
                self.assertEqual(said["reason"], "model_unknown")
                self.assertIn(f"fake/no ({role}", said["what"])
        self.assertEqual(len(self.fake.calls()), calls)

    def test_planning_ends_before_the_first_call(self) -> None:
        self.refuses("plan", "make a")

    def test_a_run_ends_before_the_first_call(self) -> None:
        self.plan(node("a"))
        self.refuses("run")
