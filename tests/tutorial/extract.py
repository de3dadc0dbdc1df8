"""Makes a program of the code on a page, and holds what it prints against the page.

  extract.py program PAGE OUTPUT.cpp [--xtensor]   writes the program
  extract.py check PAGE PROGRAM [--xtensor]        runs it in an empty directory and compares

Blocks fenced as ```cpp run in their order; those that begin with #include or namespace stand outside main(). Blocks fenced as
```output are what the program prints. A second word, as in ```cpp xtensor, keeps a block for builds that have it.
"""
import difflib
import os
import pathlib
import subprocess
import sys
import tempfile


def blocks(page, features):
    """(language, first line, lines) of every block that counts."""
    language, start, lines = None, 0, []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if language is None and line.startswith("```"):
            words = line[3:].split() or [""]
            language, start, lines = (words[0], set(words[1:]) <= features), number + 1, []
        elif language is not None and line == "```":
            if language[1]:
                yield language[0], start, lines
            language = None
        elif language is not None:
            lines.append(line)
    if language is not None:
        sys.exit(f"{page}: the block of line {start} has no end")


def write_program(page, target, features):
    outside, inside = [], []
    for language, start, lines in blocks(page, features):
        if language == "cpp":
            first = lines[0].split()[0] if lines and lines[0].split() else ""
            to = outside if first in ("#include", "namespace") else inside
            to += [f'#line {start} "{page.name}"'] + lines
    target.write_text("\n".join(outside + ["int main() {"] + inside + ["}", ""]))


def check(page, program, features):
    expected = [line for language, _, lines in blocks(page, features) if language == "output" for line in lines]
    with tempfile.TemporaryDirectory() as scratch:
        cache = pathlib.Path(scratch, "cache")
        cache.mkdir(mode=0o700)
        result = subprocess.run([os.path.abspath(program)], cwd=scratch, capture_output=True, text=True,
                                env=dict(os.environ, MERE_CACHE_DIR=str(cache)))
    if result.returncode != 0:
        sys.exit(f"{program} ended with {result.returncode}\n{result.stdout}{result.stderr}")
    printed = result.stdout.splitlines()
    if printed != expected:
        sys.exit("\n".join(difflib.unified_diff(expected, printed, page.name, "printed", lineterm="")))


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    features = {word[2:] for word in sys.argv[1:] if word.startswith("--")}
    if len(words) != 3 or words[0] not in ("program", "check"):
        sys.exit(__doc__)
    page, other = pathlib.Path(words[1]), pathlib.Path(words[2])
    (write_program if words[0] == "program" else check)(page, other, features)


if __name__ == "__main__":
    main()
