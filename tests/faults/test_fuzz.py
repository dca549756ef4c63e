"""Random agents on random DAGs: whatever they do, the promises hold.

Each round is made from its seed. ``DIRECTOR_FUZZ=N`` plays N rounds instead of a few;
``DIRECTOR_FUZZ_SEED=S`` begins at another seed; ``DIRECTOR_SOAK=N`` kills director N times.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.fake_opencode import (
    Step,
    answer,
    exit_with,
    fail,
    finish,
    orphan,
    say,
    shell,
    silent_shell,
    write,
)
from tests.support.jobs import SOURCE, JobCase, node
from tests.support.kernel import require_landlock

ROUNDS = int(os.environ.get("DIRECTOR_FUZZ", "4"))
KILLS = int(os.environ.get("DIRECTOR_SOAK", "6"))
KILLS_EACH = 5  # of one job
AGAIN = (2, 3)  # a provider that has no such model, or any other outside reason
FIRST_SEED = int(os.environ.get("DIRECTOR_FUZZ_SEED", "1"))
LEAVES_NOTHING = "rm -rf * .gitignore; true"


def behaviours(name: str) -> list[tuple[Step, ...]]:
    """Return what an executor may do with node ``name``, from honest to hostile."""
    good, bad = write(f"{name}.txt", "good\n"), write(f"{name}.txt", "bad\n")
    return [
        (shell(f"sh tests/{name}.sh"), good),
        (good,),
        (bad,),
        (say("all tests pass"),),
        (good, write("README", "mine now\n")),
        (good, write("stray/deep.txt", "x"), write(f"{name}.tmp", "x")),
        (write(f"tests/{name}.sh", "exit 0\n"),),
        (silent_shell("printf 'exit 0' > tests/*.sh; git commit -qam x; true"), bad),
        (good, silent_shell("git add -A; git commit -qm mine; git checkout -q -b elsewhere; true")),
        (bad, silent_shell(f"git update-index --assume-unchanged {name}.txt README; true")),
        (
            good,
            silent_shell("git for-each-ref --format='delete %(refname)' | git update-ref --stdin"),
        ),
        (
            good,
            silent_shell(
                "git update-ref $(git for-each-ref --format='%(refname)' | head -1) HEAD~1"
            ),
        ),
        (silent_shell(f"ln -sf /etc/passwd {name}.txt"),),
        (silent_shell("rm -rf .git; git init -q; true"), good),
        (silent_shell(LEAVES_NOTHING),),
        (silent_shell(f"rm README; mv tests t; {LEAVES_NOTHING}"), good),
        (good, orphan(f"while true; do echo bad > {name}.txt; sleep 0.02; done")),
        (good, silent_shell("git config core.hooksPath /tmp; git stash -q; true"), good),
        (good, finish("length")),
        (silent_shell("mkdir -p a/b/c && chmod 000 a/b; true"), good),
    ]


def forgeries(name: str, home: Path) -> list[tuple[Step, ...]]:
    """Return how an agent of node ``name`` may try to have bad work believed."""
    bad = write(f"{name}.txt", "bad\n")
    memo = {"base": "HEAD", "start": "HEAD", "feedback": None, "fallback": None, "first_output": ""}
    note = json.dumps({"name": "x", "log": "", "cwd": "", "memo": memo})
    gates = "../../gates/slot-$n/tests/*.sh ../slot-$n/tests/*.sh"
    scripts = (
        f"for n in n0 n1 n2 n3; do echo '{note}' > {home}/calls/$n-executor-1.json; done",
        f"sed -i 's/sh tests/true tests/' {home}/plan.json",
        f"tail -n 1 {home}/tips.jsonl >> {home}/tips.jsonl; rm -f {home}/state.json",
        f"git --git-dir={home}/job.git update-ref refs/heads/x HEAD; rm -r {home}/job.git/objects",
        f"for n in 1 2 3; do echo exit 0 | tee {gates}; done",
        f"sleep 0.3; echo good > {name}.txt; rm {home}/sealed.json",
    )
    return [(silent_shell(f"({script}) 2>/dev/null; true"), bad) for script in scripts]


def faults() -> list[tuple[Step, ...]]:
    """Return what a provider may do."""
    return [
        (fail("APIError", "overloaded", 529),),
        (fail("APIError", "no such model", 404),),
        (exit_with(1),),
        (*(finish("unknown", 0, 0) for _ in range(8)), exit_with(0)),
    ]


class TestFuzz(JobCase):
    def test_random_agents_on_random_dags_break_no_promise(self) -> None:
        for seed in range(FIRST_SEED, FIRST_SEED + ROUNDS):
            with self.subTest(seed=seed):
                self.setUp()
                self.play(random.Random(seed))
                self.doCleanups()

    def test_kills_and_forgeries_change_nothing_of_what_merges(self) -> None:
        require_landlock()
        for seed in range(FIRST_SEED, FIRST_SEED + -(-KILLS // KILLS_EACH)):
            with self.subTest(seed=seed):
                self.setUp()
                self.play(random.Random(1000 + seed), kills=KILLS_EACH)
                self.ends(0, "verify")
                self.doCleanups()

    def play(self, chance: random.Random, kills: int = 0) -> None:
        self.configure("[limits]\nprovider_retries = 0\nmax_attempts = 2\n")
        names = [f"n{number}" for number in range(chance.randint(2, 4))]
        nodes = [
            node(name, depends_on=[d for d in names[:place] if chance.random() < 0.4])
            for place, name in enumerate(names)
        ]
        self.script_planning(*nodes)
        self.ends(0, "plan", "make things", "--no-critique")
        verdict = {"verdict": chance.choice(["pass", "block"]), "summary": "s", "findings": []}
        self.fake.always("reviewer", answer(verdict))
        for name in names:
            for _ in range(chance.randint(0, 4)):
                pool = faults() if chance.random() < 0.15 else behaviours(name)
                if kills and chance.random() < 0.4:
                    pool = forgeries(name, self.home)
                self.fake.queue("executor", *chance.choice(pool), node=name)
            self.fake.always("executor", *chance.choice(behaviours(name)), node=name)
        before = self.repo.fingerprint()
        frozen = {n["id"]: n["test_hashes"] for n in self.stored("plan.json")["nodes"]}
        for _ in range(kills):
            self.kill_a_run(chance)
        for _ in range(8):
            done = self.director("run", "--parallel", str(chance.randint(1, 3)))
            self.check(done.code, names, frozen, before)
            if not kills:
                self.check_money()
            if done.code not in AGAIN:
                break
        self.check_end(done.code, nodes)

    def kill_a_run(self, chance: random.Random) -> None:
        """Kill director somewhere in a run."""
        lanes = str(chance.randint(1, 3))
        process = subprocess.Popen(
            [sys.executable, "-m", "director", "run", "--parallel", lanes],
            cwd=self.repo.root,
            env={**self.env, "PYTHONPATH": str(SOURCE)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.1, 2.5))
        process.kill()
        process.wait()

    def check(
        self, code: int, names: list[str], frozen: dict[str, Any], before: dict[str, str]
    ) -> None:
        """The promises, after any run."""
        self.assertIn(code, (0, 1, *AGAIN))
        self.assertEqual(self.repo.fingerprint(), before, "the user's checkout changed")
        self.assertEqual(self.left_behind(), [], "something was left behind")
        log = self.repo.git(
            "log", "--format=%(trailers:key=Director-Kind,valueonly)", f"main..{self.branch}"
        )
        self.assertEqual(set(log.split()) - {"tests", "merge"}, set(), "a foreign commit")
        for name in names:
            text = self.repo.git("show", f"{self.branch}:tests/{name}.sh") + "\n"
            digest = hashlib.sha256(text.encode()).hexdigest()
            self.assertEqual(digest, frozen[name][f"tests/{name}.sh"], "a frozen test changed")
            state = self.node_state(name)
            merged = self.merged(name)
            self.assertEqual(state["status"] == "done", merged, f"{name}: {state}")
            self.assertIn(state["status"], ("pending", "done", "failed", "blocked"))
            spent = [t for t in state["tries"] if t["outcome"] in ("red", "unchanged")]
            self.assertLessEqual(len(spent), 3)
            self.assertEqual(self.on_branch(f"{name}.txt"), "good" if merged else None)
        self.assertEqual(self.on_branch("README"), "hello")
        allowed = {f"{name}.txt" for name in names} | {f"tests/{name}.sh" for name in names}
        listed = self.repo.git("ls-tree", "-r", "--name-only", self.branch).splitlines()
        self.assertLessEqual(set(listed), allowed | {"README"}, "a stray was merged")

    def check_money(self) -> None:
        """Every call the fake served is in the ledger, once."""
        served = [call for call in self.fake.calls() if call.heading]
        billed = [line["log"] for line in self.lines("costs.jsonl")]
        self.assertEqual(len(billed), len(set(billed)))
        self.assertEqual(len(billed), len(served))

    def merged(self, name: str) -> bool:
        log = self.repo.git(
            "log", "--format=%(trailers:key=Director-Node,valueonly) "
            "%(trailers:key=Director-Kind,valueonly)", f"main..{self.branch}",
        )  # fmt: skip
        pairs = " ".join(log.split()).split(" ")
        return (name, "merge") in set(zip(pairs[::2], pairs[1::2], strict=True))

    def check_end(self, code: int, nodes: list[dict[str, Any]]) -> None:
        """Where a job ends: 0 means all done; a failed node blocks what depends on it."""
        statuses = {one["id"]: self.node_state(one["id"])["status"] for one in nodes}
        if code == 0:
            self.assertEqual(set(statuses.values()), {"done"})
        if code == 1:
            self.assertIn("failed", statuses.values())
            self.assertNotIn("pending", statuses.values())
        for one in nodes:
            if any(statuses[d] in ("failed", "blocked") for d in one["depends_on"]):
                self.assertEqual(statuses[one["id"]], "blocked")
