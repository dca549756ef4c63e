"""Whoever is interrupted while it starts a process may end another."""

from __future__ import annotations

import threading

from director.processes.capture import Dialogue
from director.processes.children import CHILDREN
from tests.processes.case import ProcessCase


class TestGarbage(ProcessCase):
    def test_a_dialogue_that_is_collected_while_a_process_is_started_ends(self) -> None:
        dialogue = Dialogue(["cat"], self.tmp, self.env)

        def start_one() -> None:
            with CHILDREN.turn:  # the collector runs in whoever holds it
                dialogue.end()

        starting = threading.Thread(target=start_one, daemon=True)
        starting.start()
        starting.join(30)
        self.assertFalse(starting.is_alive())
