"""Runs the campaigns of failed system calls and of kills, each a few seconds long.

  dump_faults_test.py SOURCE_ROOT ATOMIC_WRITER [MERE]
"""
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "house"))
from tap import Tap  # noqa: E402

root = pathlib.Path(sys.argv[1])
tap = Tap()
for program in sys.argv[2:]:
    name = pathlib.Path(program).name
    words = f"'{program}' {{in}} {{out}}" if name == "atomic_writer" else f"'{program}' convert {{in}} {{out}}"
    for script, count, sentence in [
        ("campaign-syscalls", "70", "each failed system call leaves the old file or the new one, and nothing else"),
        ("campaign-kills", "50", "readers of a file whose writers are killed see the old one or the new one"),
    ]:
        sentence = f"{name}: {sentence}"
        if script == "campaign-syscalls":
            if shutil.which("strace") is None:
                tap.skip(sentence, "strace is not installed")
                continue
            # Not every machine lets one process trace another (containers, yama).
            if subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True).returncode != 0:
                tap.skip(sentence, "strace may not trace here")
                continue
        done = subprocess.run([sys.executable, root / "scripts" / script, root, "--program", words, "--count", count],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        tap.check([] if done.returncode == 0 else done.stdout.splitlines(), sentence)
tap.finish()
