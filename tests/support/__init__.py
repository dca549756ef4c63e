"""What the tests stand on: a hermetic environment, sample repositories, a scripted OpenCode."""
