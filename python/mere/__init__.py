"""mere: fitted models in one file that every worker maps, and shares.

    import mere

    mere.dump(forest, "forest.mere")
    forest = mere.load("forest.mere")            # arrays and trees stay in the file, one copy for all processes
    model = mere.open("forest.mere")             # the file without the types
    model.predict(X)
"""
from ._core import Node
from ._dump import dump, dumps
from ._ensembles import detach
from ._errors import (CorruptError, Error, InputOutputError, LimitError, MismatchError, NoFileError, NoPathError,
                      NotFoundError, OutOfMemoryError, UnsupportedError, UntrustedError)
from ._info import info
from ._joblib_store import register_joblib_store
from ._load import load, loads
from ._open import Model, open
from ._predict import Predictor
from ._trust import get_untrusted_types

__version__ = "0.1.0"

__all__ = ["CorruptError", "Error", "InputOutputError", "LimitError", "MismatchError", "Model", "NoFileError",
           "NoPathError", "Node", "NotFoundError", "OutOfMemoryError", "Predictor", "UnsupportedError",
           "UntrustedError", "detach", "dump", "dumps", "get_untrusted_types", "info", "load", "loads", "open",
           "register_joblib_store"]
