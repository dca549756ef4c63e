import os

from director.agents.registry import BACKENDS
from director.demo.sample import make_sample
from director.model.config_reader import read_config
from director.model.roles import Role
from director.repositories.git import Git
from director.repositories.repository import open_repository
from tests.demo.folders import WithFolder

BASE_URL = "http://127.0.0.1:9/v1"


class Sample(WithFolder):
    def setUp(self) -> None:
        super().setUp()
        nobody = {"HOME": str(self.folder), "GIT_CONFIG_NOSYSTEM": "1"}
        self.env = {"PATH": os.environ["PATH"], **nobody}
        self.repository = self.folder / "a sample"
        make_sample(self.repository, BASE_URL, self.env)

    def test_is_one_commit_and_clean_where_git_knows_no_user(self) -> None:
        git = Git.at(self.repository, self.env)
        self.assertEqual(git.text("rev-list", "--count", "--all"), "1")
        self.assertEqual(git.text("status", "--porcelain"), "")
        self.assertIn(".director/config.toml", git.text("ls-files"))

    def test_director_can_commit_in_it(self) -> None:
        identity = open_repository(self.repository, self.env).identity()
        self.assertEqual(identity["GIT_AUTHOR_NAME"], "director demo")

    def test_its_configuration_is_whole_and_priced(self) -> None:
        text = (self.repository / ".director/config.toml").read_text()
        config = read_config(text, "config.toml", BACKENDS)
        self.assertEqual(set(config.tiers), set(Role))
        self.assertEqual(set(config.tiers.values()), set(config.pricing))
        self.assertEqual(config.local and config.local.base_url, BASE_URL)
        executor, planner = (config.pricing[f"local/{name}"] for name in ("executor", "planner"))
        self.assertLess(executor.output * 10, planner.output)

    def test_its_gate_is_green(self) -> None:
        command = f"cd '{self.repository}' && python3 -m unittest discover -s tests -t ."
        self.assertEqual(self.shell(command).code, 0)
