"""The spec: written by the planner from what the explorer found, criticised, accepted."""

from __future__ import annotations

from functools import partial

from director.model.roles import Agent, Role
from director.planning.asking import Question, ask, criticise
from director.planning.context import Done, Planning
from director.planning.deciding import ask_for_work, steering
from director.planning.prompts import recon_prompt, spec_critique_prompt, spec_prompt
from director.records import files

CRITIQUE = "spec-critique"  # the name of its call


def write_spec(planning: Planning) -> Done:
    """The stage that needs the task, and makes ``recon.md`` and ``spec.md``."""
    directory, stage = planning.job.directory, planning.stage
    if not directory.recon.exists():
        question = Question("recon", recon_prompt(stage.task), Agent.EXPLORER, Role.EXPLORER)
        files.write_text(directory.recon, f"{ask(planning, question).transcript.text}\n")
        planning.forget("recon")
    draft = files.read_text(directory.spec) or ""
    if stage.spec_feedback or stage.wishes or not draft:
        said = steering(planning)
        prompt = spec_prompt(stage.task, planning.recon(), said, stage.spec_feedback, draft)
        reply = ask_for_work(planning, Question("spec", prompt, Agent.BRAINSTORM))
        files.write_text(directory.spec, f"{reply.transcript.text}\n")
    return Done({"spec_feedback": (), "wishes": ""}, partial(planning.forget, "spec"))


def accept_spec(_planning: Planning) -> Done:
    """The approval that needs ``spec.md``: it counts as it is on disk, edits included."""
    return Done()


def critique_spec(planning: Planning) -> Done | None:
    """Have the spec criticised; the problems become feedback for its next version.

    None: the critique was made before.
    """
    if planning.stage.spec_critiqued:
        return None
    stage = planning.stage
    planning.forget("spec")  # also where a killed run did not: it is no answer to the critique
    prompt = spec_critique_prompt(stage.task, planning.spec(), stage.decisions)
    feedback = tuple(problem for _, problem in criticise(planning, CRITIQUE, prompt))
    changes = {"spec_feedback": feedback, "spec_critiqued": True}
    return Done(changes, partial(planning.forget, CRITIQUE), rejected=bool(feedback))
