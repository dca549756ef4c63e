"""Models without a price: the user is told of them, in one line and once per job."""

from __future__ import annotations

from director.agents.client import unpriced_models
from director.agents.registry import tier_of
from director.model.config import Config
from director.records import files
from director.records.job_directory import JobDirectory

UNPRICED = "unpriced"  # the key in ``told.json``


def unpriced_notice(config: Config, directory: JobDirectory) -> str:
    """Return what is to be said of unpriced models where a ceiling is set, in one line.

    "" where there is none that the job's commands have not named yet; what is returned is on
    record as said.
    """
    unpriced = unpriced_models(config) if config.limits.cost_ceiling_usd else {}
    record = files.read_json(directory.told) or {}
    known = record.get(UNPRICED)
    told = set(map(str, known)) if isinstance(known, list) else set()
    if not set(unpriced) - told:
        return ""
    files.write_json(directory.told, {**record, UNPRICED: sorted(told | set(unpriced))})
    seen: dict[str, list[str]] = {}
    for model, roles in unpriced.items():
        cli = tier_of(model).backend
        reported = cli.promises.reported_cost
        sees = f"counts only what {cli.title} reports" if reported else "cannot count their cost"
        seen.setdefault(sees, []).append(f"{model} ({', '.join(roles)})")
    parts = [f"for {', '.join(named)}: the cost ceiling {sees}" for sees, named in seen.items()]
    return f"no [pricing] {'; '.join(parts)}"
