"""Checking, from what a job left behind, that what merged is what was tested."""
