"""A stand-in for ``codex``: it notes how it was started and says what was recorded."""

from __future__ import annotations

import json
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = """\
#!{python}
import json, os, sys
call = {{"argv": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd()}}
call["home_exists"] = os.path.isdir(os.environ.get("CODEX_HOME", ""))
call["prompt"] = sys.stdin.read()
for word in sys.argv:
    if word.startswith("model_instructions_file="):
        call["system"] = open(json.loads(word.partition("=")[2])).read()
with open({calls!r}, "a") as stream:
    stream.write(json.dumps(call) + "\\n")
if sys.argv[1] in ("sandbox", "login"):
    sys.exit("bwrap: it does not work" if os.path.exists({broken!r}) else 0)
sys.stdout.write("codex-cli 0.0" if sys.argv[1] == "--version" else open({stream!r}).read())
"""


@dataclass(frozen=True)
class Started:
    """How the program was started; ``system`` is what the file of the system prompt held."""

    argv: list[str]
    env: dict[str, str]
    cwd: str
    prompt: str
    home_exists: bool
    system: str = ""

    @property
    def settings(self) -> dict[str, Any]:
        """What the words after ``-c`` set."""
        words = [self.argv[i + 1] for i, word in enumerate(self.argv) if word == "-c"]
        return tomllib.loads("\n".join(words))


@dataclass(frozen=True)
class FakeCodex:
    """The program in ``folder``, which says what is in the file ``stream``."""

    folder: Path

    def install(self, stream: Path) -> Path:
        """Write the program."""
        self.folder.mkdir(parents=True)
        files = {one: str(self.folder / one) for one in ("calls", "broken")}
        program = self.folder / "codex"
        text = PROGRAM.format(python=sys.executable, stream=str(stream), **files)
        program.write_text(text)
        program.chmod(0o755)
        return program

    def break_sandbox(self) -> None:
        """Have its sandbox, and its login, fail from now on."""
        (self.folder / "broken").touch()

    def started(self) -> list[Started]:
        """Return how it was started so far."""
        calls = self.folder / "calls"
        lines = calls.read_text().splitlines() if calls.exists() else []
        return [Started(**json.loads(line)) for line in lines]
