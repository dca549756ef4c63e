"""Scripted models on loopback: one script, spoken in the dialect of each agent's provider."""
