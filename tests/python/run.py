"""Runs one file of unittest cases and prints TAP: a line a test, named by the sentence that its name is.

  run.py FILE [PATTERN]      PATTERN: only tests whose name has it
"""
import faulthandler
import importlib.util
import pathlib
import sys
import traceback
import unittest


def cases(suite):
    for member in suite:
        if isinstance(member, unittest.TestSuite):
            yield from cases(member)
        else:
            yield member


def sentence(test):
    name = test.id().split(".")[-1]
    return f"{type(test).__name__}: {name.removeprefix('test_').replace('_', ' ')}"


class Lines(unittest.TestResult):
    def __init__(self, out):
        super().__init__()
        self.out = out
        self.number = 0

    def line(self, word, test, note=""):
        self.number += 1
        print(f"{word} {self.number} - {sentence(test)}{note}", file=self.out, flush=True)

    def addSuccess(self, test):
        self.line("ok", test)

    def addSkip(self, test, reason):
        self.line("ok", test, f" # SKIP {reason}")

    def report(self, test, error):
        self.line("not ok", test)
        for line in "".join(traceback.format_exception(*error)).splitlines():
            print("# " + line, file=self.out, flush=True)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.report(test, error)

    addError = addFailure

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.addFailure(subtest, error)


def main():
    faulthandler.enable()
    path = pathlib.Path(sys.argv[1])
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    tests = list(cases(unittest.defaultTestLoader.loadTestsFromModule(module)))
    if len(sys.argv) > 2:
        tests = [test for test in tests if sys.argv[2] in test.id()]
    print(f"1..{len(tests)}" if tests else "1..0", flush=True)
    result = Lines(sys.stdout)
    unittest.TestSuite(tests).run(result)
    sys.exit(0 if result.wasSuccessful() and tests else 1)


if __name__ == "__main__":
    main()
