"""Evaluation of saved models, statistics of corpora, and their tables in a terminal."""
