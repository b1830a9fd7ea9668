"""What is on disk or between processes: rows, manifest, report directory, records and messages."""
