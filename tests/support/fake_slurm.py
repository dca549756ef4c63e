"""A fake Slurm: ``srun``, ``squeue``, ``scancel`` and ``sinfo`` that run everything here.

::

    slurm = FakeSlurm(self.tmp / "slurm")
    env = slurm.install(self.env)
    slurm.lose("tests/a.sh")            # the next job whose command names it
    slurm.hold()                        # jobs wait from now on, until slurm.release()
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

PROGRAM = """\
#!{python} -IS
import os, signal, subprocess, sys, time
from pathlib import Path

state = Path({state!r})
program, words = Path(sys.argv[0]).name, sys.argv[1:]


def jobs():
    for note in sorted(state.glob("job-*")):
        status, name = note.read_text().split(" ", 1)
        yield note, status, name


def is_meant(name, number):
    named = [word.partition("=")[2] for word in words if word.startswith("--name=")]
    numbers = [word for word in words if word.isdecimal()]
    return name in named or number in numbers or not (named or numbers)


if program == "squeue":
    for note, status, name in jobs():
        number = note.name.partition("-")[2]
        if is_meant(name, number):
            print(number, name)
elif program == "scancel":
    with open(state / "cancelled", "a") as log:
        log.write(" ".join(words) + "\\n")
    for note, status, name in jobs():
        if is_meant(name, note.name.partition("-")[2]):
            if status.isdecimal():
                try:
                    os.killpg(int(status), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            note.unlink(missing_ok=True)
elif program == "sinfo":
    print((state / "nodes").read_text(), end="")
else:
    options = []
    while words[0].startswith("--"):
        options.append(words.pop(0))
    name = next(one for one in options if one.startswith("--job-name=")).partition("=")[2]
    with open(state / "asked", "a") as log:
        log.write(" ".join(options) + "\\n")
    note = state / f"job-{{os.getpid()}}"
    note.write_text(f"pending {{name}}")
    while (state / "held").exists():
        time.sleep(0.01)
    lose = state / "lose"
    lost = lose.exists() and lose.read_text() in " ".join(words)
    if lost:
        lose.unlink()
    process = subprocess.Popen(words, start_new_session=True)
    note.write_text(f"{{process.pid}} {{name}}")

    def end(*_):
        os.killpg(process.pid, signal.SIGKILL)
        note.unlink(missing_ok=True)
        raise SystemExit(137)

    signal.signal(signal.SIGTERM, end)
    if lost:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise SystemExit(0)  # as the real one does, and the job stays until it is cancelled
    code = process.wait()
    note.unlink(missing_ok=True)
    raise SystemExit(code if code >= 0 else 128 - code)
"""
NODES = "n1|idle|0/4/0/4|4000\nn2|mixed|2/2/0/4|4000\nn3|down*|0/0/4/4|4000\n"


class FakeSlurm:
    """The programs, and what they note in files in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.nodes(NODES)

    def install(self, env: Mapping[str, str]) -> dict[str, str]:
        """Make the programs and return ``env`` with their folder first on PATH."""
        place = self.folder.with_name(f"{self.folder.name}-bin")
        place.mkdir()
        for name in ("srun", "squeue", "scancel", "sinfo"):
            program = place / name
            program.write_text(PROGRAM.format(python=sys.executable, state=str(self.folder)))
            program.chmod(0o755)
        return {**env, "PATH": f"{place}{os.pathsep}{env.get('PATH', os.defpath)}"}

    def lose(self, words: str) -> None:
        """Lose the next job whose command contains ``words``: its node goes down."""
        (self.folder / "lose").write_text(words)

    def hold(self) -> None:
        """Let jobs wait in the queue from now on."""
        (self.folder / "held").touch()

    def release(self) -> None:
        """Let what waits begin."""
        (self.folder / "held").unlink()

    def nodes(self, said: str) -> None:
        """Say what ``sinfo`` prints."""
        (self.folder / "nodes").write_text(said)

    def asked(self) -> list[str]:
        """Return the options of every ``srun`` so far."""
        return self._lines("asked")

    def cancelled(self) -> list[str]:
        """Return the words of every ``scancel`` so far."""
        return self._lines("cancelled")

    def jobs(self) -> list[str]:
        """Return the names of the jobs that wait or run."""
        notes = sorted(self.folder.glob("job-*"))
        return [note.read_text().partition(" ")[2] for note in notes]

    def add_job(self, name: str) -> None:
        """Put a job into the queue that was not started here."""
        (self.folder / f"job-{2**22 + len(self.jobs())}").write_text(f"pending {name}")

    def _lines(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []
