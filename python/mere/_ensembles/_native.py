"""Asking the program of an ensemble: what its class computes between validation and links."""
from __future__ import annotations

import numpy as np

from ._shared import rows_of


def run(native, method, x, threads=1):
    """Rows by columns of `method`, float64, of a matrix of float32 or float64 or a CSR matrix, validated before."""
    if isinstance(x, np.ndarray):
        return native.run(method, x, threads, False)
    out = np.empty((x.shape[0], native.method(method)["columns"]))
    for first, block in rows_of(x, x.shape[1]):
        out[first:first + len(block)] = native.run(method, block, threads, False)
    return out


def threads_of(n_jobs):
    """As scikit-learn counts them."""
    if n_jobs is None or n_jobs == 1:
        return 1
    from joblib import effective_n_jobs

    return effective_n_jobs(n_jobs)


def fits(native, method, columns, width):
    """Whether a program has the method, for rows of `columns` numbers, and gives `width` each."""
    if native is None or native.columns != columns:
        return False
    return any(known["name"] == method and known["columns"] == width for known in native.methods())
