"""What planning goes through, as people are told: the stages, and what calls bring them on."""

from __future__ import annotations

from director.model.roles import Agent

STAGES = ("explore", "spec", "plan", "tests")
TESTS = STAGES.index("tests")
STAGE_AT = {"spec": 0, "gate_spec": 2, "decompose": 2, "gate_plan": 4, "ready": 4}
"""Stage on record → how many of ``STAGES`` are over."""

AGENT_AT = {Agent.BRAINSTORM: 1, Agent.TEST_AUTHOR: TESTS}
"""Agent → how many of ``STAGES`` are over when it is called."""

ANSWERS = {
    ("spec", Agent.EXPLORER): "explore",
    ("spec", Agent.BRAINSTORM): "spec",
    ("decompose", Agent.PLANNER): "plan",
}
"""Stage on record and agent → what comes of the call; all others criticise."""

CRITIQUE = "critique"
