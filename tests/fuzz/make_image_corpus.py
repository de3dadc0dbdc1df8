"""Makes the small corpus of fuzz_image from the golden files' maker.

    make_image_corpus.py BUILD_DIRECTORY
"""
import pathlib
import subprocess
import sys

here = pathlib.Path(__file__).resolve().parent
build = pathlib.Path(sys.argv[1])
corpus = here / "corpus" / "image"
corpus.mkdir(parents=True, exist_ok=True)
subprocess.run(["ninja", "-C", str(build), "tests/format/make_golden"], check=True)
subprocess.run([str(build / "tests/format/make_golden"), "--small", str(corpus)], check=True)
