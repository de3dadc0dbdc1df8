"""Holds the built library against what it promises: its exports, its SONAME, how it was compiled.

  library_test.py LIBMERE_SO BUILD_ROOT SOURCE_ROOT SOVERSION
"""
import json
import pathlib
import platform
import re
import shlex
import subprocess
import sys

from tap import Tap

# Rooms of lib/ whose names are nobody's but ours.
ROOMS = "os|codec|format|container|trust|importers|cache|program|lower|predict"
PREFIX = re.compile(r"^(typeinfo for |typeinfo name for |vtable for |VTT for |guard variable for |"
                    r"non-virtual thunk to |virtual thunk to )")


def exports(library):
    listing = subprocess.run(["nm", "-D", "-C", "--defined-only", library], check=True, capture_output=True, text=True)
    for line in listing.stdout.splitlines():
        yield line.split(" ", 2)[2]


def not_compiled(source, compiled):
    for folder in ("lib", "apps", "tests"):
        files = sorted((source / folder).rglob("*.cpp"))
        if not any(f in compiled for f in files):
            continue  # an option left that part out
        for file in files:
            # Consumers are built against the installed library; code for x86 is built there alone.
            elsewhere = {"consumers", "data", "tutorial"} & set(file.relative_to(source).parts)
            # Makers of fixtures are run by hand, as make.py is.
            if folder == "tests" and file.name.startswith("make_"):
                continue
            of_x86 = "avx" in file.stem and platform.machine() != "x86_64"
            if file not in compiled and not elsewhere and not of_x86:
                yield str(file.relative_to(source))


def main():
    library, build, source = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]).resolve()
    soversion = sys.argv[4]
    options = json.loads((build / "meson-info/intro-buildoptions.json").read_text())
    buildtype = next(o["value"] for o in options if o["name"] == "buildtype")
    tap = Tap()
    names = [PREFIX.sub("", name) for name in exports(library)]
    tap.check([] if "mere::Error::what() const" in names else ["mere::Error::what() is missing"],
              "the library exports what MERE_API marks")
    tap.check((n for n in names if not re.match(r"(mere::|mere_\w+$)", n)),
              "the library exports names of mere and its C ABI alone")
    # g++ shows members of std's templates where they return a type of ours; -O3 leaves none.
    shown_by_std = re.compile(r"$" if buildtype == "release" else r"mere::\S+ std::")
    tap.check((n for n in names if re.match(rf"mere::(?:{ROOMS})::", n) and not shown_by_std.match(n)),
              "no room of lib/ is exported")

    dynamic = subprocess.run(["readelf", "-d", library], check=True, capture_output=True, text=True).stdout
    soname = re.search(r"SONAME.*\[(.*)\]", dynamic)
    expected = f"libmere.so.{soversion}"
    tap.check([] if soname and soname[1] == expected else [f"found {soname and soname[1]}, expected {expected}"],
              "the library has its SONAME")
    needed = re.findall(r"NEEDED.*\[(.*)\]", dynamic)
    known = re.compile(r"lib(stdc\+\+|m|c|gcc_s|lz4|z|zstd|bz2|lzma|deflate|crypto|pthread|asan|ubsan|tsan)\.|ld-linux")
    tap.check((n for n in needed if not known.match(n)), "the library needs no package but those of docs/design.md")

    commands = json.loads((build / "compile_commands.json").read_text())
    compiled = {(pathlib.Path(c["directory"]) / c["file"]).resolve(): c for c in commands}
    ours = [c for path, c in compiled.items() if source / "lib" in path.parents]
    tap.check(not_compiled(source, compiled), "every .cpp of lib, apps and tests is compiled")
    tap.check((c["file"] for c in ours if "-ffp-contract=off" not in shlex.split(c["command"])),
              "every source of lib/ is compiled without contraction into fused multiply-add")
    tap.check((c["file"] for c in ours if re.search(r"-m(arch|tune)=native|-Ofast|-ffast-math", c["command"])),
              "no source of lib/ is compiled for one machine, or with inexact arithmetic")
    sentence = "a release build is compiled with -O3"
    if buildtype == "release":
        tap.check((c["file"] for c in ours if "-O3" not in shlex.split(c["command"])), sentence)
    else:
        tap.skip(sentence, f"this is a {buildtype} build")
    tap.finish()


if __name__ == "__main__":
    main()
