"""One script per contestant, as its documentation recommends; see `benchmarks.run`."""
