"""Makes the files of this folder: a small forest, as each release of scikit-learn pickles it. Run with each:

    python make.py             # writes forest-sklearnRELEASE-pyMAJOR.MINOR.pkl
"""
import os
import pickle
import sys

import numpy as np
import sklearn
from sklearn.ensemble import RandomForestClassifier

HERE = os.path.dirname(os.path.abspath(__file__))
x = np.array([[0.0, 1], [1, 0], [2, 2], [3, 1], [0, 3], [1, 2]])
forest = RandomForestClassifier(n_estimators=2, max_depth=2, random_state=0).fit(x, [0, 1, 1, 0, 1, 0])
name = "forest-sklearn%s-py%d.%d.pkl" % ((sklearn.__version__,) + sys.version_info[:2])
with open(os.path.join(HERE, name), "wb") as out:
    pickle.dump(forest, out, 2)
