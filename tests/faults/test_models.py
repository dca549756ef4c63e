"""A wrong model name is the user's to correct: said before anything is paid, and said once."""

from __future__ import annotations

from tests.faults.cases import FaultCase
from tests.support.fake_opencode import Step, fail
from tests.support.jobs import CONFIG, PRICING, node

MODELS = tuple(f"fake/{name}" for name in ("strong", "author", "cheap", "scout", "reader", "big"))
PLAN = ("plan", "make things", "--no-critique")


class ModelsCase(FaultCase):
    def misspell(self, right: str = "fake/cheap", wrong: str = "fake/chaep") -> None:
        """Have the configuration name a model wrongly."""
        path = self.home / "config.toml"
        path.write_text(path.read_text().replace(f'= "{right}"', f'= "{wrong}"'))


class TestBeforeTheFirstCall(ModelsCase):
    def test_a_tier_that_planning_does_not_call_stops_it_before_the_first_call(self) -> None:
        self.fake.lists(*MODELS)
        for role, right in (("executor", "fake/cheap"), ("reviewer", "fake/reader")):
            self.configure()
            self.misspell(right, f"{right}s")
            done = self.ends(2, *PLAN, "--json")
            self.assertIn(f"know {right}s ({role}; did you mean {right}?)", done.json["error"])
            self.assertIn("[tiers]", done.json["next"])
        self.assertEqual(self.fake.calls(), [])

    def test_the_same_plan_goes_on_once_the_name_is_corrected(self) -> None:
        self.fake.lists(*MODELS)
        self.misspell()
        self.ends(2, *PLAN)
        self.configure()
        self.script_planning(node("a"))
        self.ends(0, *PLAN)
        self.assertFalse((self.home / "jobs").exists())

    def test_a_run_whose_configuration_was_changed(self) -> None:
        self.fake.lists(*MODELS)
        self.plan(node("a"))
        self.misspell("fake/big", "flake/big")
        done = self.ends(2, "run", "--json")
        self.assertIn("know flake/big (escalation; did you mean fake/big?)", done.json["what"])
        self.assertEqual(self.executor_calls(), 0)
        self.configure()
        self.is_pending_and_resumable()

    def test_every_profile_of_a_bench_is_looked_at_before_its_first_call(self) -> None:
        self.fake.lists(*MODELS)
        (self.home / "profiles").mkdir()
        for name, text in (("good", CONFIG), ("bad", CONFIG.replace("fake/cheap", "fake/chaep"))):
            (self.home / "profiles" / f"{name}.toml").write_text(text + PRICING)
        done = self.ends(2, "bench", "make things", "--profiles", "good,bad", "--json")
        self.assertIn("(executor of profile bad; did you mean fake/cheap?)", done.json["error"])
        self.assertEqual(self.fake.calls(), [])

    def test_a_provider_that_is_not_there(self) -> None:
        self.fake.lists(*MODELS)
        self.misspell("fake/cheap", "elsewhere/tiny-7b")
        done = self.ends(2, *PLAN, "--json")
        self.assertIn(
            "elsewhere/tiny-7b (executor; no model of elsewhere at all)", done.json["error"]
        )

    def test_models_of_providers_local_need_not_be_listed(self) -> None:
        self.fake.lists(*MODELS)
        self.configure('[providers.local]\nbase_url = "http://127.0.0.1:1/v1"\n')
        self.misspell("fake/cheap", "local/qwen")
        self.plan(node("a"))

    def test_a_model_that_sampling_defines_is_called_with_a_word_of_doubt(self) -> None:
        self.fake.lists(*MODELS)
        self.configure("[sampling.executor]\ntemperature = 0.5\n")
        self.misspell()
        self.script_planning(node("a"))
        done = self.ends(0, *PLAN)
        self.assertIn(
            "from [sampling] only: fake/chaep (executor; did you mean fake/cheap?)", done.err
        )

    def test_in_a_sandbox(self) -> None:
        self.fake.lists(*MODELS)
        self.configure('[sandbox]\ncommand = "env IN_A_BOX=1"\n')
        self.misspell()
        self.assertIn("did you mean fake/cheap?", self.ends(2, *PLAN, "--json").json["error"])
        self.assertEqual(self.fake.calls(), [])

    def test_without_a_listing_everything_goes_on(self) -> None:
        self.misspell()
        self.plan(node("a"))
        for listing in ("", "Here are your models!\nfake/big\n"):
            (self.fake.folder / "models").write_text(listing)
            self.implement("a")
            self.ends(0, "run")
            self.ends(0, "plan", "something else", "--no-critique")

    def test_a_listing_is_remembered_and_vouches_but_never_refuses(self) -> None:
        self.fake.lists(*MODELS)
        self.script_planning(node("a"))
        self.ends(0, *PLAN)
        self.assertEqual(set(self.stored("models.json")["models"]), set(MODELS))
        self.fake.lists("fake/other")
        self.implement("a")
        self.ends(0, "run")  # as it is remembered
        self.script_planning(node("b"))
        self.fake.lists(*MODELS, "fake/new")
        self.misspell("fake/cheap", "fake/new")
        self.ends(0, *PLAN)  # it was not there when OpenCode was asked


class TestInACall(ModelsCase):
    """It could not be known before: OpenCode or the provider says it."""

    def refused(self, step: Step, saying: str) -> None:
        self.implement("a", step)
        done = self.ends(2, "run", "--json")
        self.assertIn(saying, done.json["what"])
        self.assertIn("there is no model fake/cheap (executor)", done.json["what"])
        self.assertIn("[tiers]", done.json["next"])
        self.assertEqual(self.lines("costs.jsonl")[-1]["ok"], False)

    def test_it_is_not_called_again_and_nothing_is_lost(self) -> None:
        self.configure("[limits]\nprovider_retries = 5\n")
        self.plan(node("a"))
        said = "Model not found: fake/cheap. Did you mean: fake/cheep?"
        for name in ("ProviderModelNotFoundError", "UnknownError"):
            self.refused(fail(name, said), "Did you mean: fake/cheep?")
        absent = "The model `cheap` does not exist or you do not have access to it."
        self.refused(fail("APIError", absent, 404), "does not exist")
        self.assertEqual(self.executor_calls(), 3)
        self.is_pending_and_resumable()

    def test_an_address_that_is_not_there_is_an_outside_reason(self) -> None:
        self.plan(node("a"))
        self.implement("a", fail("APIError", "404 page not found", 404))
        self.ends(3, "run")
        self.is_pending_and_resumable()
