"""The suites: each module here that has a `SUITE` adds its rows to the run."""
