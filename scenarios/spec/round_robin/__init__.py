"""The arithmetic of smooth weighted round-robin: healthy, during faults, and after them."""
