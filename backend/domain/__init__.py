"""What a LEGO model is, and the rules that it must satisfy."""
