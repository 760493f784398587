"""Corpora: where examples come from, and nothing else."""
