"""Speed, memory and accuracy of the kernels, beside the plain formula and the frameworks' own operations.

    python -m benchmarks [--library NAME ...] [--quick] [--output build/bench]

One process a library. Candidates take turns in it, so that what slows the machine down slows all of them, and what is
reported are ratios of neighbours. Results: a table, `results.json` and `picture.png` in the output folder.
"""
