"""What a run means: from its ledgers to tables, pictures and a verdict. No network, no Locust."""
