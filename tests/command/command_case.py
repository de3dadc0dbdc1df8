"""Runs the built command for tests, and collects cases: functions whose assertions are the test."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "house"))
from tap import Tap  # noqa: E402

CASES = []


class Skip(Exception):
    """What the machine lacks."""


def case(sentence):
    def register(function):
        CASES.append((sentence, function))
        return function
    return register


class Done:
    def __init__(self, words, code, out, err):
        self.words, self.code, self.bytes, self.err = words, code, out, err

    @property
    def out(self):
        return self.bytes.decode("utf-8", "strict")

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def error(self):
        """The error as JSON, of a command with --json."""
        return json.loads(self.err)["error"]

    def __repr__(self):
        return (f"mere {' '.join(map(str, self.words))}: exit {self.code}\n"
                f"stdout: {self.bytes[:2000]!r}\nstderr: {self.err[:2000]}")


class Mere:
    """The command, in a folder of its own that is removed at the end."""

    def __init__(self, program):
        self.program = str(pathlib.Path(program).resolve())
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mere-command-"))
        self.environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM", "LC_ALL", "LANG")}
        self.environment.update(MERE_CACHE_DIR=str(self.folder / "cache"), TERM="xterm", LC_ALL="C.UTF-8")
        os.mkdir(self.folder / "cache", 0o700)

    def path(self, name):
        return self.folder / name

    def __call__(self, *words, input=None, env=None, timeout=120, **options):
        done = subprocess.run([self.program, *map(str, words)], input=input, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env={**self.environment, **(env or {})}, timeout=timeout,
                              **({} if input is not None else {"stdin": subprocess.DEVNULL}) | options)
        return Done(words, done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))

    def good(self, *words, **options):
        """Runs it and expects exit status 0."""
        done = self(*words, **options)
        assert done.code == 0, done
        return done

    def start(self, *words, **options):
        return subprocess.Popen([self.program, *map(str, words)], env=self.environment, **options)


def main():
    mere = Mere(sys.argv[1])
    tap = Tap()
    wanted = sys.argv[2:]
    try:
        for sentence, function in CASES:
            if wanted and not any(word in sentence for word in wanted):
                continue
            try:
                function(mere)
            except Skip as reason:
                tap.skip(sentence, str(reason))
                continue
            except Exception:  # noqa: BLE001: whatever went wrong, the case failed and the next one runs
                tap.check(traceback.format_exc().splitlines(), sentence)
                continue
            tap.check([], sentence)
    finally:
        shutil.rmtree(mere.folder, ignore_errors=True)
    tap.finish()
