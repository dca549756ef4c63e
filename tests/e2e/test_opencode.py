"""The scenarios of all agents, with the real OpenCode."""

from __future__ import annotations

from tests.e2e import scenarios  # by its module: a base class here would be run as a case
from tests.e2e.driven import DRIVEN_OPENCODE


class TestOpenCode(scenarios.AgentScenarios):
    driven = DRIVEN_OPENCODE
