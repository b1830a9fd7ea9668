"""The measures, computed from the ledgers: a table per module, without judgement."""
