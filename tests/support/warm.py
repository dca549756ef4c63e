"""``director`` as a process of its own, without the start of an interpreter.

A Python that has imported director waits for requests and forks for each of them. What runs there
has the arguments, environment, folder and streams that it was given, and nothing of another test.

``python -m tests.support.warm DESCRIPTOR`` is that Python; it ends when its socket is closed.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NoReturn

SOURCE = Path(__file__).resolve().parents[2]
LOCALE = {"LC_ALL": "C.UTF-8"}
DECIDES_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "TZ")  # variables read when a process begins
REQUEST_BYTES = 1 << 20
PIPE_BYTES = 1 << 16


def can_run(env: Mapping[str, str], stdin: str) -> bool:
    """Whether a warm Python does the same as a new one would, with ``stdin`` as its input."""
    decisive = {name: env[name] for name in env if name.startswith(DECIDES_AT_START)}
    possible = hasattr(os, "pidfd_open")  # Linux
    return possible and decisive == LOCALE and len(stdin.encode()) < PIPE_BYTES


def run_warm(
    argv: Sequence[str], env: Mapping[str, str], cwd: Path, stdin: str
) -> subprocess.CompletedProcess[str]:
    """Run ``director`` with the arguments ``argv`` to its end, as ``subprocess.run`` would."""
    given, put = os.pipe()
    os.write(put, stdin.encode())  # it fits: see can_run
    os.close(put)
    (out, out_end), (err, err_end), (code, code_end) = os.pipe(), os.pipe(), os.pipe()
    request = json.dumps({"argv": list(argv), "env": dict(env), "cwd": str(cwd)}).encode()
    ends = [given, out_end, err_end, code_end]
    socket.send_fds(_warm_python(), [request], ends)
    for end in ends:
        os.close(end)
    said: dict[int, str] = {}
    reader = threading.Thread(target=lambda: said.update({err: _all_of(err)}))
    reader.start()
    said[out] = _all_of(out)
    reader.join()
    status = os.waitstatus_to_exitcode(int(_all_of(code)))
    return subprocess.CompletedProcess(argv, status, said[out], said[err])


@cache
def _warm_python() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, REQUEST_BYTES)
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(theirs.fileno())],
        cwd=SOURCE,
        env={**LOCALE, "PATH": os.defpath},
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
    )
    theirs.close()
    atexit.register(process.wait)
    atexit.register(ours.close)  # first: what is registered last is called first
    return ours


def _all_of(descriptor: int) -> str:
    with open(descriptor, encoding="utf-8") as stream:
        return stream.read()


def _serve(requests: socket.socket) -> None:
    """Fork for each request, and tell how each child ended (wait status, in decimal digits)."""
    with selectors.DefaultSelector() as selector:
        selector.register(requests, selectors.EVENT_READ)
        children: dict[int, tuple[int, int]] = {}  # descriptor of a process: its id, whom to tell
        while True:
            for key, _events in selector.select():
                if key.fd in children:
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    pid, tell = children.pop(key.fd)
                    os.write(tell, str(os.waitpid(pid, 0)[1]).encode())
                    os.close(tell)
                    continue
                request, given, _flags, _address = socket.recv_fds(requests, REQUEST_BYTES, 4)
                if not request:
                    return
                pid = os.fork()
                if pid == 0:
                    selector.close()
                    requests.close()
                    for _pid, tell in children.values():
                        os.close(tell)
                    for watched in children:
                        os.close(watched)
                    _become_director(json.loads(request), given)
                for descriptor in given[:3]:
                    os.close(descriptor)
                watched = os.pidfd_open(pid)
                children[watched] = (pid, given[3])
                selector.register(watched, selectors.EVENT_READ)


def _become_director(request: dict[str, object], given: list[int]) -> NoReturn:
    """Do what ``python -m director`` does, and exit without tearing down what is not its own."""
    from director.cli import main

    for number, descriptor in enumerate(given[:3]):
        os.dup2(descriptor, number)
    os.closerange(3, max(given) + 1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(str(request["cwd"]))
    env, argv = request["env"], request["argv"]
    assert isinstance(env, dict) and isinstance(argv, list)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["director", *argv]
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    try:
        code = main()
    except SystemExit as ended:  # of `--help`
        code = int(ended.code or 0)
    threading._shutdown()  # type: ignore[attr-defined]  # as at an end that clears all memory
    atexit._run_exitfuncs()  # they wait for the processes that end by themselves then
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main() -> None:
    """Import all of director, then serve."""
    for path in sorted((SOURCE / "director").rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        if path.name != "__init__.py" and path.name != "__main__.py":
            importlib.import_module(name)
    gc.freeze()  # what is here stays, and is not copied into every child to be searched
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _serve(socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    main()
