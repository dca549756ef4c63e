"""Processes: started, watched, confined and ended; what the machine has."""
