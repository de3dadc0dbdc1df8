"""Compiles the C++ programs of README.md, runs those that need no file, and checks that its links lead somewhere.

  readme_test.py SOURCE_ROOT LIBMERE_SO COMPILER...
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from tap import Tap


def main():
    root, library, compiler = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve(), sys.argv[3:]
    text = (root / "README.md").read_text()
    tap = Tap()
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    tap.check((link for link in links if not (root / link).exists()), "README: every link leads to a file of the tree")
    programs = re.findall(r"^```cpp\n(.*?)^```", text, re.M | re.S)
    tap.check([] if programs else ["no program found"], "README: it has C++ programs")
    for number, program in enumerate(programs, 1):
        needs_file = re.search(r'open\("(\w+\.mere)"\)', program)
        with tempfile.TemporaryDirectory(prefix="mere-readme-") as folder:
            source = pathlib.Path(folder) / "program.cpp"
            source.write_text(program)
            command = [*compiler, "-std=c++20", "-Wall", "-Wextra", "-Wshadow", "-Werror", f"-I{root / 'include'}",
                       str(source), "-o", str(source.with_suffix("")), str(library)]
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            problems = done.stdout.splitlines()[:20] if done.returncode else []
            if not problems and not needs_file:
                environment = dict(os.environ, LD_LIBRARY_PATH=str(library.parent))
                ended = subprocess.run([str(source.with_suffix(""))], cwd=folder, env=environment).returncode
                problems = [f"exit status {ended}"] if ended else []
            tap.check(problems, f"README: program {number} compiles" + ("" if needs_file else " and runs"))
    tap.finish()


if __name__ == "__main__":
    main()
