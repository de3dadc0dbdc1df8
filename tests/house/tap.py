"""Prints test results as TAP lines, which meson and scripts/test count."""
import sys


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def check(self, problems, sentence):
        """One result: passed if `problems` (a list of texts) is empty. Returns whether it passed."""
        self.count += 1
        problems = list(problems)
        if problems:
            self.failed += 1
        print(f"{'not ok' if problems else 'ok'} {self.count} - {sentence}")
        # Of very many the first and the last: a traceback has its reason at its end.
        if len(problems) > 60:
            problems[20:-40] = [f"... {len(problems) - 60} more ..."]
        for problem in problems:
            print(f"#   {problem}")
        sys.stdout.flush()
        return not problems

    def skip(self, sentence, reason):
        self.count += 1
        print(f"ok {self.count} - {sentence} # SKIP {reason}")
        sys.stdout.flush()

    def finish(self):
        """Prints the plan and ends the program."""
        print(f"1..{self.count}")
        sys.exit(1 if self.failed or not self.count else 0)
