"""The command line as a language: its commands and flags, help, manual, completions."""
