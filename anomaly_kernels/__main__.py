"""``python -m anomaly_kernels``: the same as ``anomaly-kernels``."""

import sys

from anomaly_kernels._cli import main

if __name__ == "__main__":
    sys.exit(main())
