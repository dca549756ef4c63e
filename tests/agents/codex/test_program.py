"""The binary behind the script that npm installs: of ``codex.options``."""

from __future__ import annotations

from pathlib import Path

from director.agents.codex.options import native_program
from tests.support.hermetic import HermeticCase

BINARY = "vendor/x86_64-unknown-linux-musl/bin/codex"


class TestNativeProgram(HermeticCase):
    def test_it_is_found_wherever_npm_puts_it(self) -> None:
        script = self._file("modules/@openai/codex/bin/codex.js")
        link = self.tmp / "codex"
        link.symlink_to(script)
        self.assertEqual(native_program(link), link)
        for place in (
            f"modules/@openai/codex-linux-x64/{BINARY}",
            f"modules/@openai/codex/node_modules/@openai/codex-linux-x64/{BINARY}",
            f"modules/@openai/codex/{BINARY}",
        ):
            binary = self._file(place)
            self.assertEqual(native_program(link), binary.resolve())

    def test_a_program_that_is_no_script_is_the_binary(self) -> None:
        binary = self._file("bin/codex")
        self._file(BINARY)
        self.assertEqual(native_program(binary), binary)

    def _file(self, path: str) -> Path:
        found = self.tmp / path
        found.parent.mkdir(parents=True, exist_ok=True)
        found.touch()
        return found
