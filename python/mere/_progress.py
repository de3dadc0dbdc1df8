"""A bar for long dumps, on a terminal and after half a second."""
from __future__ import annotations

import contextlib
import sys
import time

_QUIET_S = 0.5
_EVERY_S = 0.1
_WIDTH = 30


@contextlib.contextmanager
def progress_function(progress):
    """What the core calls with done and total bytes, or None."""
    if progress is None or progress is False:
        yield None
        return
    if callable(progress):
        yield progress
        return
    bar = _Bar(sys.stderr)
    try:
        yield bar.update
    finally:
        bar.close()


class _Bar:
    def __init__(self, file):
        self._file = file
        self._start = time.monotonic()
        self._last = 0.0
        self._shown = False

    def update(self, done, total):
        now = time.monotonic()
        if now - self._start < _QUIET_S or now - self._last < _EVERY_S or not self._file.isatty():
            return
        self._last = now
        rate = done / (now - self._start)
        share = done / total if total else 0.0
        left = f", {(total - done) / rate:.0f} s left" if total and rate else ""
        filled = int(share * _WIDTH)
        self._file.write(f"\r{share:4.0%} [{'#' * filled}{' ' * (_WIDTH - filled)}] {done / 1e6:.0f} MB, "
                         f"{rate / 1e6:.0f} MB/s{left}   ")
        self._file.flush()
        self._shown = True

    def close(self):
        if self._shown:
            self._file.write("\r" + " " * (_WIDTH + 50) + "\r")
            self._file.flush()
