"""Which names a file may have looked up, before anything of it is made. docs/trust.md has the lists' rules."""
from __future__ import annotations

import functools
import importlib
import os
import pickle
import types

from . import _core
from ._errors import MismatchError, UntrustedError
from ._versions import loss_maker

_MERE_MAGIC = b"\x89MER\r\n\x1a\n"


class UntrustedTypes(list):
    """Full names that ``trusted=`` would have to hold for a file to be loaded, in order.

    ``types``: those of types and functions. ``opaque``: parts that hold code, which also need ``allow_opaque=True``;
    dicts of path, name, file, line, bytes. ``capabilities``: what objects of listed types would do beyond computing;
    dicts of name, word, detail, path.
    """

    def __init__(self, report):
        super().__init__(report["needed"])
        self.types = [row["name"] for row in report["names"] if not row["trusted"]]
        self.opaque = [row for row in report["opaque"] if not row["trusted"]]
        self.capabilities = [row for row in report["capabilities"] if not row["trusted"]]


def get_untrusted_types(file, *, trusted=()):
    """What would have to be trusted to load a file: an UntrustedTypes, empty if nothing. Nothing is imported or run.

    ``file``: a path (.mere, or a foreign file that load() reads), or the bytes of a .mere file.
    """
    trusted = checked_names(trusted)
    if isinstance(file, (bytes, bytearray, memoryview)):
        return UntrustedTypes(_core.audit(_core.Model.from_bytes(file, expand="lazy", verify="manifest"), trusted))
    if not isinstance(file, (str, os.PathLike)):
        raise MismatchError(f"a path or bytes are expected, {type(file).__name__} was given", reason="bad_argument")
    return UntrustedTypes(_core.audit_file(os.fspath(file), trusted))


def checked_names(trusted):
    """``trusted`` as a list. Raises MismatchError."""
    if trusted is True:
        raise MismatchError("trusted=True would make whatever the file names run, and who wrote the file chooses that: "
                            "mere.get_untrusted_types(file) lists the names; pass those that you know",
                            reason="bad_argument")
    if isinstance(trusted, str) or trusted is None or trusted is False:
        trusted = [] if not isinstance(trusted, str) else [trusted]
    names = []
    for name in trusted:
        if isinstance(name, type):
            name = f"{name.__module__}.{name.__qualname__}"
        if not isinstance(name, str):
            raise MismatchError(f"trusted has {name!r}; full names such as 'my.models.Net' are expected",
                                reason="bad_argument")
        names.append(name)
    return names


def admitted_names(report, what, *, allow_opaque=False):
    """The names of an audit that may be looked up. Raises UntrustedError for what nobody has vouched for."""
    if report["needed"]:
        lines = [f"{row['name']} (at {row['path'] or 'the root'})" if row.get("path") is not None else row["name"]
                 for row in report["names"] if not row["trusted"]]
        lines += [f"{row['name'] or row['path']} (code by value)" for row in report["opaque"] if not row["trusted"]]
        lines += [f"{row['name']} ({row['word']}: {row['detail']})" for row in report["capabilities"]
                  if not row["trusted"]]
        shown = "; ".join(lines[:10]) + (f"; and {len(lines) - 10} more" if len(lines) > 10 else "")
        raise UntrustedError(f"{what}: names what nobody has vouched for: {shown}. If you know them and who wrote the "
                             "file, pass trusted=[...] with their full names", reason="forbidden_global",
                             names=report["needed"])
    if report["opaque"] and not allow_opaque:
        names = [row["name"] or row["path"] for row in report["opaque"]]
        raise UntrustedError(f"{what}: holds code by value: {', '.join(names[:10])}. It is run only with "
                             "allow_opaque=True", reason="forbidden_global", names=names)
    return {row["name"] for row in report["names"]}


# What the modules of names have in no release.
_SPELLED = {("types", "NoneType"): type(None), ("types", "EllipsisType"): type(Ellipsis),
            ("types", "NotImplementedType"): type(NotImplemented), ("builtins", "method"): types.MethodType}


@functools.lru_cache(1024)
def _names_in_releases(module, qualname):
    return tuple(_core.names_in_releases(module, qualname))


class Finder:
    """Looks names up that were admitted, under what the installed release calls them; imports no other module."""

    def __init__(self, admitted, what):
        self._admitted = admitted
        self._what = what

    def __call__(self, module, qualname):
        full = f"{module}.{qualname}" if module else qualname
        if full not in self._admitted:
            raise UntrustedError(f"{self._what}: {full} was not among the names when they were looked at",
                                 reason="forbidden_global", names=[full])
        spelled = _SPELLED.get((module, qualname))
        if spelled is not None:
            return spelled
        why = None
        names = _names_in_releases(module, qualname)
        if module == "_loss":  # as compiled code of scikit-learn 1.4 to 1.8 calls its module
            names = (*names, ("sklearn._loss._loss", qualname))
        for module_name, name in names:
            try:
                found = importlib.import_module(module_name)
                for part in name.split("."):
                    found = getattr(found, part)
                return found
            except (ImportError, AttributeError) as error:
                why = why or error
        stand_in = loss_maker(module, qualname)
        if stand_in is not None:
            return stand_in
        raise MismatchError(f"{self._what}: {full} is in none of the installed libraries: {why}",
                            reason="missing_field") from why


def opener(allow_opaque, trusted, what):
    """What makes the code of an opaque part, if that was asked for."""

    def open_part(name, form, data, path):
        if not allow_opaque or name not in trusted:
            raise UntrustedError(f"{what}: {path}: code by value ({name or 'without a name'}) is run only with "
                                 "allow_opaque=True and its name in trusted", reason="forbidden_global",
                                 names=[name or path])
        if form != "cloudpickle":
            raise MismatchError(f"{what}: {path}: code in the form {form!r}", reason="wrong_type")
        return pickle.loads(data)

    return open_part
