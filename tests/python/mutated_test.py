"""A short run of scripts/campaign-python-load: files with changed bytes end in an exception or a model, never in a
signal."""
import pathlib
import subprocess
import sys
import unittest

import mere

ROOT = pathlib.Path(__file__).parent.parent.parent


class Mutated(unittest.TestCase):
    def test_no_child_ends_by_a_signal(self):
        for only, files in (("Tree", 150), ("Neighbors", 80), ("arrays", 120), ("Spline", 60)):
            ran = subprocess.run([sys.executable, ROOT / "scripts" / "campaign-python-load", "--files", str(files),
                                  "--only", only,
                                  "--package", pathlib.Path(mere.__file__).parent.parent], capture_output=True,
                                 text=True)
            self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
            self.assertIn(f"{files} files in", ran.stdout)
