"""Slurm as a launcher: agents, gates and setup are jobs of a cluster, one ``srun`` each.

The exit code of ``srun`` cannot be trusted: it is 0 where a node went down. So each job writes the
code of its command into a file that all machines see; where there is none afterwards, it is unknown
how the command ended, and that is the cluster's fault.
"""

from __future__ import annotations

import math
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from director.model.errors import RequestError, StoppedError
from director.model.launcher_policy import LauncherPolicy, Resources
from director.model.patterns import lazy_pattern
from director.processes.capture import Captured, absolute_path, capture
from director.processes.confinement import Launch
from director.processes.launchers.launcher import Errand, Part, Surroundings
from director.processes.launchers.local import Local
from director.processes.machine import Machine
from director.processes.process_table import MARKER
from director.records.files import make_folder

# Runs what follows where all of its processes end with the first one, if the node lets it.
OUTER = """\
for user in "" "--user --map-current-user"; do
    unshare $user --pid --fork --kill-child true 2>/dev/null &&
        exec unshare $user --pid --fork --kill-child "$@"
done
exec "$@"
"""
# Runs what follows and notes that it began, and its exit code; not that of one that was cancelled:
# Slurm signals a command before the shell that waits for it. It ends with 0: srun would say
# something about any other code in the middle of a log.
INNER = """\
trap 'exit 0' TERM
: >"$0.began"
setsid "$@"
code=$?
[ $code -le 128 ] || sleep 1
echo $code >"$0.new" && mv "$0.new" "$0"
exit 0
"""
TRIAL = """\
test "$(pwd -P)" = "$1" || { echo "a node does not see $1: name a shared folder as root"; exit 1; }
: > written || { echo "a node cannot write $1: name a folder that it can write as root"; exit 1; }
"""
PROGRAMS = ("srun", "scancel", "squeue", "sinfo", "env")
ASK_SECS = 20.0  # for an answer of the controller
END_SECS = 30.0  # for what was cancelled to be over
LATE_SECS = 5.0  # a file from another machine may take so long to be seen (nfs(5), acregmin)
POLL_SECS = 0.1
NO_CLUSTER = "check that `sinfo` works here, then run the command again"
UNUSABLE = lazy_pattern(r"down|drain|fail|maint|resv|reserved|unk|boot|power|\*")


class Slurm(Local):
    """Starts each errand as a job of its own, whose name says which job of director's it is."""

    name = "steps of Slurm"
    per_worktree = True
    trial = TRIAL

    def __init__(
        self, policy: LauncherPolicy, found: Surroundings, late_secs: float = LATE_SECS
    ) -> None:
        self._late_secs = late_secs
        self._asked = {
            Part.AGENT: policy.agent,
            Part.READER: policy.agent,
            Part.GATE: policy.gate,
            Part.SETUP: policy.setup,
        }
        self._prefix = f"director-{found.job_id}-"
        self._folder = found.folder
        self._env = dict(found.env)
        path = absolute_path(found.env)
        if missing := [name for name in PROGRAMS if shutil.which(name, path=path) is None]:
            raise RequestError(
                f'[launcher] kind = "slurm" needs {", ".join(missing)}, not found on PATH',
                "install the client programs of Slurm here, or run director on the head node",
            )
        # director may itself run in a job; what that is about is not for the jobs it starts.
        of_slurm = (name for name in found.env if name.startswith(("SLURM_", "SRUN_")))
        own = (name for name in of_slurm if name != "SLURM_CONF")
        self._set, srun = (str(shutil.which(name, path=path)) for name in ("env", "srun"))
        self._start = [self._set, *(f"--unset={name}" for name in own), srun]

    def launch(self, errand: Errand) -> Launch:
        """Return how an errand is started: here where it is about the user's checkout."""
        asked = self._asked.get(errand.part)
        if asked is None:
            return super().launch(errand)
        make_folder(self._folder)
        name = f"{self._prefix}{os.urandom(6).hex()}"
        note = self._folder / name
        argv = list(errand.argv)
        if errand.confinement:
            argv = [*errand.confinement.words(self._folder), *argv]
        words = [
            *(*self._start, *_options(asked)),
            *("--ntasks=1", "--quiet", "--unbuffered", f"--job-name={name}"),
            *(self._set, f"--unset={MARKER}", f"--chdir={errand.worktree}"),
            *("/bin/sh", "-c", OUTER, "sh", "/bin/sh", "-c", INNER, str(note), *argv),
        ]
        return Launch(words, step=SlurmStep(note, self._env, self._late_secs))

    def sweep(self) -> int:
        """End the jobs that a killed run left; returns how many."""
        left = [number for number, name in self._jobs() if name.startswith(self._prefix)]
        if left:
            _tell(self._env, "scancel", "--signal=KILL", *left)
            _tell(self._env, "scancel", *left)
        for note in self._folder.glob(f"{self._prefix}*"):
            note.unlink()
        return len(left)

    def machine(self) -> Machine:
        """Return how many places there are on nodes where nothing is wrong: for agent or gate."""
        asked = {self._asked[Part.AGENT], self._asked[Part.GATE]}
        return Machine(min(map(self._places, asked)), None, cluster=True)

    def _places(self, asked: Resources) -> int:
        of = [f"--partition={asked.partition}"] if asked.partition else []
        said = _answer(self._env, "sinfo", "--noheader", "--Node", "--format=%N|%T|%C|%m", *of)
        nodes = dict(line.split("|", 1) for line in said.splitlines())  # once per partition
        return sum(_places(node, asked) for node in nodes.values())

    def _jobs(self) -> list[tuple[str, str]]:
        said = _answer(self._env, "squeue", "--me", "--noheader", "--format=%i %j")
        return [(one[0], one[1]) for one in map(str.split, said.splitlines())]


