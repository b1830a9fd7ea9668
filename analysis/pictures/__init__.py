"""Pictures: tables in, figures out; nothing is computed here. Each answers a question, and its title is the answer."""
