"""Habits of the source tree that no compiler checks: lengths, listed sources, the table of errors.

  tree_test.py SOURCE_ROOT
"""
import pathlib
import re
import sys

from tap import Tap

OURS = ("include", "lib", "apps", "python", "tests", "bench", "docs", "scripts", ".ci")
TEXT_ENDINGS = {".hpp", ".cpp", ".h", ".c", ".py", ".pyi", ".md", ".txt", ".build", ".sh", ".in", ".map", ".wrap", ".1", ""}
CODE_ENDINGS = {".hpp", ".cpp", ".h", ".c", ".py", ".pyi"}
LONGEST_FILE = 600
LONGEST_TEST = 700
# Where clang-format breaks.
WIDEST_LINE = 120
# A path of the machine somebody worked on: means nothing elsewhere.
MACHINE_PATH = re.compile(r"(?<![\w./$}-])/(?:work|root|home|tmp/[a-z]+-[a-z]+)/")
# Names of files that are no module: STYLE says to name the thing in them.
EMPTY_NAMES = {"util", "utils", "common", "helper", "helpers", "misc", "impl", "manager"}


def files(root, folders=OURS):
    for folder in folders:
        for file in sorted((root / folder).rglob("*")):
            parts = file.relative_to(root).parts
            if file.is_file() and "__pycache__" not in parts and "corpus" not in parts and "data" not in parts[:2]:
                yield file
    if folders is OURS:
        yield from (f for f in sorted(root.iterdir()) if f.is_file() and not f.name.startswith(".git"))


def reasons_of_header(text):
    """(word, code) of every row of MERE_REASONS."""
    table = text.split("#define MERE_REASONS(X)")[1].split("enum class Reason")[0]
    return re.findall(r"X\((\w+), (\w+)\)", table)


def check_errors(tap, root):
    rows = reasons_of_header((root / "include/mere/error.hpp").read_text())
    words = [word for word, _ in rows]
    tap.check((f"{w} stands twice" for w in sorted(set(words)) if words.count(w) > 1),
              "error.hpp: every reason word stands once")
    page = root / "docs/errors.md"
    problems = []
    if not page.is_file():
        problems.append("docs/errors.md does not exist")
    else:
        # A row of the page: | `word` | code | ... |, or under a heading that names the code.
        listed = set(re.findall(r"^\|\s*`(\w+)`\s*\|", page.read_text(), re.M))
        problems += [f"docs/errors.md lacks {w}" for w in words if w not in listed]
        codes = {code for _, code in rows}
        problems += [f"docs/errors.md has {w}, which error.hpp lacks" for w in sorted(listed - set(words) - codes)]
    tap.check(problems, "docs/errors.md has the reasons of MERE_REASONS, all and no others")


def check_listed(tap, root):
    # What lib, apps and tests compile is held against the build itself (library_test.py).
    listing = (root / "bench/meson.build").read_text()
    tap.check((str(f.relative_to(root)) for f in sorted((root / "bench").glob("*.cpp"))
               if f"'{f.stem.removesuffix('_bench')}'" not in listing), "every program of bench is listed in its meson.build")
    installed = (root / "include/meson.build").read_text()
    tap.check((f.name for f in sorted((root / "include/mere").iterdir()) if f"'mere/{f.name}'" not in installed),
              "every public header is installed")


def check_texts(tap, root):
    long_files, long_lines, machine_paths, tabs = [], [], [], []
    for file in files(root):
        if file.suffix not in TEXT_ENDINGS:
            continue
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        name = file.relative_to(root)
        longest = LONGEST_TEST if name.parts[0] == "tests" else LONGEST_FILE
        if file.suffix in CODE_ENDINGS and len(lines) > longest:
            long_files.append(f"{name}: {len(lines)} lines")
        for number, line in enumerate(lines, 1):
            # Tests may spell out bytes in one line.
            if file.suffix in CODE_ENDINGS and len(line) > WIDEST_LINE and name.parts[0] != "tests":
                long_lines.append(f"{name}:{number}: {len(line)} columns")
            if MACHINE_PATH.search(line) and name.name != "tree_test.py":
                machine_paths.append(f"{name}:{number}: {line.strip()[:100]}")
            if file.suffix in CODE_ENDINGS and "\t" in line:
                tabs.append(f"{name}:{number}")
    tap.check(long_files, f"no source has more than {LONGEST_FILE} lines, no test more than {LONGEST_TEST}")
    tap.check(long_lines, f"no line of code is wider than {WIDEST_LINE} columns")
    tap.check(tabs, "sources are indented by spaces")
    tap.check(machine_paths, "no text names a path of somebody's machine")


def check_sources(tap, root):
    problems = []
    for file in files(root, ("include", "lib", "apps", "python")):
        if file.suffix in (".hpp", ".h"):
            lines = file.read_text().splitlines()
            if file.suffix == ".hpp" and (not lines or lines[0] != "#pragma once" or not lines[1].startswith("//")):
                problems.append(f"{file.relative_to(root)}: opens with #pragma once and a line that says what it is")
    tap.check(problems, "every header opens with what it is")
    tap.check((str(f.relative_to(root)) for f in files(root, ("include", "lib", "apps", "python", "bench"))
               if f.stem.split("_")[-1] in EMPTY_NAMES), "files are named for the thing in them")
    problems = []
    bad = re.compile(r"#\s*include\s*<(format|expected|ranges)>|std::views\b|\bthrow\s+std::|march=native")
    for file in files(root, ("include", "lib", "apps", "python", "bench", "tests")):
        if file.suffix in CODE_ENDINGS - {".py"} or file.name == "meson.build":
            for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
                code = line.split("//")[0]
                found = bad.search(code)
                # Tests and benchmarks may throw what they like, to see what happens.
                may_throw = file.relative_to(root).parts[0] in ("tests", "bench")
                if found and not (found[0].startswith("throw") and may_throw):
                    problems.append(f"{file.relative_to(root)}:{number}: {found[0]}")
    tap.check(problems, "no header that g++ 12 or clang 14 lacks, no exception but mere::Error, no -march=native")


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    tap = Tap()
    check_errors(tap, root)
    check_listed(tap, root)
    check_texts(tap, root)
    check_sources(tap, root)
    tap.finish()


if __name__ == "__main__":
    main()
