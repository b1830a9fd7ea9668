"""What faults did to a run, and what was predicted of them."""
