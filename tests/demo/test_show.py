"""The demo shows a whole job.

With it: the command (``demo``).
"""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from unittest import mock

from director.demo import show
from director.demo.texts import TASK
from director.model.errors import ExitCode, RequestError
from tests.demo.folders import WithFolder


class Children:
    """Stands for the terminal: notes what is run and answers with exit codes."""

    def __init__(self, *codes: int) -> None:
        self.codes = list(codes)
        self.typed: list[list[str]] = []
        self.programs: list[str | None] = []
        self.env: Mapping[str, str] = {}

    def __call__(self, argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> int:
        self.typed.append(list(argv))
        self.programs.append(shutil.which("opencode", path=env["PATH"]))
        self.env = env
        return self.codes.pop(0) if self.codes else 0


class Demo(WithFolder):
    def setUp(self) -> None:
        super().setUp()
        self.said: list[str] = []
        self.env = dict(os.environ)

    def demo(self, children: Children, directory: Path | None, *, real: bool = False) -> int:
        return show.run_demo(directory, real, self.env, self.said.append, children)

    def test_types_plan_run_and_status(self) -> None:
        children = Children()
        self.assertEqual(self.demo(children, self.folder / "d"), 0)
        self.assertEqual([argv[3] for argv in children.typed], ["plan", "run", "status"])
        start = [sys.executable, "-m", "director"]
        repo = ["--repo", str(self.folder / "d")]
        self.assertEqual(
            children.typed[0], [*start, "plan", TASK, "--auto", "--parallel", "2", *repo]
        )
        self.assertEqual(children.typed[1], [*start, "run", "--parallel", "2", *repo])

    def test_says_what_it_types_and_that_models_are_scripted(self) -> None:
        self.demo(Children(), self.folder / "d")
        said = "\n".join(self.said)
        self.assertIn(
            f"$ director plan '{TASK}' --auto --parallel 2 --repo {self.folder / 'd'}", said
        )
        self.assertIn("The models are scripted", said)

    def test_the_stand_in_is_there_for_the_children_alone(self) -> None:
        children = Children()
        self.demo(children, self.folder / "d")
        for program in children.programs:
            self.assertIn("director-stand-in-", str(program))
            self.assertFalse(Path(str(program)).parent.exists())
        self.assertNotIn("director-stand-in-", os.environ["PATH"])

    def test_the_first_failure_is_the_exit_code(self) -> None:
        for codes, expected, typed in (
            ((2,), 2, 1),
            ((0, 1, 3), 1, 3),
            ((0, 0, 3), 3, 3),
            ((0, ExitCode.INTERRUPTED), ExitCode.INTERRUPTED, 2),
        ):
            with self.subTest(codes=codes):
                children = Children(*codes)
                self.assertEqual(self.demo(children, self.folder / str(codes)), expected)
                self.assertEqual(len(children.typed), typed)

    def test_an_empty_folder_will_do(self) -> None:
        self.assertEqual(self.demo(Children(), self.folder), 0)
        self.assertTrue((self.folder / "textkit").is_dir())

    def test_a_folder_in_use_is_refused_and_left_alone(self) -> None:
        (self.folder / "mine").touch()
        for taken in (self.folder, self.folder / "mine"):
            with self.assertRaises(RequestError):
                self.demo(Children(), taken)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["mine"])

    def test_without_a_folder_it_makes_one_and_keeps_it(self) -> None:
        children = Children()
        with mock.patch("tempfile.tempdir", str(self.folder)):
            self.demo(children, None)
        (kept,) = self.folder.iterdir()
        self.assertRegex(kept.name, "^director-demo-")
        self.assertEqual(children.typed[0][-1], str(kept))

    def test_real_needs_opencode_before_it_makes_anything(self) -> None:
        self.env["PATH"] = str(self.folder)
        with self.assertRaises(RequestError):
            self.demo(Children(), self.folder / "d", real=True)
        self.assertFalse((self.folder / "d").exists())

    def test_real_uses_the_one_on_path_and_a_model_on_loopback(self) -> None:
        program = self.folder / "bin" / "opencode"
        program.parent.mkdir()
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        self.env |= {"PATH": f"{program.parent}:{os.environ['PATH']}", "NO_PROXY": "example.com"}
        children = Children()
        self.demo(children, self.folder / "d", real=True)
        self.assertEqual(set(children.programs), {str(program)})
        self.assertEqual(children.env["NO_PROXY"], "example.com,127.0.0.1")
        config = (self.folder / "d/.director/config.toml").read_text()
        self.assertRegex(config, r'base_url = "http://127\.0\.0\.1:\d{4,5}/v1"')
