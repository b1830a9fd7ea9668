"""The ledgers of a report directory, read as frames and checked."""
