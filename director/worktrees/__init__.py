"""Worktrees of a job: their pool, what they are given, and the gates that run in them."""
