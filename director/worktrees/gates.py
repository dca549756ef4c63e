"""Gates: a command in a clean checkout. Its exit code is the verdict."""

import shlex
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from director.model.errors import AGAIN, InterruptedRunError, LostError, StoppedError
from director.model.failure import Failure
from director.model.reason import Reason
from director.model.secrets import NOTHING_SECRET, Redactor
from director.model.slots import scratch_folder, slot_variables
from director.model.testing.excerpt import SHOWN_CHARACTERS, excerpt, shortened
from director.model.testing.headline import headline
from director.model.testing.not_started import NOT_EXECUTABLE, NOT_FOUND, why_not_started
from director.model.testing.useful_end import useful_end
from director.processes.command import Command, Ended, Ending
from director.processes.launchers.launcher import Part
from director.processes.sandbox import Sandbox
from director.processes.supervisor import Processes
from director.records.files import make_folder, redact_file, text_of
from director.records.logs import new_log, recorded
from director.repositories.git import without_git_variables
from director.repositories.repository import OWN_FOLDER
from director.worktrees.preserved_metadata import preserved_metadata

UNCONFINED = Sandbox()
KEPT_BYTES = 4 * 1024 * 1024  # of the beginning of a log, and of its end
HELD_BYTES = 256 * 1024  # of a log that is read once; what is longer is read where it is needed


class Verdict(StrEnum):
    """What a gate says."""

    GREEN = "green"
    RED = "red"
    BROKEN = "broken"


class GateResult(NamedTuple):
    """One run of a gate. ``code`` None: it was ended. ``log`` holds its output.

    Of more than twice KEPT_BYTES the middle is left out; ``left_out`` says how many bytes. No
    secret is in it. ``tests_run``: how many tests it shows (None: not known, or not asked).
    ``no_test_ran``: it ended with 0 and is red all the same, for want of evidence that tests ran.
    ``folder`` is where it ran ("": not known). ``hint`` is that part of ``reason`` which says what
    the sandbox may have to do with it. ``said`` is what the log holds (None: it is to be read).
    """

    command: str
    verdict: Verdict
    code: int | None
    wall_secs: float
    reason: str
    log: Path
    left_out: int = 0
    tests_run: int | None = None
    no_test_ran: bool = False
    folder: str = ""
    hint: str = ""
    said: str | None = None

    @property
    def output(self) -> str:
        """What is shown of the output: the headline of a failure first; not all when it is long."""
        shown = shortened if self.code == 0 else excerpt
        return shown(self.whole_output, left_out=self.left_out)

    @property
    def headline(self) -> str:
        """The line of the output to quote where the command failed ("": there is none)."""
        return "" if self.code == 0 else headline(self.whole_output).text

    @property
    def failure(self) -> str:
        """The reason and the headline, as one part of a sentence."""
        said = self.headline
        return f"{self.reason}: {said}" if said else self.reason

    @property
    def recorded_log(self) -> str:
        """The log, as records name it."""
        return recorded(self.log)

    def why(self, kind: str = "", candidate: str = "") -> Failure:
        """Return why it is not green, as an attempt's outcome or (``kind`` "") as its verdict.

        A command that was ended, or ended with 0, is quoted by the reason: its output may say
        anything.
        """
        kind = kind or ("no_test_ran" if self.no_test_ran else self.verdict.value)
        not_started = self.code in (NOT_EXECUTABLE, NOT_FOUND)
        ended = self.verdict is Verdict.BROKEN and not not_started
        return Failure(
            kind,
            self.command,
            exit_code=None if ended else self.code,
            headline=("" if ended else self.headline) or self.reason,
            excerpt=useful_end(self.whole_output, self.folder),
            log=self.recorded_log,
            candidate=candidate,
            hint=self.hint,
        )

    @property
    def whole_output(self) -> str:
        """All of the output that its log holds."""
        return text_of(self.log.read_bytes()) if self.said is None else self.said


