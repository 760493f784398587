"""Reports of runs as one HTML page, which needs no network, no script and no model."""
