"""What OpenCode lists, what is remembered of it, and whom it refuses.

With it: ``agents.backend``.
"""

from __future__ import annotations

from pathlib import Path

from director.agents.backend import WantedModel, wanted_models
from director.agents.opencode.models import Memory, ModelCheck, models_in
from director.agents.opencode.server import models_of
from director.model.config import Config, LocalProvider, Sampling
from director.model.errors import RequestError
from director.model.roles import Role
from director.processes.command import Watch
from director.records.events import Event, Events
from tests.support.hermetic import TemporaryCase


class TestListing(TemporaryCase):
    def test_models_and_nothing_else(self) -> None:
        self.assertEqual(models_in("p/m\np/big/model:free\n\n"), {"p/m", "p/big/model:free"})
        for text in ("", "\n", "Usage: opencode [command]\n", "p/m\nand more\n", '{"p": "m"}'):
            self.assertEqual(models_in(text), set(), text)

    def test_what_a_server_says(self) -> None:
        providers = [{"id": "p", "models": {"m": {}, "big/model": {}}}, {"id": "q", "models": {}}]
        self.assertEqual(set(models_of({"providers": providers})), {"p/m", "p/big/model"})
        nameless = {"providers": [{"models": {"m": {}}}, 2]}
        others: tuple[object, ...] = (None, [], {}, {"providers": 1}, nameless)
        for answer in others:
            self.assertEqual(set(models_of(answer)), set(), answer)


class TestWanted(TemporaryCase):
    def test_all_tiers_but_those_of_which_director_knows_better(self) -> None:
        tiers = {**dict.fromkeys(Role, "p/m"), Role.REVIEWER: "local/x"}
        local = LocalProvider("http://x")
        sampling = {Role.EXECUTOR: Sampling(temperature=0.0), Role.PLANNER: Sampling(top_p=0.9)}
        config = Config(tiers, local=local, sampling=sampling)
        found = {one.place: one for one in wanted_models(config, "cheap")}
        self.assertEqual(len(found), 5)
        self.assertTrue(found["executor of profile cheap"].defined)
        self.assertFalse(found["planner of profile cheap"].defined)
        self.assertIn(WantedModel("local/x", "reviewer"), list(wanted_models(Config(tiers))))


class TestCheck(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        self.program = self.tmp / "opencode"
        self.program.write_text("v1")
        self.anywhere: frozenset[str] = frozenset({"p/m"})
        self.here: frozenset[str] = frozenset({"p/m"})
        self.asked: list[Path | None] = []
        self.heard: list[Event] = []

    def ask(self, worktree: Path | None, _watch: Watch) -> frozenset[str]:
        self.asked.append(worktree)
        return self.here if worktree else self.anywhere

    def check(self, *models: str, settings: str = "", defined: bool = False) -> None:
        """Begin a command that wants these models, and make its first two calls."""
        self.asked.clear()
        memory = Memory(self.tmp / "models.json", str(self.program), {"x": settings})
        wanted = [WantedModel(model, "executor", defined) for model in models]
        check = ModelCheck(wanted, self.ask, memory, Events([self.heard.append]))
        check.begin()
        try:
            check.check(self.tmp)
            check.check(self.tmp)
        finally:
            check.close()

    def test_it_asks_once_and_remembers(self) -> None:
        self.check("p/m")
        self.assertEqual(self.asked, [None])
        self.check("p/m")
        self.assertEqual(self.asked, [])
        self.check("p/m", settings="others")
        self.assertEqual(self.asked, [None])
        self.program.write_text("v2.0")
        self.check("p/m", settings="others")
        self.assertEqual(self.asked, [None])

    def test_what_a_project_adds_is_found_in_its_worktree(self) -> None:
        self.here = frozenset({"p/m", "plugged/in"})
        self.check("plugged/in")
        self.assertEqual(self.asked, [None, self.tmp])
        self.check("plugged/in")
        self.assertEqual(self.asked, [])

    def test_who_is_refused_is_refused_each_time(self) -> None:
        for _ in range(2):
            with self.assertRaisesRegex(
                RequestError, r"know p/mm \(executor; did you mean p/m\?\)"
            ):
                self.check("p/mm")
            self.assertEqual(self.asked, [None, self.tmp])

    def test_no_answer_is_no_reason_to_stop(self) -> None:
        self.anywhere = frozenset()
        self.check("p/mm")
        self.assertFalse((self.tmp / "models.json").exists())
        self.anywhere, self.here = frozenset({"p/m"}), frozenset()
        self.check("p/mm")

    def test_a_memory_that_cannot_be_read_is_none(self) -> None:
        for text in ("{", '{"for": 1, "models": 2}', "[]"):
            (self.tmp / "models.json").write_text(text)
            self.check("p/m")
            self.assertEqual(self.asked, [None])

    def test_a_model_that_the_calls_define_is_doubted_only(self) -> None:
        self.check("p/mm", defined=True)
        self.assertEqual(self.heard, [])  # no model was asked for its sake
        self.check("p/m")
        self.check("p/mm", defined=True)
        self.assertEqual((self.asked, len(self.heard)), ([], 1))
        self.assertIn("did you mean p/m", self.heard[0].data["message"])
