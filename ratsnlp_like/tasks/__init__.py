"""Tasks: everything that differs between them stands in one file each."""
