"""What every command shares: console, signals, numbers, log tails and exit codes."""
