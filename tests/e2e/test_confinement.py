"""The real OpenCode works confined, with and without a shared server, and forges nothing."""

from __future__ import annotations

import base64

from director.demo.turns import shell
from tests.e2e.models.script import Turn
from tests.e2e.scene import Scene, succeeded
from tests.e2e.scripted_job import DONE, TASK, ScriptedJob, Word, writes
from tests.support.hermetic import ProcessCase
from tests.support.kernel import require_landlock

HELLO = Word("hello")
TRIED = {
    "worktree": "touch new && rm new",
    "cache": "mkdir -p $HOME/.cache/tool",
    "commit": "git commit -qm x --allow-empty",
    "record": "echo x >> {root}/.director/plan.json",
    "checkout": "touch {root}/new",
    "gates": "mkdir ../../gates/new",
    "lane": "mkdir ../slot-7",
    "settings": "git config --global a.b c",
    "plugins": "touch $HOME/.config/opencode/x",
}
POSSIBLE = {"worktree", "cache", "commit"}


class TestConfined(ProcessCase):
    server = "auto"

    def test_a_job(self) -> None:
        require_landlock()
        scene = Scene.open(self.addCleanup, ScriptedJob((HELLO,)), {"README.md": "words\n"})
        scene.configure(f'[opencode]\nserver = "{self.server}"\n')
        script = "; ".join(
            f"if ({command}) >/dev/null 2>&1; then echo {name} yes; else echo {name} no; fi"
            for name, command in TRIED.items()
        ).replace("{root}", str(scene.repo.root))
        hidden = base64.b64encode(script.encode()).decode()  # from OpenCode's own rules
        turns: list[Turn] = [
            shell(f"echo {hidden} | base64 -d | sh"),
            writes({HELLO.file: "hello\n"}),
            DONE,
        ]
        scene.job.instead = {"Implement": turns}
        succeeded(scene.director("plan", TASK, "--no-critique"))
        succeeded(scene.director("run"))
        output = scene.tool_uses("hello.1")[0]["state"]["output"]
        answers = dict(line.split(" ") for line in output.split("\n") if " " in line)
        self.assertEqual(answers, {one: "yes" if one in POSSIBLE else "no" for one in TRIED})
        self.assertEqual(scene.leftovers(), [])


class TestConfinedWithoutServer(TestConfined):
    server = "off"
