"""Tasks: each in one file, with what differs between tasks."""
