"""The plan with its tests, as they are laid before whoever approves them."""

from __future__ import annotations

from director.planning.authoring import drop_notes
from director.planning.authors import write_tests
from director.planning.context import Done, Planning
from director.planning.decomposing import PLAN_CALLS, decompose
from director.planning.editing import export_tests, fingerprints
from director.planning.tests_on_branch import recovered


def draft_plan(planning: Planning) -> Done:
    """The stage that needs ``spec.md``, and makes ``plan.json`` and red tests of all nodes.

    They are on the branch, and in the job's ``tests/`` folder to be edited.
    """
    job = planning.job
    if not job.directory.plan.exists():
        planning.save_nodes(decompose(planning))
        planning.forget(*PLAN_CALLS)
    nodes = recovered(job, planning.plan().nodes, planning.stage.authored_from)
    for node in nodes:
        if node.admitted:
            drop_notes(job, node)
    planning.save_nodes(nodes)
    write_tests(planning, [node for node in nodes if not node.admitted])
    plan = planning.plan()
    export_tests(job, plan)
    job.publisher.now()
    return Done({"admitted": fingerprints(plan)})
