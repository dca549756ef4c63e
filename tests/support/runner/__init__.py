"""Runs the tests in several processes at once: the command ``python3 -m tests``."""
