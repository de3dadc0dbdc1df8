"""How the command behaves: usage, errors, terminals, pipes."""
import json
import os
import pty
import select
import subprocess
import time

import numpy as np

from command_case import case, main
from models import make_all

SUBCOMMANDS = ["convert", "info", "ls", "get", "verify", "diff", "cache", "share", "bench"]


def on_terminal(mere, *words, env=None, timeout=60):
    """Runs the command with all three streams on a terminal; returns (exit code, what the terminal got)."""
    parent, child = pty.openpty()
    process = subprocess.Popen([mere.program, *map(str, words)], stdin=child, stdout=child, stderr=child,
                               env={**mere.environment, **(env or {})}, close_fds=True)
    os.close(child)
    got = b""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if select.select([parent], [], [], 0.2)[0]:
            try:
                chunk = os.read(parent, 1 << 16)
            except OSError:
                break
            if not chunk:
                break
            got += chunk
        elif process.poll() is not None:
            break
    os.close(parent)
    return process.wait(timeout=10), got


@case("--help: each subcommand has a summary with examples, on standard output")
def help_texts(mere):
    for words in [["--help"], ["-h"]] + [[name, "--help"] for name in SUBCOMMANDS] + [[name, "-h"] for name in SUBCOMMANDS]:
        done = mere.good(*words)
        assert "Examples:" in done.out and "mere " in done.out and done.err == "", done
    assert all(name in mere.good("--help").out for name in SUBCOMMANDS)


@case("--version: the version and the codecs of the build")
def version(mere):
    text = mere.good("--version").out
    assert text.startswith("mere 0.") and "none" in text and "zlib" in text, text


@case("usage: what cannot be understood is exit 2, and says what was perhaps meant")
def usage(mere):
    make_all(mere)
    file = mere.path("forest.mere")
    for words, meant in ((["inf", file], "'info'"), (["covnert", "a", "b"], "'convert'"), (["info", "--jsn", file], "'--json'"),
                         (["ls", "--aray", file], "'--arrays'"), (["convert", "--codec", "zlb", "a", "b"], "'zlib'"),
                         (["convert", "--metdata=a=b", "a", "b"], "'--metadata'"), (["cache", "claer"], "'clear'"),
                         (["info", "--verify", "manifst", file], "'manifest'")):
        done = mere(*words)
        assert done.code == 2 and "did you mean " + meant in done.err and done.bytes == b"", done
    for words in ([], ["info"], ["get", file], ["info", file, "more"], ["convert", "a"], ["convert", "--align", "5000", "a", "b"],
                  ["convert", "--align", "x", "a", "b"], ["convert", "--metadata", "novalue", "a", "b"], ["ls", "--arrays", "--map", file],
                  ["convert", "--level", "x", "a", "b"], ["cache", "list", "0" * 64], ["info", "--content-id", "1", file]):
        done = mere(*words)
        assert done.code == 2 and "--help" in done.err or "KEY=VALUE" in done.err or "power of two" in done.err \
            or "clear" in done.err, done
        assert done.code == 2 and done.bytes == b"", done
    done = mere("info", "--json", "--jsn", file)
    assert done.code == 2 and done.error["code"] == "usage", done


@case("usage: --trust and --metadata take one word each, so that the files behind them stay files")
def one_word_each(mere):
    make_all(mere)
    mere.good("convert", "--metadata", "a=1", "--trust", "x.Y", mere.path("regression.pkl"), mere.path("w.mere"))
    mere.good("convert", "--metadata", "a=1", "--metadata", "b=[x,y]", "--", mere.path("regression.pkl"), mere.path("w.mere"))
    metadata = mere.good("info", "--json", mere.path("w.mere")).json["metadata"]
    assert metadata["a"] == "1" and metadata["b"] == "[x,y]", metadata


@case("--json: every subcommand prints JSON, and errors as JSON on standard error")
def json_everywhere(mere):
    make_all(mere)
    file = mere.path("regression.mere")
    for words in (["convert", mere.path("regression.pkl"), mere.path("j.mere")], ["info", file], ["ls", file], ["ls", "--arrays", file],
                  ["ls", "--map", file], ["get", file, "C"], ["verify", file], ["diff", file, file], ["cache"], ["cache", "clear"],
                  ["share", "--workers", "1", file], ["bench", "--repetitions", "1000", file]):
        done = mere.good(words[0], "--json", *words[1:])
        assert isinstance(done.json, dict), done
        before = mere.good("--json", *words)
        assert set(before.json) == set(done.json), before
    absent = mere.path("absent")
    for words in (["convert", absent, mere.path("j.mere")], ["info", absent], ["ls", absent], ["get", absent, "C"], ["verify", absent],
                  ["diff", absent, file], ["share", absent], ["bench", absent], ["cache", "clear", "0" * 64]):
        done = mere(words[0], "--json", *words[1:])
        assert done.code == 3 and done.bytes == b"", done
        assert set(done.error) == {"code", "reason", "message"} and done.error["code"] == "not_found", done


