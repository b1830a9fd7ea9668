"""What is asked and claimed: pure types and arithmetic, no files written, no processes, no network."""
