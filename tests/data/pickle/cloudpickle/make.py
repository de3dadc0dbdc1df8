"""Makes the files of this folder: functions and classes by value, as cloudpickle writes them. Run with each Python and
release of cloudpickle that docs/importers.md speaks of, from 0.5 on (Python 2.7 too):

    python make.py             # writes cloudpickle-RELEASE-pyMAJOR.MINOR-pPROTOCOL.pkl

What is saved is in values.py.
"""
import os
import sys

import cloudpickle

HERE = os.path.dirname(os.path.abspath(__file__))

# Under a bare name: cloudpickle keeps __file__, and Python the name that a function was compiled under.
__file__ = "values.py"
with open(os.path.join(HERE, "values.py")) as source:
    exec(compile(source.read(), "values.py", "exec"), globals())

version = "%s-py%d.%d" % ((cloudpickle.__version__,) + sys.version_info[:2])
for protocol in (2, 4) if sys.version_info >= (3,) else (2,):
    name = "cloudpickle-%s-p%d.pkl" % (version, protocol)
    with open(os.path.join(HERE, name), "wb") as out:
        out.write(cloudpickle.dumps(value, protocol=protocol))
