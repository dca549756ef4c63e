"""The launcher of this machine: everything is started here, confined by its kernel."""

from __future__ import annotations

from director.processes.confinement import Launch
from director.processes.launchers.launcher import Errand
from director.processes.machine import Machine, measure_machine


class Local:
    """Starts processes of this machine."""

    name = ""
    per_worktree = False
    trial = ""

    def launch(self, errand: Errand) -> Launch:
        """Return how an errand is started. Raises OSError where it cannot be confined."""
        if errand.confinement is None:
            return Launch(list(errand.argv))
        return errand.confinement.launch(errand.argv)

    def sweep(self) -> int:
        """Return 0: what is left on this machine carries a marker, see ``Processes.sweep``."""
        return 0

    def machine(self) -> Machine:
        """Return what this process may use of this machine."""
        return measure_machine()
