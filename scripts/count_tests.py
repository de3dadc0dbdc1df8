"""Sums the cases of all suites from meson's test logs; the last line is "N passed, N failed[, N skipped]".

  count_tests.py TESTLOG_JSON[:SUITE,SUITE]...      the suites that were asked for; none: all

A doctest program counts its test cases, a TAP program its lines, any other program one. A program that ended badly
without naming a failed case counts one failure, so that a crash cannot hide; so does one that should have run and is
not in the log. Before the sums stands, for each program that failed, what failed in it and why (failure_text.py).
"""
import json
import pathlib
import re
import sys

from failure_text import COLOUR, failure_lines

DOCTEST = re.compile(r"\[doctest\] test cases:\s*(\d+)\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed\s*\|\s*(\d+) skipped")
# What a doctest case says when the machine lacks something it needs: MESSAGE("skipped: reason").
DOCTEST_SKIP = re.compile(r"^TEST CASE:[ \t]*(.*)\n(?:(?!={9}|TEST CASE:).*\n)*?.* MESSAGE: skipped: (.*)$", re.M)
TAP_LINE = re.compile(r"^(not )?ok\b[ \t]*\d*[ \t]*-?[ \t]*([^#\n]*)(#\s*(SKIP|TODO)\b\s*(.*))?", re.M | re.I)
GOOD = {"OK", "EXPECTEDFAIL"}


def count(test):
    """(passed, failed, [(what was skipped, why)]) of one program of the log."""
    output = COLOUR.sub("", (test.get("stdout") or "") + "\n" + (test.get("stderr") or ""))
    name = test["name"]
    if test["result"] == "SKIP" and not TAP_LINE.search(output):
        lines = [line for line in output.splitlines() if line.strip()]
        return 0, 0, [(name, lines[-1] if lines else "it says no reason")]
    passed = failed = 0
    skipped = []
    cases = DOCTEST.findall(output)
    if cases:
        # The last is the program's own: a test may run another doctest program.
        passed, failed = int(cases[-1][1]), int(cases[-1][2])
        # A case may say so in each of its subcases.
        skipped = sorted(dict(DOCTEST_SKIP.findall(output)).items())[:passed]
        passed -= len(skipped)
    elif TAP_LINE.search(output):
        for bad, sentence, _, directive, reason in TAP_LINE.findall(output):
            if directive.upper() == "SKIP":
                skipped.append((f"{name}: {sentence.strip()}", reason.strip()))
            elif bad and directive.upper() != "TODO":
                failed += 1
            elif not bad:
                passed += 1
    elif test["result"] in GOOD:
        passed = 1
    if test["result"] not in GOOD and test["result"] != "SKIP" and failed == 0:
        failed = 1
    return passed, failed, skipped


def expected_programs(build, suites):
    """The names of the programs that a run of these suites (all, if there are none) has in its log."""
    tests = json.loads((build / "meson-info/intro-tests.json").read_text())
    # A suite stands there as "mere:unit".
    return {t["name"] for t in tests if not suites or {s.split(":")[-1] for s in t["suite"]} & suites}


def main():
    passed = failed = 0
    skipped, table = [], []
    for argument in sys.argv[1:]:
        name, _, words = argument.partition(":")
        path = pathlib.Path(name)
        label = path.parent.parent.name
        if not path.is_file():
            print(f"{label}: no test ran ({path} does not exist)")
            failed += 1
            continue
        suites = {}
        missing = expected_programs(path.parent.parent, set(words.split(",")) - {""})
        for line in path.read_text().splitlines():
            test = json.loads(line)
            missing.discard(test["name"].split(" / ")[-1])
            p, f, s = count(test)
            # "mere:unit / format" is suite unit, test format.
            suite = test["name"].split(" / ")[0].split(":")[-1] if " / " in test["name"] else "all"
            sums = suites.setdefault(suite, [0, 0, 0, 0.0])
            for i, n in enumerate((p, f, len(s), test.get("duration", 0.0))):
                sums[i] += n
            skipped += [(f"{label}: {what}", why) for what, why in s]
            if f:
                print(f"\nFAILED {label}: {test['name']} ({test['result']}, {f} failed)")
                for text in failure_lines(test):
                    print("    " + text)
        for name in sorted(missing):
            print(f"\nFAILED {label}: {name} did not run")
            failed += 1
        for suite, (p, f, s, seconds) in sorted(suites.items()):
            table.append(f"{label:5} {suite:10} {p:5} passed {f:4} failed {s:4} skipped {seconds:8.1f} s")
            passed += p
            failed += f
    print("\n" + "\n".join(table))
    for what, why in skipped:
        print(f"SKIPPED {what}: {why}")
    print(f"{passed} passed, {failed} failed" + (f", {len(skipped)} skipped" if skipped else ""))
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
