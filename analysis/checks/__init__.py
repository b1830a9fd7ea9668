"""What is tested: each module one part of the claim, each check with what was expected and what was observed."""
