"""Rows to predict for, as users hand them over: arrays, sparse matrices, tables, lists of texts."""
from __future__ import annotations

import numpy as np

from ._errors import MismatchError


def run(core, method, x, threads, check_finite):
    """Numbers (rows, columns) of a method for ``x``, in whichever of its forms."""
    if hasattr(x, "tocsr"):
        csr = x.tocsr()
        if csr.data.dtype.kind == "c":
            raise _complex()
        values = csr.data if csr.data.dtype in (np.float32, np.float64) else csr.data.astype(np.float64)
        return core.run_sparse(method, values, csr.indices, csr.indptr, csr.shape[1], threads, check_finite)
    takes_texts = any(text for _, text in core.input)
    if _is_table(x):
        if takes_texts or not _is_numeric(x):
            return core.run_table(method, _columns_of(x), threads, check_finite)
        x = _in_order(x, core.column_names)
    elif takes_texts:
        return core.run_table(method, _nameless_columns(x), threads, check_finite)
    return core.run(method, matrix_of(x), threads, check_finite)


def matrix_of(x):
    """A float32 or float64 matrix, without a copy where it is one."""
    rows = np.asarray(x)
    if rows.dtype == np.float32 or rows.dtype == np.float64:
        pass
    elif rows.dtype.kind == "c":
        raise _complex()
    elif rows.dtype.kind in "OSU":
        try:
            rows = rows.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise MismatchError(f"the rows are no numbers: {error}", reason="wrong_type") from None
    else:
        rows = rows.astype(np.float64)
    if not rows.dtype.isnative:
        rows = rows.astype(rows.dtype.newbyteorder("="))
    if rows.ndim != 2:
        raise MismatchError(f"an array of {rows.ndim} dimensions; rows of features, so 2, are expected: reshape(1, -1) "
                            "makes one row of a vector", reason="wrong_shape")
    return rows


def _complex():
    return MismatchError("complex numbers are no features", reason="wrong_type")


def _is_table(x):
    return hasattr(x, "columns") and hasattr(x, "dtypes")


def _is_numeric(table):
    return all(getattr(dtype, "kind", "O") in "fiub" and isinstance(dtype, np.dtype) for dtype in table.dtypes)


def _in_order(table, names):
    """The columns of a table as the model knows them, by name where both have names."""
    if names and all(isinstance(name, str) for name in table.columns):
        present = set(table.columns)
        missing = [name for name in names if name not in present]
        if missing:
            raise MismatchError(f"the table lacks {', '.join(map(repr, missing))}", reason="missing_field")
        if list(table.columns) != list(names):
            table = table[list(names)]
    return table.to_numpy()


def _columns_of(table):
    columns = []
    for position, name in enumerate(table.columns):
        series = table.iloc[:, position]
        columns.append((name if isinstance(name, str) else None, _values_of(series)))
    return columns


def _values_of(series):
    dtype = series.dtype
    if hasattr(series, "cat") and hasattr(dtype, "categories"):
        categories = dtype.categories.tolist()
        if all(isinstance(category, str) for category in categories):
            return np.ascontiguousarray(series.cat.codes, dtype=np.int32), categories
        return _column(series.astype(object).to_numpy())
    if isinstance(dtype, np.dtype):
        return _column(series.to_numpy())
    # An extension type: nullable numbers become floats, texts objects.
    if getattr(dtype, "kind", "O") in "fiub":
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    return _column(series.astype(object).to_numpy())


def _column(values):
    """One column as the core takes it: numbers, or a list of texts in which None is missing."""
    kind = values.dtype.kind
    if kind == "f":
        as_it_is = values.dtype in (np.float32, np.float64) and values.dtype.isnative
        return values if as_it_is else values.astype(np.float64)
    if kind == "b":
        return values
    if kind in "iu":
        return values.astype(np.int64) if kind == "i" or values.dtype.itemsize < 8 else values.astype(np.float64)
    if kind in "SU":
        return values.astype(str).tolist()
    if kind == "O":
        members = [None if _is_missing(value) else value for value in values.tolist()]
        if any(isinstance(value, str) for value in members) or all(value is None for value in members):
            return members
        try:
            return np.array([np.nan if value is None else value for value in members], dtype=np.float64)
        except (TypeError, ValueError):
            return members
    raise MismatchError(f"a column of {values.dtype} is neither numbers nor texts", reason="wrong_type")


def _is_missing(value):
    # NaN and NaT are unequal to themselves; pandas.NA is equal to nothing and has no truth.
    if value is None or type(value).__name__ == "NAType":
        return True
    return isinstance(value, (float, np.generic)) and value != value


def _nameless_columns(x):
    """Columns of a matrix of objects, or one of a list of texts."""
    rows = np.asarray(x, dtype=object)
    if rows.ndim == 1:
        return [(None, _column(rows))]
    if rows.ndim != 2:
        raise MismatchError(f"an array of {rows.ndim} dimensions; rows are expected", reason="wrong_shape")
    return [(None, _column(rows[:, column])) for column in range(rows.shape[1])]
