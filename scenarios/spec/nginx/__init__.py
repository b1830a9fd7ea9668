"""nginx: its configuration, its log, and how it is told what to do. No other module knows its words."""
