"""Metrics: pure functions on strings, spans and numbers; those in `METRICS` can be chosen by name."""
