"""Records from and to the values that JSON and TOML hold, by their annotations alone."""
