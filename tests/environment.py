"""The environment of the processes that test: one thread each, and an XLA that compiles fast."""

from __future__ import annotations

# Hundreds of small functions are compiled, each to be run a few times: XLA need not optimise their machine code, nor
# make it by way of MLIR or in parallel parts, which takes half of the time that is left.
_XLA = {"backend_optimization_level": "0", "cpu_use_fusion_emitters": "false", "cpu_parallel_codegen_split_count": "1"}
XLA_FLAGS = " ".join(f"--xla_{name}={value}" for name, value in _XLA.items())

ENVIRONMENT = {
    "JAX_PLATFORMS": "cpu",
    "OMP_NUM_THREADS": "1",  # threads that wait for a core take longest
    "OPENBLAS_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "XLA_FLAGS": XLA_FLAGS,
}
