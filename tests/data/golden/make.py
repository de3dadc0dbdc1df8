"""Makes the golden files of the format version at hand, and what the independent reader finds in them.

    make.py BUILD_DIRECTORY

Files of a released version are never made again: they stay as that release wrote them. A new minor version gets a folder
of its own.
"""
import pathlib
import subprocess
import sys

VERSION = "1.0"
here = pathlib.Path(__file__).resolve().parent
build = pathlib.Path(sys.argv[1])
subprocess.run(["ninja", "-C", str(build), "tests/format/make_golden"], check=True)
out = here / VERSION
out.mkdir(exist_ok=True)
subprocess.run([str(build / "tests/format/make_golden"), str(out)], check=True)
for file in sorted(out.glob("*.mere")):
    text = subprocess.run([sys.executable, str(here.parent.parent / "format/reader.py"), str(file)], check=True,
                          capture_output=True, text=True).stdout
    file.with_suffix(".json").write_text(text)
