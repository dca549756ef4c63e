"""One job whose roles belong to three coding agents: one plans, one types, one reviews."""

from __future__ import annotations

from tests.e2e.driven import DRIVEN_OPENCODE, Driven, Server, with_program
from tests.e2e.programs import require
from tests.e2e.scene import Scene, prices, succeeded, tiers_of
from tests.e2e.scripted_job import TASK, ScriptedJob, Word, heading_of
from tests.e2e.test_claude_code import DRIVEN as DRIVEN_CLAUDE_CODE
from tests.e2e.test_codex import DRIVEN_CODEX
from tests.support.hermetic import ProcessCase

PLANS, TYPES, REVIEWS = DRIVEN_CLAUDE_CODE, DRIVEN_CODEX, DRIVEN_OPENCODE
TIERS = {
    "planner": f"{PLANS.prefix}planner",
    "explorer": f"{PLANS.prefix}explorer",
    "test_author": f"{TYPES.prefix}test-author",
    "executor": f"{TYPES.prefix}executor",
    "escalation": f"{TYPES.prefix}escalation",
    "reviewer": f"{REVIEWS.prefix}reviewer",
}


class TestMixed(ProcessCase):
    def test_each_call_goes_to_the_agent_of_its_tier(self) -> None:
        scene = Scene.open(
            self.addCleanup,
            ScriptedJob((Word("hello", ("more/hello.txt",)),)),
            {"README.md": "words\n"},
            driven=REVIEWS,
        )
        served = {one.prefix: self._join(scene, one) for one in (PLANS, TYPES)}
        sections = [one.config(served[one.prefix]) for one in (PLANS, TYPES)]
        review = "[review]\nstage_two_file_threshold = 1\n"
        scene.configure(
            "\n".join((tiers_of("", **TIERS), prices(*TIERS.values()), review, *sections))
        )
        before = scene.repo.fingerprint()
        succeeded(scene.director("plan", TASK, "--auto", "--no-critique"))
        succeeded(scene.director("run"))
        status = succeeded(scene.director("status", "--json")).json
        self.assertEqual(status["nodes"]["hello"]["status"], "done")
        self.assertIs(succeeded(scene.director("verify", "--json")).json["ok"], True)
        asked = {prefix: _headings(server) for prefix, server in served.items()}
        self.assertEqual(asked[PLANS.prefix], {"Recon", "Spec", "Plan"})
        self.assertEqual(asked[TYPES.prefix], {"Tests", "Implement"})
        self.assertEqual(_headings(scene.server), {"Review"})
        calls = scene.lines("costs.jsonl")
        self.assertEqual({one["model"] for one in calls}, {*TIERS.values()} - {TIERS["escalation"]})
        self.assertTrue(all(one["ok"] and one["cost"] > 0 for one in calls), calls)
        self.assertAlmostEqual(status["cost_total"], sum(one["cost"] for one in calls))
        self.assertEqual(scene.repo.fingerprint(), before)
        shared = {f"{scene.env['TMPDIR']}/{one.temporary}" for one in (PLANS, TYPES, REVIEWS)}
        self.assertEqual(set(scene.leftovers()) - shared, set())

    def _join(self, scene: Scene, driven: Driven) -> Server:
        """Have another agent, with a server of its own, play the same job."""
        server = driven.serve(scene.job)
        server.__enter__()
        self.addCleanup(server.__exit__, None, None, None)
        scene.env |= with_program(require(driven.program), scene.env)
        scene.env |= driven.env(server, scene.repo.root.parent)
        return server


def _headings(server: Server) -> set[str]:
    return {heading_of(one.prompt) for one in server.requests}
