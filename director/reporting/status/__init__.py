"""Where a job stands, and one node of it: read from the records, as a screen and as JSON."""
