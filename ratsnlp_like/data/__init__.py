"""From a corpus to batches: reading and encoding through a cache, splits, batches, the data module."""
