"""A stand-in for ``claude``: it notes how it was started and says what was recorded."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TEXT = '{"type": "text", "text": "Interrupted."}'
PROGRAM = """\
#!{python}
import json, os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # which may come more than once
argv = sys.argv[1:]
if argv == ["--version"]:
    sys.exit(print("2.1.197 (Claude Code)"))
system = argv[argv.index("--system-prompt-file") + 1]
call = {{"argv": argv, "env": dict(os.environ), "cwd": os.getcwd(), "prompt": sys.stdin.read()}}
call["system"] = open(system).read()
call["system_file"] = system
with open({calls!r}, "a") as stream:
    stream.write(json.dumps(call) + "\\n")
with open({stream!r}, "rb") as stream:
    os.write(1, stream.read())
if signal.sigtimedwait([signal.SIGINT], float(open({sleep!r}).read())):
    last = {{"type": "assistant", "message": {{"content": [{text}]}}}}
    os.write(1, json.dumps(last).encode() + b"\\n")
"""


@dataclass(frozen=True)
class Started:
    """How the program was started; ``system`` is what the file of the system prompt held."""

    argv: list[str]
    env: dict[str, str]
    cwd: str
    prompt: str
    system: str
    system_file: str

    def after(self, flag: str) -> str:
        """Return the value of a flag."""
        return self.argv[self.argv.index(flag) + 1]


@dataclass(frozen=True)
class FakeClaude:
    """The program in ``folder``, which says what is in its file ``stream``.

    A SIGINT makes it say "Interrupted." as it ends, as Claude Code has last words then.
    """

    folder: Path

    def install(self, name: str = "claude") -> Path:
        """Write the program; it says nothing yet, and ends at once."""
        self.folder.mkdir(parents=True, exist_ok=True)
        files = {one: str(self.folder / one) for one in ("calls", "stream", "sleep")}
        self.says("")
        program = self.folder / name
        program.write_text(PROGRAM.format(python=sys.executable, text=TEXT, **files))
        program.chmod(0o755)
        return program

    def says(self, text: str, then_secs: float = 0) -> None:
        """Have the next calls write ``text``, and end after so many seconds."""
        (self.folder / "stream").write_text(text)
        (self.folder / "sleep").write_text(str(then_secs))

    def started(self) -> Started:
        """Return how the last call was started."""
        last: dict[str, Any] = json.loads((self.folder / "calls").read_text().splitlines()[-1])
        return Started(**last)
