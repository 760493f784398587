"""Measurements, with the commands that repeat them; see README.md."""
