"""joblib.Memory with results in .mere files: what is cached is mapped, and shared by every worker that asks for it."""
from __future__ import annotations

import os

from ._errors import Error

_MAGIC = b"\x89MER\r\n\x1a\n"


def register_joblib_store():
    """Makes ``joblib.Memory(location, backend="mere")`` known to joblib.

    Results that mere can write are written as .mere files, and load as arrays and estimators over the map;
    ``mmap_mode`` is that of mere.load ("r" unless Memory was given another). Results of types that are on no list, and
    what mere cannot write, are stored as joblib does. ``backend_options={"trusted": [...]}`` names further types.
    """
    from joblib import register_store_backend

    register_store_backend("mere", _backend_class())


def _backend_class():
    from joblib._store_backends import FileSystemStoreBackend

    class MereStoreBackend(FileSystemStoreBackend):
        # The file of a result keeps joblib's name for it, so that its housekeeping finds it: files tell what they are
        # by their bytes.
        def configure(self, location, verbose=1, backend_options=None):
            options = dict(backend_options or {})
            self._trusted = list(options.pop("trusted", ()))
            super().configure(location, verbose=verbose, backend_options=options)

        def _file_of(self, path):
            return os.path.join(self.location, *path, "output.pkl")

        def load_item(self, path, *args, **kwargs):
            from ._load import load

            filename = self._file_of(path)
            try:
                with open(filename, "rb") as file:
                    is_mere = file.read(len(_MAGIC)) == _MAGIC
            except OSError:
                is_mere = False
            if not is_mere:
                return super().load_item(path, *args, **kwargs)
            return load(filename, mmap_mode=getattr(self, "mmap_mode", None) or "r", trusted=self._trusted)

        def dump_item(self, path, item, *args, **kwargs):
            from ._dump import dump
            from ._trust import get_untrusted_types

            filename = self._file_of(path)
            temporary = f"{filename}.{os.getpid()}.mere"
            try:
                os.makedirs(os.path.dirname(filename), exist_ok=True)
                dump(item, temporary, durability="none")
                if set(get_untrusted_types(temporary)) <= set(self._trusted):
                    os.replace(temporary, filename)
                    return
            except Error:
                pass
            finally:
                if os.path.exists(temporary):
                    os.unlink(temporary)
            super().dump_item(path, item, *args, **kwargs)

    return MereStoreBackend
