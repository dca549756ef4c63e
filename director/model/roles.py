"""The words for who does what: tiers (which model) and agents (which prompt, which tools)."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """The six roles of ``[tiers]``: each is bound to one ``provider/model``."""

    PLANNER = "planner"
    TEST_AUTHOR = "test_author"
    EXECUTOR = "executor"
    EXPLORER = "explorer"
    REVIEWER = "reviewer"
    ESCALATION = "escalation"


class Tier(StrEnum):
    """Who did the work of a node, as receipts and the state say it: a tier's model, or a person."""

    EXECUTOR = Role.EXECUTOR.value
    ESCALATION = Role.ESCALATION.value
    HUMAN = "human"


class Agent(StrEnum):
    """The six agent files; the value is the file's stem."""

    BRAINSTORM = "brainstorm"
    PLANNER = "planner"
    EXPLORER = "explorer"
    TEST_AUTHOR = "test-author"
    EXECUTOR = "executor"
    REVIEWER = "reviewer"


PAIRS = (
    (Agent.EXPLORER, Role.EXPLORER),
    (Agent.BRAINSTORM, Role.PLANNER),
    (Agent.PLANNER, Role.PLANNER),
    (Agent.TEST_AUTHOR, Role.TEST_AUTHOR),
    (Agent.EXECUTOR, Role.EXECUTOR),
    (Agent.EXECUTOR, Role.ESCALATION),
    (Agent.REVIEWER, Role.REVIEWER),
)
"""Which agent is asked on which tier."""