class Gates(NamedTuple):
    """Runs gate commands through ``/bin/sh``, each within ``timeout_secs``; logs go to ``logs``.

    They see ``env`` but for variables that redirect git, and the variables of their slot.
    """

    processes: Processes
    env: Mapping[str, str]
    logs: Path
    timeout_secs: float
    sandbox: Sandbox = UNCONFINED
    redactor: Redactor = NOTHING_SECRET

    def within(self, secs: float) -> "Gates":
        """Return gates with a timeout of at most ``secs``."""
        return self._replace(timeout_secs=min(secs, self.timeout_secs))

    def run_in_checkout(
        self, command: str, checkout: Path, worktree: Path, name: str
    ) -> GateResult | None:
        """Run ``command`` in the user's checkout, which is afterwards what it was.

        None where nothing guarantees that: then it does not run. ``worktree`` lends the folder for
        temporary files.
        """
        if not self.sandbox.keeps_contents:
            return None
        with preserved_metadata(checkout, OWN_FOLDER.rstrip("/")):
            return self._run(command, worktree, name, Part.CHECKOUT, checkout)

    def run(self, command: str, worktree: Path, name: str, part: Part = Part.GATE) -> GateResult:
        """Run ``command`` in ``worktree``; InterruptedRunError when the run was cancelled.

        ``name`` makes the name of its log. Raises StoppedError where not even a shell
        can be started, and LostError where it is not known how it ended.
        """
        return self._run(command, worktree, name, part, worktree)

    def _run(self, command: str, worktree: Path, name: str, part: Part, folder: Path) -> GateResult:
        log = new_log(self.logs, name)
        env = without_git_variables(self.env)
        temporary = self.sandbox.variables(part, worktree, env)
        if part is Part.CHECKOUT:
            temporary = {**temporary, **_caches_elsewhere(worktree, env)}
        launch = self.sandbox.launch(part, ["/bin/sh", "-c", command], worktree)
        ended = self.processes.run(
            Command(
                argv=launch.argv,
                cwd=folder,
                env={**env, **slot_variables(worktree), **temporary},
                stdout=log,
                timeout_secs=self.timeout_secs,
                bind=launch.bind,
                keep_bytes=KEPT_BYTES,
                step=launch.step,
            )
        )
        content = redact_file(log, self.redactor)
        said = text_of(content) if len(content) <= HELD_BYTES else None
        if ended.ending is Ending.CANCELLED:
            raise InterruptedRunError(self.processes.cancellation.signal_number or 2)
        if ended.ending is Ending.NOT_STARTED:  # a shell, or the sandbox: never the work's fault
            raise StoppedError(
                f"a gate cannot be started: {ended.reason}",
                "correct what is named, then run the command again",
                Reason.GATE_BROKEN,
            )
        if ended.ending is Ending.LOST:
            raise LostError(f"a {part} is lost: {ended.reason}", f"see {log}; {AGAIN}")
        verdict, reason = _judge(ended, content)
        result = GateResult(
            command, verdict, ended.code, ended.wall_secs, reason, log, ended.left_out,
            folder=str(folder), said=said,
        )  # fmt: skip
        return result if verdict is Verdict.GREEN else self._explained(result, part, worktree)

    def _explained(self, result: GateResult, part: Part, worktree: Path) -> GateResult:
        """Return a result that was not green with what the sandbox may have to do with it."""
        output = result.output
        if unread := self.sandbox.unread(part, worktree, output):
            hint = (
                f"it may not read {unread}, which is outside the worktree; see `read` of [sandbox]"
            )
        elif denied := self.sandbox.denied(part, worktree, output):
            hint = f"it may not write {denied}; see `write` of [sandbox]"
        else:
            return result
        return result._replace(reason=f"{result.reason}; {hint}", hint=hint)


def _caches_elsewhere(worktree: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that keep the caches of test runners out of a read-only checkout.

    pytest warns of a cache that it cannot write, and ends with that where warnings are errors.
    """
    scratch = scratch_folder(worktree)
    make_folder(scratch)
    place = shlex.quote(f"cache_dir={scratch / 'pytest_cache'}")
    return {"PYTEST_ADDOPTS": f"{env.get('PYTEST_ADDOPTS', '')} -o {place}".strip()}


def _judge(ended: Ended, said: bytes) -> tuple[Verdict, str]:
    # Broken, not red: a command that did not run to its end says nothing about the work.
    if ended.ending is not Ending.EXITED:
        return Verdict.BROKEN, ended.reason
    if ended.code == 0:
        return Verdict.GREEN, "exit code 0"
    if why := why_not_started(ended.code or 0, text_of(said[-SHOWN_CHARACTERS:])):
        return Verdict.BROKEN, f"exit code {ended.code}: {why}"
    return Verdict.RED, f"exit code {ended.code}"
