"""What stands in front of agents, gates and setup: on this machine, or on many."""
