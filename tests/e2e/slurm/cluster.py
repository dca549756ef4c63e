"""A Slurm cluster of several nodes on this machine, for as long as a test needs it.

Real daemons (``munged``, ``slurmctld``, one ``slurmd`` per node), with a key, a configuration,
ports and folders of their own: a Slurm that runs here already is neither used nor disturbed.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from getpass import getuser
from pathlib import Path

PROGRAMS = ("srun", "scancel", "sinfo", "squeue", "slurmctld", "slurmd", "munged")
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"  # where daemons are, on no user's PATH
START_SECS = 60.0
STOP_SECS = 20.0
DAEMON = "CLUSTER_DAEMON"  # in the environment of each, its name
CPUS = 4  # of each node, whatever this machine has
MEMORY_MB = 4000
CONFIG = """\
ClusterName=director
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmdSpoolDir={folder}/spool-%n
SlurmctldTimeout=30
SlurmdTimeout=5
KillWait=2
InactiveLimit=0
ReturnToService=2
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0
SlurmdParameters=config_overrides
DefMemPerCPU=100
"""
NODE = """\
NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cpus} RealMemory={mb}
"""
PARTITION = "PartitionName=all Nodes={nodes} Default=YES MaxTime=INFINITE State=UP\n"


def require_cluster() -> None:
    """Skip the test where there is no Slurm (with CI in the environment: fail)."""
    if missing := [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]:
        problem = f"not on this machine: {', '.join(missing)} (Debian: slurm-wlm, munge)"
        if os.environ.get("CI") == "true":
            raise AssertionError(problem)
        raise unittest.SkipTest(problem)


class Cluster:
    """A running cluster. ``env`` is what lets a command find it."""

    def __init__(self, folder: Path, nodes: int) -> None:
        self.folder = folder
        self.nodes = tuple(f"n{number}" for number in range(1, nodes + 1))
        self.env = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf"), "PATH": _path()}
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start all daemons and wait until every node takes work."""
        for name in ("state", *(f"spool-{node}" for node in self.nodes)):
            (self.folder / name).mkdir()
        (self.folder / "slurm.conf").write_text(self._config())
        self._start_munge()
        self._start("slurmctld", "-D", "-i", "-f", self.env["SLURM_CONF"])
        for node in self.nodes:
            self.start_node(node)
        self.wait_until(self.is_idle, "the nodes are not idle")

    def start_node(self, node: str) -> None:
        """Start the daemon of a node."""
        self._start(node, "-D", "-N", node, "-f", self.env["SLURM_CONF"], program="slurmd")

    def kill_node(self, node: str) -> None:
        """Take a node down at once, with all that runs on it, as a loss of power does.

        All stand still before the first one ends: what lost power reports nothing.
        """
        pids = list(self._of_node(node))
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pids:
                with suppress(OSError):
                    os.kill(pid, number)
        self._daemons.pop(node).wait()

    def tell(self, *words: str) -> str:
        """Run a command of Slurm and return what it says; CalledProcessError when it fails."""
        done = subprocess.run(words, env=self.env, check=True, capture_output=True, text=True)
        return done.stdout

    def states(self) -> dict[str, str]:
        """Return node → state (``idle``, ``down``, …; ``*`` at its end: it does not answer)."""
        try:
            said = self.tell("sinfo", "--noheader", "--Node", "--format=%N %T")
        except subprocess.CalledProcessError:
            return {}
        return dict(line.split() for line in said.splitlines())

    @property
    def running(self) -> frozenset[str]:
        """The nodes whose daemon was started and not killed."""
        return frozenset(self.nodes) & self._daemons.keys()

    def is_idle(self) -> bool:
        """Whether every node waits for work."""
        return set(self.states().values()) == {"idle"}

    def jobs(self) -> list[str]:
        """Return the names of the jobs that wait or run."""
        return self.tell("squeue", "--noheader", "--format=%j").split()

    def leftovers(self) -> list[int]:
        """Return processes of jobs on any node, wherever in the tree of processes they are now."""
        return [pid for pid in self._processes() if b"SLURM_JOB_ID=" in _environment(pid)]

    def stop(self) -> None:
        """End all jobs, then all daemons; whatever is left of either is killed."""
        with suppress(subprocess.CalledProcessError, OSError):
            self.tell("scancel", "--user", getuser())
        for daemon in reversed(self._daemons.values()):
            daemon.terminate()
        for daemon in self._daemons.values():
            with suppress(subprocess.TimeoutExpired):
                daemon.wait(STOP_SECS)
        for pid in self._processes():
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        for daemon in self._daemons.values():
            daemon.wait()
        self.wait_until(lambda: not self._processes(), "processes of the cluster are left")

    def wait_until(self, holds: Callable[[], bool], problem: str) -> None:
        """Wait until something ``holds``; AssertionError, with what the daemons said, if never."""
        deadline = time.monotonic() + START_SECS
        while not holds():
            if time.monotonic() > deadline:
                logs = sorted(self.folder.glob("*.out"))
                said = "\n".join(f"{log.name}:\n{log.read_text()[-2000:]}" for log in logs)
                raise AssertionError(f"{problem}\n{self.states()}\n{said}")
            time.sleep(0.02)

    def _config(self) -> str:
        host = socket.gethostname().partition(".")[0]
        first, *ports = _free_ports(1 + len(self.nodes))
        text = CONFIG.format(host=host, port=first, user=getuser(), folder=self.folder)
        for node, port in zip(self.nodes, ports, strict=True):
            text += NODE.format(name=node, host=host, port=port, cpus=CPUS, mb=MEMORY_MB)
        return text + PARTITION.format(nodes=",".join(self.nodes))

    def _start_munge(self) -> None:
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        places = {name: self.folder / f"munge.{name}" for name in ("socket", "log", "pid", "seed")}
        self._start(
            "munged",
            "--foreground",
            "--force",  # the folder is a temporary one, which root alone is not the owner of
            f"--key-file={key}",
            f"--socket={places['socket']}",
            f"--log-file={places['log']}",
            f"--pid-file={places['pid']}",
            f"--seed-file={places['seed']}",
        )
        self.wait_until(places["socket"].is_socket, "munged does not listen")

    def _start(self, name: str, *words: str, program: str = "") -> None:
        with (self.folder / f"{name}.out").open("ab") as out:
            self._daemons[name] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", program or name, *words],
                env={**self.env, DAEMON: name},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def _processes(self) -> list[int]:
        """Return what carries the place of this cluster in its environment: daemons and jobs."""
        needle = f"SLURM_CONF={self.env['SLURM_CONF']}".encode()
        pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
        return [pid for pid in pids if pid != os.getpid() and needle in _environment(pid)]

    def _of_node(self, node: str) -> Iterator[int]:
        """Give the processes of a node: its daemon, what that became, and the steps on it."""
        needles = [f"{name}={node}".encode() for name in (DAEMON, "SLURMD_NODENAME")]
        for pid in self._processes():
            if not {*_environment(pid).split(b"\0")}.isdisjoint(needles):
                yield pid


@contextmanager
def running_cluster(nodes: int = 4) -> Iterator[Cluster]:
    """Give a running cluster; nothing of it is left afterwards."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="slurm-"))
        cluster = Cluster(Path(folder).resolve(), nodes)
        stack.callback(cluster.stop)
        cluster.start()
        yield cluster


def _path() -> str:
    return f"{os.environ.get('PATH', os.defpath)}:{SYSTEM_PATH}"


def _free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on: all are held until all are known."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _environment(pid: int) -> bytes:
    try:
        return (Path("/proc") / str(pid) / "environ").read_bytes()
    except OSError:
        return b""
