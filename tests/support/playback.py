"""The program behind the fake ``opencode``: ``main(FOLDER, [arguments of opencode])``.

It imports director only for the one spelling of events, and leaves the environment as it is.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from director.demo.event_writer import EventWriter
from tests.support.fake_records import PREFIX, finish, locked

SOURCE = Path(__file__).resolve().parents[2]
ENDS = ("finish", "fail", "exit_with", "hang")
SHOWN_VARIABLES = ("HOME", "PATH", "PWD", "TMPDIR", "PYTHONPATH")
SHOWN_PREFIXES = ("OPENCODE_", "DIRECTOR_", "GIT_", "XDG_")
PATIENCE_SECS = 60.0


def main(place: str, argv: list[str]) -> int:
    """Record the call in the folder ``place``, play what was queued, and return the exit code."""
    folder = Path(place)
    if argv[:1] == ["serve"]:
        from tests.support.fake_server import serve  # costs more than all the rest

        return serve(folder, playback(folder))
    if argv[:1] != ["run"]:
        print(f"fake opencode: no such command: {argv}", file=sys.stderr)
        return 1
    prompt = sys.stdin.read()
    if "--dir" in argv:
        os.chdir(argv[argv.index("--dir") + 1])
    agent = argv[argv.index("--agent") + 1] if "--agent" in argv else ""
    call = describe(PREFIX.sub("", agent), prompt, argv)
    steps = take(folder, call)
    writer = EventWriter(sys.stdout)
    writer.step_start()
    if steps is None:
        wanted = {name: call[name] for name in ("agent", "node", "heading")}
        message = f"fake opencode: no behaviour is queued for {wanted}"
        writer.error("UnknownError", message)
        print(message, file=sys.stderr)
        return 1
    if not steps or steps[-1]["do"] not in ENDS:
        steps.append(finish())
    code = 0
    for step in steps:
        code = play(step, writer) or code
    return code


def playback(folder: Path) -> list[str]:
    """Return the command that arguments of opencode can follow: as little Python as will do."""
    code = (
        f"import os, sys; sys.path.insert(0, {str(SOURCE)!r}); "
        "from tests.support.playback import main; code = main(sys.argv[1], sys.argv[2:]); "
        "sys.stdout.flush(); sys.stderr.flush(); os._exit(code)"  # tearing down takes its time
    )
    return [sys.executable, "-I", "-S", "-c", code, str(folder)]


def describe(agent: str, prompt: str, argv: list[str]) -> dict[str, Any]:
    """Return the call as ``FakeCall`` holds it."""
    lines = prompt.splitlines()
    nodes = [line.removeprefix("Node: ").strip() for line in lines if line.startswith("Node: ")]
    env = {
        name: value
        for name, value in os.environ.items()
        if name in SHOWN_VARIABLES or name.startswith(SHOWN_PREFIXES)
    }
    return {
        "agent": agent,
        "node": nodes[0] if nodes else None,
        "heading": lines[0][2:].strip() if lines and lines[0].startswith("# ") else None,
        "prompt": prompt,
        "argv": argv,
        "cwd": str(Path.cwd()),
        "env": env,
        "config": json.loads(os.environ.get("OPENCODE_CONFIG_CONTENT", "{}")),
        "rules": json.loads(os.environ.get("FAKE_RULES", "null")),
        "behaviour": None,
    }


def take(folder: Path, call: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Record the call and return the steps that answer it, or None."""
    with locked(folder):
        behaviours = _lines(folder / "behaviours.jsonl")
        played = set(_lines(folder / "played"))
        fitting = [n for n, entry in enumerate(behaviours) if _fits(entry, call)]
        queued = [n for n in fitting if not behaviours[n]["always"] and n not in played]
        defaults = [n for n in fitting if behaviours[n]["always"]]
        chosen = [*queued[:1], *defaults[-1:]][:1]
        call["behaviour"] = chosen[0] if chosen else None
        _append(folder / "calls.jsonl", call)
        if queued:
            _append(folder / "played", queued[0])
    return list(behaviours[chosen[0]]["steps"]) if chosen else None


def play(step: dict[str, Any], writer: EventWriter) -> int:
    """Do one step; returns the exit code it asks for (0: none)."""
    match step["do"]:
        case "write":
            path = Path(step["path"]).absolute()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step["content"])
            given = {"filePath": str(path), "content": step["content"]}
            writer.tool_use("write", given, "Wrote file successfully.")
        case "shell":
            code, output = run(step["command"])
            writer.tool_use("bash", {"command": step["command"]}, output, exit_code=code)
        case "silent_shell":
            run(step["command"])
        case "orphan":
            import subprocess

            silence = subprocess.DEVNULL
            subprocess.Popen(
                [shell_of_tools(), "-c", step["command"]],
                stdin=silence,
                stdout=silence,
                stderr=silence,
                start_new_session=True,
            )
        case "say":
            writer.text(step["text"])
        case "finish":
            writer.step_finish(step["reason"], step["tokens"], step["cost"])
        case "fail":
            writer.error(step["name"], step["message"], step["status_code"])
            return 1
        case "stderr":
            print(step["text"], file=sys.stderr, flush=True)
        case "raw":
            print(step["line"], flush=True)
        case "exit_with":
            sys.exit(step["code"])
        case "kill_server":
            os.kill(os.getppid(), signal.SIGKILL)
        case "hang":
            hang(stubborn=step["stubborn"])
        case "ignore_sigterm":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        case "mark":
            Path(step["path"]).touch()
        case "wait_for":
            wait_for(Path(step["path"]))
    return 0


def shell_of_tools() -> str:
    """Return the shell that the configuration names for the agent's commands."""
    config = json.loads(os.environ.get("OPENCODE_CONFIG_CONTENT", "{}"))
    return str(config.get("shell", "/bin/sh"))


def run(command: str) -> tuple[int, str]:
    """Run a command to its end; what it leaves in the background does not hold it up."""
    import subprocess  # most calls run none
    import tempfile

    with tempfile.TemporaryFile() as output:
        silence = subprocess.DEVNULL
        done = subprocess.run(
            [shell_of_tools(), "-c", command],
            stdin=silence,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        output.seek(0)
        return done.returncode, output.read().decode(errors="replace")


def hang(*, stubborn: bool) -> NoReturn:
    """Wait for a signal, for ever."""
    if stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        signal.pause()


def wait_for(path: Path) -> None:
    """Wait until ``path`` is there; a test that never makes it is told so."""
    deadline = time.monotonic() + PATIENCE_SECS
    while not path.exists():
        if time.monotonic() > deadline:
            sys.exit(f"fake opencode: waited in vain for {path}")
        time.sleep(0.01)


def _fits(entry: dict[str, Any], call: dict[str, Any]) -> bool:
    if entry["node"] is not None:
        lines = [line.strip() for line in call["prompt"].splitlines()]
        if f"Node: {entry['node']}" not in lines:
            return False
    return entry["agent"] == call["agent"] and entry["heading"] in (None, call["heading"])


def _lines(path: Path) -> list[Any]:
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def _append(path: Path, value: object) -> None:
    with path.open("a") as stream:
        stream.write(json.dumps(value) + "\n")
