"""The rows that the generator writes, how they travel to the master, and their split so far."""
