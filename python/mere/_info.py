"""mere.info: what is known of a file without its types."""
from __future__ import annotations

import os

from . import _core
from ._open import Model

_RECORDED = ("versions", "source", "training_data", "source_code", "cv_score", "environment")


def info(path):
    """A dict of a file's facts: those of Model.info() (sizes, codecs, content id) as the file has them, what was
    recorded when it was written (``versions``, ``source``, ``training_data``, ``source_code``, ``cv_score``,
    ``environment``; None where it was not), and all of its metadata. Nothing is imported or run, and nothing is
    expanded."""
    with Model(_core.Model.from_path(os.fspath(path), expand="lazy"), path) as model:
        facts = model.info()
        metadata = model.metadata
    for name in _RECORDED:
        facts[name] = metadata.get(name)
    facts["metadata"] = metadata
    return facts
