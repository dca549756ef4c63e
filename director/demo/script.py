"""The scripted models of the sample job: who is asked, and how, decides what is answered."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from director.demo.nodes import ScriptedNode, scripted_nodes
from director.demo.texts import sample_files, text
from director.demo.turns import Say, Turn, read, shell, write
from director.model.codec.encoding import encode

APPROVAL = {"verdict": "approve", "problems": []}
PASS = {"verdict": "pass", "summary": "It does what the spec says.", "findings": []}


def turns(model: str, prompt: str) -> list[Turn]:
    """Return the conversation of ``model`` (without or with its provider) about ``prompt``.

    A request that the sample job does not know gets one sentence.
    """
    heading, _, rest = prompt.strip().partition("\n")
    name = model.rpartition("/")[2]
    answer = _ANSWERS.get(heading.strip().removeprefix("#").strip())
    return answer(name, rest) if answer else [Say("The scripted models know the demo's job only.")]


def _plan(_model: str, _prompt: str) -> list[Turn]:
    nodes = [encode(scripted.node) for scripted in scripted_nodes()]
    for node in nodes:
        del node["test_hashes"]
    return [Say(json.dumps({"nodes": nodes}, indent=2, ensure_ascii=False))]


def _tests(_model: str, prompt: str) -> list[Turn]:
    scripted = _node_of(prompt)
    if scripted is None:
        return [Say("There is no such node.")]
    run = shell(scripted.node.test_cmd, "Runs the node's tests")
    said = "The tests cover every statement of the spec, and fail because the module is missing."
    return [*_writing(scripted.tests), run, Say(said)]


def _implement(model: str, prompt: str) -> list[Turn]:
    scripted = _node_of(prompt)
    if scripted is None:
        return [Say("There is no such node.")]
    number = re.search(r"^Attempt: *([1-9]\d*)", prompt, re.MULTILINE)
    files = scripted.attempt(int(number[1]) if number else 1, escalated=model == "escalation")
    run = shell(scripted.node.test_cmd, "Runs the node's tests")
    said = "Done: the tests pass." if files == scripted.solution else "This should do it."
    return [run, *_writing(files), run, Say(said)]


def _writing(files: Mapping[str, str]) -> list[Turn]:
    """Return the turns that write ``files``; what is there already is read first, as is proper."""
    found: list[Turn] = []
    for path, content in files.items():
        if path in sample_files():
            found.append(read(path))
        found.append(write(path, content))
    return found


def _node_of(prompt: str) -> ScriptedNode | None:
    named = re.search(r"^Node: *(\S+)", prompt, re.MULTILINE)
    found = [scripted for scripted in scripted_nodes() if named and scripted.node.id == named[1]]
    return found[0] if found else None


_ANSWERS: dict[str, Callable[[str, str], list[Turn]]] = {
    "Recon": lambda _model, _prompt: [Say(text("recon.md"))],
    "Spec": lambda _model, _prompt: [Say(text("spec.md"))],
    "Plan": _plan,
    "Tests": _tests,
    "Implement": _implement,
    **dict.fromkeys(
        ("Critique of the spec", "Critique of the plan"),
        lambda _model, _prompt: [Say(json.dumps(APPROVAL))],
    ),
    **dict.fromkeys(("Review", "Compliance"), lambda _model, _prompt: [Say(json.dumps(PASS))]),
}
