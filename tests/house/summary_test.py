"""What scripts/test says at its end: sums that hide nothing, and the reason of each failure.

  summary_test.py SOURCE_ROOT
"""
import json
import pathlib
import subprocess
import sys
import tempfile

from tap import Tap

RULE = "=" * 79 + "\n"
TWO_OF_THREE = "[doctest] test cases:  3 |  2 passed | 1 failed | 0 skipped\n"
FAILED_CASE = (RULE + "../tests/room/file_test.cpp:7:\nTEST CASE:  room: sums are right\n  large ones\n\n"
               + 3 * ("../tests/room/file_test.cpp:9: ERROR: CHECK( sum == 5 ) is NOT correct!\n"
                      "  values: CHECK( 4 == 5 )\n  logged: i := 1\n\n"))
SKIPPED_CASE = (RULE + "../tests/room/file_test.cpp:20:\nTEST CASE:  room: a full disk\n\n"
                "../tests/room/file_test.cpp:22: MESSAGE: skipped: no tmpfs here\n\n" + RULE)


class Log:
    """A build directory with what these programs left in it."""

    def __init__(self, folder, root):
        self.folder, self.root = folder, root

    def summary(self, *programs, absent=()):
        """The printed lines for (name, result, stdout, stderr)..."""
        for name in ("meson-logs", "meson-info"):
            (self.folder / name).mkdir(exist_ok=True)
        names = [p[0] for p in programs] + list(absent)
        (self.folder / "meson-info/intro-tests.json").write_text(
            json.dumps([{"name": name, "suite": ["mere:unit"]} for name in names]))
        log = self.folder / "meson-logs/testlog.json"
        keys = ("name", "result", "stdout", "stderr", "duration")
        log.write_text("".join(json.dumps(dict(zip(keys, (f"mere:unit / {p[0]}", *p[1:], 1.0)))) + "\n"
                               for p in programs))
        done = subprocess.run([sys.executable, "-B", str(self.root / "scripts/count_tests.py"), str(log)],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.stdout.splitlines() + [f"exit {done.returncode}"]


def lacks(lines, *wanted):
    return [f"no line is {text!r}" for text in wanted if text not in [line.strip() for line in lines]] and lines


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="mere-summary-") as folder:
        log = Log(pathlib.Path(folder), root)
        good = ("good", "OK", "ok 1 - a\nok 2 - b # SKIP no c\n1..2\n", "")
        label = pathlib.Path(folder).name
        lines = log.summary(good)
        tap.check(lacks(lines, f"SKIPPED {label}: mere:unit / good: b: no c", "1 passed, 0 failed, 1 skipped",
                        "exit 0"),
                  "summary: what passed and what was skipped, and why")
        lines = log.summary(good, ("room", "ERROR", FAILED_CASE + SKIPPED_CASE + TWO_OF_THREE, ""))
        tap.check(lacks(lines, "room: sums are right / large ones",
                        "room/file_test.cpp:9: ERROR: CHECK( sum == 5 ) is NOT correct!", "values: CHECK( 4 == 5 )",
                        "logged: i := 1", "and 2 times more", "2 passed, 1 failed, 2 skipped", "exit 1"),
                  "summary: a failed assertion of doctest with its values, once, and a skipped case")
        trace = "not ok 1 - converts\n#   Traceback\n" + "#   at a line\n" * 80 + "#   AssertionError: exit 4\n1..1\n"
        lines = log.summary(("command", "ERROR", trace, ""))
        told_shortly = [f"{len(lines)} lines"] * (len(lines) > 50)
        tap.check(lacks(lines, "not ok 1 - converts", "#   AssertionError: exit 4", "0 passed, 1 failed", "exit 1")
                  + told_shortly, "summary: the end of a long traceback, in at most 40 lines")
        report = "==7==ERROR: AddressSanitizer: heap-buffer-overflow\n    #0 in f file.cpp:3\n"
        lines = log.summary(("fuzz_a", "ERROR", "ok 1 - x\n", "while running corpus/a:3\n" + report))
        tap.check(lacks(lines, "while running corpus/a:3", report.split("\n")[0], "1 passed, 1 failed", "exit 1"),
                  "summary: a program that a sanitizer ended counts as failed, with the report")
        lines = log.summary(good, absent=["late"])
        tap.check(lacks(lines, f"FAILED {label}: late did not run", "exit 1"),
                  "summary: a program that did not run counts as failed")
    tap.finish()


if __name__ == "__main__":
    main()
