"""The contract that every kernel keeps, as a library: for these kernels, and for anyone's own loss."""
