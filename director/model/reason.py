"""Why a command ended as it did, in a word that programs can rely on."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """What stood in the way, as ``reason`` spells it in events and in ``--json``."""

    AUTH = "auth"
    RATE_LIMIT = "rate_limit"
    MODEL_UNKNOWN = "model_unknown"
    PROVIDER = "provider"
    CEILING = "ceiling"
    INTERRUPTED = "interrupted"
    NODE_FAILED = "node_failed"
    INTEGRATION_RED = "integration_red"
    CONFLICT = "conflict"  # `land`: the branch cannot be merged as it is
    GATE_BROKEN = "gate_broken"
    PLAN_INVALID = "plan_invalid"
    TESTS_REFUSED = "tests_refused"
    DECISION_NEEDED = "decision_needed"
    DISK_FULL = "disk_full"
    LOCKED = "locked"
    LOST = "lost"  # a machine of a cluster failed
    NO_ANSWER = "no_answer"  # a planning role gave none
    NOT_VERIFIED = "not_verified"  # `verify` found something that does not hold
    MOVED = "moved"  # `land`: the branch that work lands on moved meanwhile
    USAGE = "usage"  # the command line
    REQUEST = "request"  # what was asked for cannot be done as it stands
    STOPPED = "stopped"  # any other outside reason
    BUG = "bug"
