"""What a model file holds, as a table for people."""
from __future__ import annotations

import numpy as np

from . import _core

_MOST_ROWS = 60


class Inspection:
    """``rows`` are (name, what it is, shape or size, bytes); ``facts`` are of the file as a whole."""

    def __init__(self, model):
        info = model.info()
        self.facts = {
            "file": f"{info['name']}, {_size(info['file_bytes'])}",
            "model": _what(model.root)[0],
            "arrays": f"{info['arrays']:,} of {_size(info['array_bytes'])}, "
                      f"codec {', '.join(info['codecs']) or 'none'}",
            "content id": info["content_id"],
            "program": _program_text(model, info),
        }
        versions = model.metadata.get("versions")
        if isinstance(versions, dict) and versions:
            self.facts["versions"] = ", ".join(f"{name} {version}" for name, version in versions.items())
        self.rows, self.left_out = _rows(model.root)

    def __str__(self):
        width = max(map(len, self.facts))
        lines = [f"{name:{width}}  {text}" for name, text in self.facts.items()]
        if self.rows:
            columns = [max(len(row[i]) for row in self.rows) for i in range(4)]
            lines.append("")
            lines += [f"{a:{columns[0]}}  {b:{columns[1]}}  {c:>{columns[2]}}  {d:>{columns[3]}}".rstrip()
                      for a, b, c, d in self.rows]
        if self.left_out:
            lines.append(f"and {self.left_out:,} more")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self):
        import html  # for notebooks alone

        left = "style='text-align:left'"
        facts = "".join(f"<tr><th {left}>{html.escape(name)}</th><td colspan='3' {left}>{html.escape(text)}</td></tr>"
                        for name, text in self.facts.items())
        rows = "".join("<tr>" + "".join(f"<td {left}>{html.escape(cell)}</td>" for cell in row) + "</tr>"
                       for row in self.rows)
        more = f"<tr><td colspan='4'>and {self.left_out:,} more</td></tr>" if self.left_out else ""
        return f"<table>{facts}{rows}{more}</table>"


def _rows(root):
    if not isinstance(root, _core.Node):
        return [], 0
    if root.kind in ("dict", "object"):
        members = [(str(key), root, key) for key in root.keys()]
    elif root.kind in ("list", "tuple"):
        members = [(f"[{index}]", root, index) for index in range(len(root))]
    else:
        return [], 0
    rows = []
    for name, parent, key in members[:_MOST_ROWS]:
        what, size, nbytes = _what(parent[key])
        rows.append((name, what, size, nbytes))
    return rows, max(0, len(members) - _MOST_ROWS)


def _what(value):
    """(what it is, shape or size, bytes) of a value, as texts."""
    if isinstance(value, np.ndarray):
        return f"array {value.dtype}", str(value.shape), _size(value.nbytes)
    if isinstance(value, _core.Node):
        if value.kind == "object":
            return value.type_name, "", ""
        if value.kind == "name":
            return f"type or function {value.type_name}", "", ""
        return value.kind, f"{len(value):,}", ""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "...", "", ""


def _program_text(model, info):
    if not info["has_program"]:
        return "none"
    return ", ".join(model.predictor.methods)


def _size(count):
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.1f} {unit}" if unit != "bytes" else f"{count} bytes"
        count /= 1000
