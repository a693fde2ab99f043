"""The benchmark harness: `python -m bench`. What it measures is in `bench.suites`, one module per suite."""
