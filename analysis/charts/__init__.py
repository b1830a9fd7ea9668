"""Pictures: they draw tables and compute nothing. Each answers a question, and its title is the answer."""
