"""Files of every kind that people bring: each is read, inspected and trained on for two steps."""
