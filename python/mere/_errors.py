"""The exceptions of mere: one base class, a class for each remedy, and the built-in class that fits beside it."""
from __future__ import annotations

import errno
import os


class Error(Exception):
    """What went wrong with a file, a call or the system.

    ``code`` says what can be done about it (corrupt, unsupported, mismatch, untrusted, limit, not_found, io),
    ``reason`` is a stable word (docs/errors.md has all of them), and the message names the file, the place in it, what
    was found and what was expected.
    """

    code = ""
    reason = ""

    def __init__(self, message="", *, reason=""):
        super().__init__(message)
        self.reason = reason

    def __str__(self):
        # KeyError would print a message in quotes.
        return str(self.args[0]) if self.args else ""

    def __reduce__(self):
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(cls, args, attributes):
    error = cls(*args)
    error.__dict__.update(attributes)
    return error


class CorruptError(Error):
    """The bytes are damaged or hostile: get the file again."""

    code = "corrupt"


class UnsupportedError(Error):
    """The file is sound, but needs another build or a newer version."""

    code = "unsupported"


class MismatchError(Error, ValueError):
    """What was asked for does not fit what is there."""

    code = "mismatch"


class UntrustedError(Error, ValueError):
    """The file names types or functions that nobody has vouched for: ``names``."""

    code = "untrusted"

    def __init__(self, message="", *, reason="", names=()):
        super().__init__(message, reason=reason)
        self.names = list(names)


class LimitError(Error):
    """It would pass a limit, which an option can raise."""

    code = "limit"


class OutOfMemoryError(LimitError, MemoryError):
    """Memory that could not be had."""


class NotFoundError(Error):
    """There is no such file, path, key or field."""

    code = "not_found"


class NoFileError(NotFoundError, FileNotFoundError):
    """There is no such file."""


class NoPathError(NotFoundError, KeyError):
    """The model has no such path, key or index."""


class InputOutputError(Error, OSError):
    """The operating system said no; ``errno`` is its number, where known."""

    code = "io"


_CLASSES = {cls.code: cls for cls in (CorruptError, UnsupportedError, MismatchError, UntrustedError, LimitError,
                                      NotFoundError, InputOutputError)}
_CLASSES_BY_REASON = {"out_of_memory": OutOfMemoryError, "no_file": NoFileError, "no_path": NoPathError}


def error_of(code, reason, message):
    """The exception of a mere::Error."""
    error = _CLASSES_BY_REASON.get(reason, _CLASSES[code])(message, reason=reason)
    if isinstance(error, OSError):
        error.errno = _errno_in(reason, message)
        error.strerror = message
    return error


def _errno_in(reason, message):
    """The number behind a message that ends with the system's own words for it."""
    numbers = [number for number in errno.errorcode if os.strerror(number) in message]
    # The longest text: "No space left on device" is not "No space".
    found = max(numbers, key=lambda number: len(os.strerror(number)), default=None)
    return errno.ENOENT if found is None and reason == "no_file" else found
