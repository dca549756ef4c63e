"""One module per subcommand: flags, a call, what is printed."""
