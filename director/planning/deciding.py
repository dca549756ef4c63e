"""Where the planner lacks a decision: its questions wait for a person, whose answers are recorded.

It may ask twice; after that it has to decide by what it recommends itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from director.agents.answers import questions_in
from director.agents.calls import Reply
from director.job.stage import PlanStage
from director.model.codec.encoding import encode
from director.model.errors import RequestError, WorkError
from director.model.format import counted
from director.model.questions import (
    AnswerError,
    Question,
    decided,
    given,
    laid_out,
    marked,
)
from director.model.reason import Reason
from director.planning.asking import Question as Request
from director.planning.asking import ask
from director.planning.context import Planning
from director.planning.current_job import CONTINUE
from director.planning.prompts import Steering
from director.records import files
from director.records.events import Kind
from director.records.job_directory import JobDirectory

ROUNDS = 2  # in which a person is asked
MOST_ROUNDS = 4  # with those in which its own recommendation is the answer
ASKING_CALLS = ("spec", "plan-1", "plan-2", "plan-3")
"""The names of the calls whose answer may be questions."""


class DecisionWantedError(Exception):
    """A planner answered with questions."""

    def __init__(self, questions: tuple[Question, ...]) -> None:
        super().__init__(questions[0].question)
        self.questions = questions


class DecisionNeededError(RequestError):
    """No person is there to answer the planner's ``questions``, which lie in a file."""

    def __init__(self, stage: PlanStage, directory: JobDirectory) -> None:
        """``stage`` and ``directory`` are those of the job whose questions wait."""
        named = counted(len(stage.questions), "decision")
        super().__init__(
            f"the planner lacks {named} that only you can make: see {directory.questions}",
            f'answer there, or with `--answer "1: …"`; then `{CONTINUE}`',
            Reason.DECISION_NEEDED,
        )
        self.directory = directory


def ask_for_work(planning: Planning, request: Request) -> Reply:
    """Return the reply to a request of planning; DecisionWantedError where it is questions."""
    reply = ask(planning, request)
    if found := questions_in(reply.transcript.text):
        raise DecisionWantedError(found)
    return reply


def steering(planning: Planning) -> Steering:
    """Return what people said to the planner so far."""
    stage = planning.stage
    return Steering(stage.wishes, stage.decisions, stage.question_rounds >= ROUNDS)


def put_questions(planning: Planning, questions: tuple[Question, ...]) -> None:
    """Record questions, for a person to answer or, after the last round, decided as recommended.

    WorkError when the planner asks on and on. Once this is on disk its calls are settled.
    """
    stage, directory = planning.stage, planning.job.directory
    planning.job.events.emit(
        Kind.QUESTIONS, stage=stage.stage, questions=[one.question for one in questions]
    )
    rounds = stage.question_rounds + 1
    if rounds > MOST_ROUNDS:
        planning.forget(*ASKING_CALLS)
        raise WorkError(
            f"the planner keeps asking instead of answering: {questions[0].question}",
            f"say in the task what it asks for, or `{CONTINUE}` asks it again",
            Reason.DECISION_NEEDED,
        )
    if rounds > ROUNDS:
        _decide(planning, questions, {}, rounds)
        return
    text = laid_out(questions, stage.task, CONTINUE)
    files.write_text(directory.questions, text)
    planning.save(questions=questions, question_rounds=rounds)
    planning.forget(*ASKING_CALLS)


def answer_questions(planning: Planning, answers: Sequence[str]) -> None:
    """Settle the questions that wait: by ``answers``, else the file, else as recommended.

    RequestError for an answer that cannot be understood; nothing is settled then.
    """
    asked = planning.stage.questions
    found = read_answers(planning.job.directory, asked, answers)
    _decide(planning, asked, found, planning.stage.question_rounds)
    files.remove(planning.job.directory.questions)


def refuse_answers(stage: PlanStage | None) -> None:
    """Raise RequestError where no question waits for an answer."""
    if stage is None or not stage.questions:
        raise RequestError(
            "--answer: no question waits for an answer", f"continue with `{CONTINUE}`"
        )


def read_answers(
    directory: JobDirectory, questions: Sequence[Question], answers: Sequence[str] = ()
) -> dict[int, str]:
    """Return number → answer, of ``answers`` and the edited file; RequestError names a mistake."""
    where = "--answer"
    try:
        said = given(answers, questions)
        where = str(directory.questions)
        return marked(files.read_text(directory.questions) or "", questions) | said
    except AnswerError as error:
        raise RequestError(
            f"{where}: {error}", 'correct it; for example: --answer "1: a"', Reason.USAGE
        ) from None


def _decide(
    planning: Planning, questions: Sequence[Question], answers: dict[int, str], rounds: int
) -> None:
    made = decided(questions, answers)
    # First: a call that is still noted would be taken for the answer to what follows.
    planning.forget(*ASKING_CALLS)
    decisions = (*planning.stage.decisions, *made)
    planning.save(questions=(), decisions=decisions, question_rounds=rounds)
    planning.job.events.emit(Kind.DECIDED, decisions=[encode(one) for one in made])