@case("errors: code and reason in front, the file named, nothing on standard output")
def error_text(mere):
    done = mere("info", mere.path("absent"))
    assert done.code == 3 and done.err.startswith("mere: not_found (no_file): ") and "absent" in done.err, done
    assert done.bytes == b""


@case("a file that is no regular file is refused at once: FIFO, directory, device, /proc")
def not_regular(mere):
    os.mkfifo(mere.path("fifo"))
    for name in mere.path("fifo"), mere.folder, "/dev/zero", "/dev/null", "/proc/self/status":
        for words in ["info"], ["verify"]:
            done = mere(*words, "--json", name, timeout=5)
            assert done.code in (4, 6), (name, done)


@case("a closed pipe on standard output ends the command quietly with 141")
def broken_pipe(mere):
    make_all(mere)
    for words in (["ls", "--json", mere.path("forest.mere")], ["convert", mere.path("forest.mere"), "-"],
                  ["get", mere.path("things.mere"), "large"]):
        reading, writing = os.pipe()
        os.close(reading)
        process = mere.start(*words, stdout=writing, stderr=subprocess.PIPE)
        os.close(writing)
        err = process.communicate(timeout=30)[1]
        assert process.returncode == 141 and err == b"", (words, process.returncode, err)


@case("a full disk on standard output is exit 6")
def full_disk(mere):
    make_all(mere)
    with open("/dev/full", "wb") as full:
        process = mere.start("ls", mere.path("forest.mere"), stdout=full, stderr=subprocess.PIPE)
        err = process.communicate(timeout=30)[1]
    assert process.returncode == 6 and b"No space" in err, (process.returncode, err)


@case("colours: on a terminal only, and not with NO_COLOR or TERM=dumb")
def colours(mere):
    make_all(mere)
    words = ["ls", mere.path("regression.mere")]
    assert b"\x1b[" not in mere.good(*words).bytes
    code, text = on_terminal(mere, *words)
    assert code == 0 and b"\x1b[1m" in text, text
    for env in {"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}:
        code, text = on_terminal(mere, *words, env=env)
        assert code == 0 and b"\x1b" not in text and b"coef_" in text, (env, text)
    code, text = on_terminal(mere, *words, env={"NO_COLOR": ""})
    assert b"\x1b[1m" in text, text


@case("a model or an array is not written to a terminal: exit 2, with advice")
def binary_to_terminal(mere):
    make_all(mere)
    code, text = on_terminal(mere, "get", mere.path("regression.mere"), "coef_")
    assert code == 2 and b"-o OUT" in text, text
    code, text = on_terminal(mere, "convert", mere.path("regression.pkl"), "-")
    assert code == 2 and b"terminal" in text, text
    code, text = on_terminal(mere, "get", mere.path("regression.mere"), "C")
    assert code == 0 and b"1.0" in text, text


@case("progress: after half a second, on a terminal, with rate and time left; not with -q, TERM=dumb or a pipe")
def progress(mere):
    raw = np.random.default_rng(1).integers(0, 1 << 40, 8_000_000)
    np.save(mere.path("slow.npy"), raw)
    words = ["convert", "--codec", "zlib", "--level", "9", "--no-filters", "--threads", "1", mere.path("slow.npy"), mere.path("slow.mere")]
    code, text = on_terminal(mere, *words)
    assert code == 0 and b" % [" in text and b"/s" in text and b"left" in text, text[:500]
    for more, env in (["-q"], {}), ([], {"TERM": "dumb"}):
        code, text = on_terminal(mere, *words, *more, env=env)
        assert code == 0 and b" % [" not in text, text[:500]
    assert " % [" not in mere.good(*words).err


@case("ulimit -n 64: every look at a file works")
def few_descriptors(mere):
    import resource
    make_all(mere)
    for words in (["info"], ["ls"], ["verify"], ["share", "--workers", "4"], ["bench", "--repetitions", "1000"]):
        mere.good(*words, mere.path("forest.mere"),
                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))


@case("locale: numbers are written with a point, whatever the language")
def locale(mere):
    make_all(mere)
    for language in "de_DE.UTF-8", "C":
        assert mere.good("get", mere.path("things.mere"), "float", env={"LC_ALL": language}).out == "0.1\n"
        assert isinstance(json.loads(mere.good("share", "--json", "--workers", "1", mere.path("forest.mere"),
                                               env={"LC_ALL": language}).out)["ratio"], float)


main()
