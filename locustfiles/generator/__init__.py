"""The load generator: the user, its connection, the shape, the exact budget and the rows that it writes."""
