"""Test commands, and what their output shows: decided from texts alone."""
