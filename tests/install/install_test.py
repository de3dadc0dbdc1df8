"""Installs the build into a directory of its own and builds a consumer each way: pkg-config, CMake, meson, C.

  install_test.py BUILD_ROOT SOURCE_ROOT MESON CXX CC [--subproject]

With --subproject it builds mere inside the consumer's tree instead, as meson's fallback does.
"""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "house"))
from tap import Tap  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent / "consumers"
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wno-sign-conversion", "-Wpedantic", "-Werror"]


def run(*command, **options):
    """Runs a command; gives its problems: nothing, or what it printed."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", **options)
    if done.returncode == 0:
        return []
    return [f"{' '.join(map(str, command))}: exit status {done.returncode}"] + done.stdout.splitlines()[-30:]


class Install:
    """The installed tree below `root` (DESTDIR), and the environment that finds it."""

    def __init__(self, root):
        self.root = root
        self.library = next(root.rglob("libmere.so"))
        self.include = next(root.rglob("mere/model.hpp")).parent.parent
        self.environment = dict(os.environ, PKG_CONFIG_SYSROOT_DIR=str(root), LD_LIBRARY_PATH=str(self.library.parent),
                                PKG_CONFIG_PATH=str(next(root.rglob("mere.pc")).parent))


def check_files(tap, installed, source):
    names = sorted(str(p.relative_to(installed.root)) for p in installed.root.rglob("*") if not p.is_dir())
    have = "\n".join(names)
    wanted = [r"/libmere\.so$", r"/libmere\.so\.\d+\.\d+$", r"/libmere\.so\.\d+\.\d+\.\d+$", r"/pkgconfig/mere\.pc$",
              r"/cmake/mere/mereConfig\.cmake$", r"/cmake/mere/mereConfigVersion\.cmake$", r"/bin/mere$",
              r"/man/man1/mere\.1$", r"bash-completion/completions/mere$", r"/site-functions/_mere$",
              r"/vendor_completions\.d/mere\.fish$", r"/include/mere/mere\.h$"]
    tap.check((f"nothing matches {pattern}" for pattern in wanted if not re.search(pattern, have, re.M)),
              "install: library, headers, packages, command, man page and completions are there")
    tap.check((n for n in names if re.search(r"\.a$|\.p/|_test|/lib/.*\.hpp$|tests/", n)),
              "install: nothing else of the build is there")
    public = {p.name for p in (source / "include/mere").iterdir()}
    found = {p.name for p in (installed.include / "mere").iterdir()}
    tap.check(sorted(public ^ found), "install: the headers are those of include/mere")
    command = next(iter(installed.root.rglob("bin/mere")), None)
    problems = ["bin/mere is missing"] if command is None else run(command, "--version", env=installed.environment)
    tap.check(problems, "install: the command runs from where it was installed")


def check_headers(tap, installed, cxx, cc, work):
    problems = []
    for header in sorted((installed.include / "mere").iterdir()):
        if header.name == "xtensor.hpp":
            continue  # needs xtensor, which a consumer need not have
        standard = ["-std=c11", "-x", "c"] if header.suffix == ".h" else ["-std=c++20", "-x", "c++"]
        source = work / "one_header"
        source.write_text(f"#include <mere/{header.name}>\n#include <mere/{header.name}>\n")
        compiler = cc if header.suffix == ".h" else cxx
        problems += run(*compiler, *standard, *WARNINGS, "-fsyntax-only", f"-I{installed.include}", source)
        if header.suffix == ".h":
            problems += run(*cxx, "-std=c++20", "-x", "c++", *WARNINGS, "-fsyntax-only", f"-I{installed.include}", source)
    tap.check(problems, "install: every public header compiles alone, twice, without a warning")


def check_pkg_config(tap, installed, cxx, cc, work):
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "mere"], env=installed.environment, text=True,
                           stdout=subprocess.PIPE).stdout.split()
    tap.check((f for f in flags if not re.match(r"-I|-L|-lmere$|-std=", f)),
              "pkg-config: consumers are given mere alone, none of the packages it is built on")
    only_c = [f for f in flags if not f.startswith("-std=")]
    problems = run(*cxx, "-std=c++20", *WARNINGS, HERE / "consumer.cpp", "-o", work / "consumer", *flags)
    problems = problems or run(work / "consumer", work, env=installed.environment)
    tap.check(problems, "pkg-config: a C++ consumer builds and runs")
    problems = run(*cc, "-std=c11", *WARNINGS, HERE / "consumer.c", "-o", work / "consumer_c", *only_c)
    problems = problems or run(work / "consumer_c", work / "consumer.mere", env=installed.environment)
    tap.check(problems, "pkg-config: a C consumer of mere.h builds and runs")


def check_cmake(tap, installed, work):
    sentence = "CMake: find_package(mere) serves a C++ and a C consumer"
    if not shutil.which("cmake"):
        tap.skip(sentence, "cmake is not installed")
        return
    build = work / "cmake"
    problems = run("cmake", "-S", HERE / "cmake", "-B", build, "-GNinja", f"-DCMAKE_FIND_ROOT_PATH={installed.root}",
                   f"-Dmere_DIR={next(installed.root.rglob('mereConfig.cmake')).parent}")
    problems = problems or run("cmake", "--build", build)
    problems = problems or run(build / "consumer", work, env=installed.environment)
    problems = problems or run(build / "consumer_c", work / "consumer.mere", env=installed.environment)
    tap.check(problems, sentence)
    script = work / "newer"
    script.mkdir()
    (script / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.16)\nproject(p LANGUAGES CXX)\n"
                                           "find_package(mere 99 REQUIRED)\n")
    refused = run("cmake", "-S", script, "-B", script / "b", "-GNinja",
                  f"-Dmere_DIR={next(installed.root.rglob('mereConfig.cmake')).parent}")
    tap.check([] if refused else ["version 99 was found"], "CMake: a newer version than is installed is refused")


def check_meson(tap, installed, meson, work):
    tree = consumer_tree(work / "meson")
    problems = run(*meson, "setup", tree / "build", tree, "--wrap-mode=nofallback", env=installed.environment)
    problems = problems or run("ninja", "-C", tree / "build", env=installed.environment)
    problems = problems or run(tree / "build/consumer", work, env=installed.environment)
    problems = problems or run(tree / "build/consumer_c", work / "consumer.mere", env=installed.environment)
    tap.check(problems, "meson: dependency('mere') serves a consumer")


def consumer_tree(tree):
    shutil.copytree(HERE / "meson", tree)
    for name in ("consumer.cpp", "consumer.c"):
        shutil.copy(HERE / name, tree)
    return tree


def check_subproject(tap, build, source, meson, cxx, work):
    tree = consumer_tree(work / "tree")
    (tree / "subprojects").mkdir()
    (tree / "subprojects/mere").symlink_to(source)
    # The build's options, so that its objects serve: what is asked is what meson makes of mere inside another tree.
    options = {o["name"]: o["value"] for o in json.loads((build / "meson-info/intro-buildoptions.json").read_text())}
    names = ("buildtype", "optimization", "debug", "b_ndebug", "b_lto")
    same = [f"-D{name}={str(options[name]).lower()}" for name in names]
    reused = work / "reused"
    reused.touch()
    compiler = work / "cxx"
    words = [sys.executable, "-S", HERE.parent / "reuse_objects.py", build, reused, shlex.join(cxx)]
    compiler.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, words))} "$@"\n')
    compiler.chmod(0o755)
    problems = run(*meson, "setup", tree / "build", tree, "--force-fallback-for=mere", *same,
                   env=dict(os.environ, CXX=str(compiler)))
    problems = problems or run("ninja", "-C", tree / "build", "consumer", "consumer_c")
    problems = problems or run(tree / "build/consumer", work)
    problems = problems or run(tree / "build/consumer_c", work / "consumer.mere")
    tap.check(problems, "meson: mere as a subproject serves a consumer")
    print(f"# {reused.stat().st_size} objects were those of the build")


def main():
    build, source = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    meson, cxx, cc = (word.split() for word in sys.argv[3:6])
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="mere-install-") as name:
        work = pathlib.Path(name)
        if "--subproject" in sys.argv:
            check_subproject(tap, build, source, meson, cxx, work)
            tap.finish()
        problems = run(*meson, "install", "-C", build, "--no-rebuild", "--destdir", work / "root")
        if tap.check(problems, "install: meson installs into DESTDIR"):
            installed = Install(work / "root")
            check_files(tap, installed, source)
            check_headers(tap, installed, cxx, cc, work)
            check_pkg_config(tap, installed, cxx, cc, work)
            check_cmake(tap, installed, work)
            check_meson(tap, installed, meson, work)
        tap.finish()


if __name__ == "__main__":
    main()