class SlurmStep:
    """One errand on the cluster: the job of the name of ``note``, where it puts its exit code."""

    def __init__(self, note: Path, env: dict[str, str], late_secs: float) -> None:
        self._name = note.name
        self._late_secs = late_secs
        self._note = note
        self._began = note.with_name(f"{note.name}.began")
        self._env = env
        self._seen = False

    def began(self) -> bool:
        """Whether a node has begun with it: until then it waits its turn."""
        self._seen = self._seen or self._exists(self._began)
        return self._seen

    def code(self) -> int | None:
        """Return the exit code that it wrote; None: it wrote none, its end is unknown."""
        deadline = time.monotonic() + self._late_secs
        while not self._exists(self._note):
            if time.monotonic() > deadline:
                return None
            time.sleep(POLL_SECS)
        code = int(self._note.read_text())
        self._forget()
        return code

    def end(self) -> None:
        """Cancel it and wait until nothing of it runs, as far as the controller knows."""
        _tell(self._env, "scancel", "--quiet", "--signal=KILL", f"--name={self._name}")
        _tell(self._env, "scancel", "--quiet", f"--name={self._name}")
        alive = ["squeue", "--noheader", "--states=pending,running", f"--name={self._name}"]
        deadline = time.monotonic() + END_SECS
        while (done := _tell(self._env, *alive)) and done.out and time.monotonic() < deadline:
            time.sleep(POLL_SECS)
        self._forget()

    def _forget(self) -> None:
        for path in self._note.parent.glob(f"{self._name}*"):
            path.unlink(missing_ok=True)

    def _exists(self, path: Path) -> bool:
        """Whether there is a file; its folder is read, which makes a network file system look."""
        with suppress(OSError):
            return path.name in os.listdir(path.parent)  # noqa: PTH208 (only the names)
        return False


def _options(asked: Resources) -> list[str]:
    """Return what ``srun`` is told of what is asked for."""
    options = [f"--cpus-per-task={asked.cpus}"]
    if asked.partition:
        options.append(f"--partition={asked.partition}")
    if asked.mem_mb:
        options.append(f"--mem={asked.mem_mb}M")
    return [*asked.extra, *options]


def _places(node: str, asked: Resources) -> int:
    """Return how often ``asked`` fits on a node, of which sinfo(1) said state, cores and memory.

    Of cores it says how many are allocated/idle/other/total.
    """
    state, cpus, memory_mb = node.split("|")
    if UNUSABLE.search(state.lower()):
        return 0
    allocated, idle, *_ = map(int, cpus.split("/"))
    by_memory = int(memory_mb) // asked.mem_mb if asked.mem_mb else math.inf
    return int(min((allocated + idle) // asked.cpus, by_memory))


def _answer(env: dict[str, str], *words: str) -> str:
    """Return what the cluster answers; StoppedError where it does not."""
    done = _tell(env, *words)
    if done and done.code == 0:
        return done.out.decode(errors="replace")
    said = done.err.decode(errors="replace").strip().splitlines()[-1:] if done else []
    why = said[0] if said else f"`{words[0]}` cannot be started, or does not end"
    raise StoppedError(f"the cluster does not answer: {why}", NO_CLUSTER)


def _tell(env: dict[str, str], *words: str) -> Captured | None:
    """Run a command of Slurm; None where it cannot be started or does not end."""
    with suppress(OSError):
        return capture(words, Path("/"), env, timeout_secs=ASK_SECS, interruptible=False)
    return None
