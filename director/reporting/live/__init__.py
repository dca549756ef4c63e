"""What is shown while a job runs: one picture of it from its events; a live view, or lines."""
