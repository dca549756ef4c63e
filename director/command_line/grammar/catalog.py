"""The commands there are, in the groups in which people look for them."""

from __future__ import annotations

GROUPS = {
    "plan and run": {
        "plan": "turn a task into a spec, a DAG of nodes and frozen, red tests",
        "run": "carry out the plan: implement, gate, review, merge",
        "auto": "plan a task without approvals, then run it",
        "stop": "stop a run from another terminal, now or after its current calls",
    },
    "step in": {
        "amend": "change one node of an approved plan: spec, files, tests",
        "take": "get a worktree in which you write a node yourself",
        "give": "gate and merge what you wrote in a worktree of `take`",
        "rebase": "move a job onto a newer base, and gate all of it there",
    },
    "see what happens": {
        "status": "show where every node stands, and what it cost",
        "jobs": "list all jobs: where they stand, what they cost",
        "logs": "show what agents did and gates said, step by step",
        "report": "write a job as one HTML file, or as Markdown",
        "ui": "show a job in the browser while it runs",
        "verify": "check that every merge is what was tested",
    },
    "finish": {
        "land": "land the work on your branch: verified, merged and gated first",
    },
    "set up and clean up": {
        "init": "write the configuration: models, prices, test commands",
        "doctor": "check whether a job could run here, and say what to fix",
        "sync-agents": "install the role agents and a starter configuration",
        "demo": "show a whole job on a sample repository, with scripted models",
        "bench": "run one task under several profiles and compare cost and quality",
        "clean": "remove prepared worktrees, or whole jobs",
    },
    "call it from another agent": {
        "mcp": "serve director's commands as tools, by the Model Context Protocol",
    },
    "help": {
        "help": "show what director can do, or explain one command",
        "completions": "print a shell completion script: commands, flags, nodes and jobs",
    },
}

COMMANDS = {name: summary for group in GROUPS.values() for name, summary in group.items()}
