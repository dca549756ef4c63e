"""Use case: whether a job could run here, and what would stand in its way."""
