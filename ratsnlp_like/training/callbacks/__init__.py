"""Lightning callbacks of a run: checkpoints, progress, throughput."""
