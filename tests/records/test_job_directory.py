"""Where everything lies, what git sees of it, and how one job makes room for the next."""

import json
import subprocess

from director.model.codec.encoding import encode
from director.model.errors import RequestError
from director.model.plan import Node, Plan
from director.model.state import NodeState, NodeStatus, RunState
from director.records.job_directory import Home, JobDirectory
from tests.support.hermetic import HermeticCase, TemporaryCase
from tests.support.repositories import SampleRepo


def sample_plan(*ids: str, job_id: str = "job-1") -> Plan:
    nodes = [
        Node(i, f"do {i}", "spec", (f"{i}.py",), (), "true", (f"tests/test_{i}.py",)) for i in ids
    ]
    return Plan(job_id, "task", "/repo", "c0ffee", "now", f"director/{job_id}", tuple(nodes))


class TestHome(HermeticCase):
    def test_records_are_invisible_to_git_and_configuration_is_not(self) -> None:
        repo = SampleRepo.create(self.tmp / "repo", self.env)
        home = Home(repo.root / ".director")
        home.prepare()
        job = home.job
        for path in (
            home.config, home.profile("cheap"), home.path / "profiles" / "notes.txt",
            job.plan, job.spec, job.costs, job.logs / "x.log", job.tests / "test_a.py",
            job.repository / "HEAD", home.bench / "x" / "config.toml",
            job.path / "jobs" / "j" / "f",
        ):  # fmt: skip
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        seen = repo.git("status", "--porcelain", "-uall").splitlines()
        self.assertEqual(
            {line[3:] for line in seen},
            {
                ".director/.gitignore",
                ".director/config.toml",
                ".director/profiles/cheap.toml",
            },
        )

    def test_prepare_keeps_a_gitignore_that_is_there(self) -> None:
        home = Home(self.tmp / ".director")
        home.prepare()
        home.gitignore.write_text("mine\n")
        home.prepare()
        self.assertEqual(home.gitignore.read_text(), "mine\n")


class TestPlanAndState(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        self.job = JobDirectory(self.tmp / "job")

    def test_a_plan_comes_back_as_it_was_saved(self) -> None:
        plan = sample_plan("a", "b")
        self.job.save_plan(plan)
        self.assertEqual(self.job.load_plan(), plan)

    def test_no_plan_and_an_invalid_plan_are_told_apart(self) -> None:
        with self.assertRaisesRegex(RequestError, "there is no plan"):
            self.job.load_plan()
        plan = sample_plan("a")
        self.job.save_plan(plan._replace(nodes=(plan.nodes[0]._replace(depends_on=("x",)),)))
        with self.assertRaisesRegex(RequestError, "not a valid plan: .*'x', which is not a node"):
            self.job.load_plan()

    def test_state_is_fresh_where_there_is_none(self) -> None:
        state = self.job.load_state(sample_plan("a", "b"))
        self.assertEqual(state, RunState("job-1", {"a": NodeState(), "b": NodeState()}))

    def test_state_follows_the_plan(self) -> None:
        done = NodeState(status=NodeStatus.DONE, commit="c")
        self.job.state_file.save(RunState("job-1", {"a": done, "gone": done}))
        state = self.job.load_state(sample_plan("a", "new"))
        self.assertEqual(dict(state.nodes), {"a": done, "new": NodeState()})

    def test_state_is_written_as_json_with_a_line_for_each_node(self) -> None:
        states = [
            RunState("jöb", {}),
            RunState("jöb", {"a": NodeState(error='"ö"\n'), "b": NodeState()}),
            RunState("jöb", {"a": NodeState(attempts=2), "b": NodeState()}),
        ]
        writer = self.job.state_file
        for state in states:
            writer.save(state)
            text = self.job.state.read_text(encoding="utf-8")
            self.assertEqual(json.loads(text), encode(state))
            lines = text.splitlines()
            self.assertEqual((lines[0], lines[-1]), ("{", "}"))
            for name in state.nodes:
                self.assertEqual(sum(f'"{name}": {{"status"' in line for line in lines), 1)
        self.assertIn('"jöb"', text)

    def test_the_state_of_another_job_is_refused(self) -> None:
        self.job.state_file.save(RunState("job-0", {}))
        with self.assertRaisesRegex(RequestError, "belongs to job job-0, the plan to job job-1"):
            self.job.load_state(sample_plan("a"))

    def test_a_state_that_is_damaged_is_refused(self) -> None:
        plan = sample_plan("a")
        for text in (
            '{"nodes": {"a": {"status": "odd"}}}',
            '{"nodes": {"a": 5}}',
            '{"nodes": [1]}',
        ):
            self.job.path.mkdir(exist_ok=True)
            self.job.state.write_text(text)
            with self.subTest(text), self.assertRaises(RequestError):
                self.job.load_state(plan)


class TestArchive(HermeticCase):
    def test_the_records_move_and_what_belongs_to_all_jobs_stays(self) -> None:
        home = Home(self.tmp / ".director")
        home.prepare()
        job = home.job
        kept = (home.gitignore, home.config, home.profile("p"), home.bench / "summary", job.lock)
        moved = (job.plan, job.state, job.costs, job.logs / "a.log", job.repository / "HEAD")
        for path in (*kept[1:], *moved):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(path.name)
        target = job.archive("job-1")
        self.assertEqual(target, home.path / "jobs" / "job-1")
        for path in kept:
            self.assertTrue(path.exists(), path)
        for path in moved:
            self.assertFalse(path.exists(), path)
            self.assertEqual((target / path.relative_to(job.path)).read_text(), path.name)
        (job.path / "plan.json").write_text("second")
        job.archive("job-2")
        self.assertEqual((target / "plan.json").read_text(), "plan.json")
        self.assertEqual((home.path / "jobs/job-2/plan.json").read_text(), "second")

    def test_an_archive_that_was_cut_short_can_be_finished(self) -> None:
        job = JobDirectory(self.tmp)
        job.plan.write_text("p")
        job.archive("job-1")
        job.state.write_text("s")
        target = job.archive("job-1")
        names = {path.name for path in target.iterdir()}
        self.assertLessEqual({"plan.json", "state.json"}, names)

    def test_a_job_directory_ignores_nothing_of_git_beyond_itself(self) -> None:
        repo = SampleRepo.create(self.tmp / "repo", self.env)
        Home(repo.root / ".director").prepare()
        repo.write("plan.json", "")
        command = ["git", "check-ignore", "-q", "plan.json"]
        self.assertEqual(subprocess.run(command, cwd=repo.root, env=self.env).returncode, 1)
