"""Speed and memory of the kernels beside the plain formula and what a user would pick instead.

    python -m benchmarks [--quick] [--library NAME ...] [--case NAME ...] [--sizes N ...] [--output FOLDER]
    python -m benchmarks show RESULTS.json
    python -m benchmarks add RESULTS.json LATER.json
    python -m benchmarks compare OLD.json NEW.json [--tolerance 1.2]

One process a library. In it, candidates take turns in random order, so that what slows the machine down slows all of
them, and what is reported are ratios of neighbours. `docs/benchmarks.md` says how to read the tables.
"""
