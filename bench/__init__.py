"""Benchmarks beside irtt, run by hand with scripts/bench. See docs/bench.md."""
