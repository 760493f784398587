"""One script for each contestant, in the form that its own documentation recommends; see `benchmarks.run`."""
