"""Bringing a job's work onto a branch of the user's, when they ask for it."""
