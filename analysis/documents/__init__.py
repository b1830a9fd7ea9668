"""Documents: findings in, files for people and for machines out. Each says the same, in its own form."""
