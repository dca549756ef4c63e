"""A job so small that a scripted model does it in a turn or two, and that can be made to fail."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from director.demo.turns import Call, Say, Use, write
from tests.e2e.models.script import Turn

TASK = "Add a file for each word"
RECON = "## Layout\n\nOne text file for each word."
SPEC = "## Goal\n\nThere is a file for each word, and the word stands in it."
APPROVAL = json.dumps({"verdict": "approve", "problems": []})
PASS = json.dumps({"verdict": "pass", "summary": "Every word is there.", "findings": []})


@dataclass(frozen=True)
class Word:
    """A node: write ``text`` into ``files`` (its first is what the test reads)."""

    id: str
    extra_files: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        return f"{self.id}.txt"

    @property
    def test(self) -> str:
        return f"tests/{self.id}.sh"

    @property
    def test_cmd(self) -> str:
        return f"sh {self.test}"

    @property
    def test_text(self) -> str:
        return f"grep -qx {self.id} {self.file}\n"

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": f"Write {self.id}",
            "spec": f"The file {self.file} holds a line {self.id!r}.",
            "files": [self.file, *self.extra_files],
            "depends_on": list(self.after),
            "test_cmd": self.test_cmd,
            "tests": [self.test],
            "estimated_difficulty": "easy",
        }


@dataclass
class ScriptedJob:
    """The script of all models. ``instead`` maps a request's heading to other turns.

    A key is a heading ("Implement") or a heading and a node ("Implement hello"), which wins.
    """

    words: tuple[Word, ...]
    instead: dict[str, Sequence[Turn]] = field(default_factory=dict)

    def __call__(self, _model: str, prompt: str) -> Sequence[Turn]:
        heading, node = heading_of(prompt), node_of(prompt)
        for key in (f"{heading} {node}", heading):
            if key in self.instead:
                return self.instead[key]
        return self._usual(heading, node)

    def _usual(self, heading: str, node: str) -> Sequence[Turn]:
        word = next((word for word in self.words if word.id == node), Word(node))
        match heading:
            case "Recon":
                return [Say(RECON)]
            case "Spec":
                return [Say(SPEC)]
            case "Plan":
                return [Say(json.dumps({"nodes": [word.to_json() for word in self.words]}))]
            case "Tests":
                return [write(word.test, word.test_text), Say("The tests are red.")]
            case "Implement":
                return [writes(dict.fromkeys((word.file, *word.extra_files), f"{node}\n")), DONE]
            case "Review":
                return [Say(PASS)]
        return [Say(APPROVAL)]


DONE = Say("Done.")


def writes(files: dict[str, str]) -> Use:
    """Return the one turn that writes several files."""
    return Use(tuple(Call("write", {"filePath": p, "content": c}) for p, c in files.items()))


def heading_of(prompt: str) -> str:
    """Return the first line of a prompt, which says what is wanted."""
    return prompt.strip().partition("\n")[0].removeprefix("#").strip()


def node_of(prompt: str) -> str:
    """Return the node that a prompt is about, or ""."""
    lines = [line for line in prompt.splitlines() if line.startswith("Node: ")]
    return lines[0].removeprefix("Node: ").strip() if lines else ""
