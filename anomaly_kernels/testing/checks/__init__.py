"""Checks of the contract by kind: each takes a `Case` and raises AssertionError where it breaks a promise."""
