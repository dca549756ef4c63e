"""The instant agent: an ``opencode`` in a few lines of shell, the same for all contestants.

It answers as ``opencode run --format json`` does, with events written beforehand, and knows its
node by the mark in the prompt (an argument, or standard input).
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from benchmarks.contestants import PROVIDER, ROLES
from benchmarks.work import Work
from director.demo.event_writer import EventWriter

SCRIPT = """\
#!/bin/sh
root={root}
case $1 in
--version) echo 1.18.33; exit 0 ;;
models) printf '%s\\n' {models}; exit 0 ;;
run) ;;
*) echo "no such command: $1" >&2; exit 1 ;;
esac
text=$*
while [ $# -gt 0 ]; do
    case $1 in
    --agent) agent=${{2#director-}} ;;
    --dir) cd "$2" || exit 1 ;;
    esac
    shift
done
case $text in
*'[[node '*) ;;
*) text=$(cat) ;;
esac
node=${{text#*'[[node '}}
node=${{node%%']]'*}}
case $agent in
planner) exec cat "$root/plan.jsonl" ;;
test-author) cp "$root/tests/test_$node.{suffix}" tests/ ;;
executor)
    {pause}
    echo 'VALUE = 1' >"made_$node.py"
    ;;
esac
exec cat "$root/done.jsonl"
"""
TOKENS = {"input": 1000, "output": 100, "reasoning": 0, "cache": {"read": 0, "write": 0}}


def install_agent(folder: Path, work: Work) -> Path:
    """Make the agent of a job below ``folder``; returns the program."""
    tests = folder / "tests"
    tests.mkdir(parents=True)
    for node in work.nodes:
        (tests / f"test_{node}.{work.suffix}").write_text(work.test_text(node))
    _write_events(folder / "plan.jsonl", json.dumps(work.plan()))
    _write_events(folder / "done.jsonl", "Done.")
    program = folder / "bin" / "opencode"
    program.parent.mkdir()
    pause = f"sleep {work.agent_secs}" if work.agent_secs else ":"
    root = shlex.quote(str(folder))
    models = shlex.join(f"{PROVIDER}/{role}" for role in ROLES)
    script = SCRIPT.format(root=root, suffix=work.suffix, pause=pause, models=models)
    program.write_text(script)
    program.chmod(0o755)
    return program


def _write_events(path: Path, text: str) -> None:
    with path.open("w") as stream:
        events = EventWriter(stream)
        events.step_start()
        events.text(text)
        events.step_finish("stop", TOKENS)
