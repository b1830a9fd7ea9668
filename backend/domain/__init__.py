"""What a LEGO model is, and the rules it must obey."""
