"""Holds the #includes of include/, lib/ and apps/ against tests/layers.txt.

  layers_test.py SOURCE_ROOT [--list]      --list prints the arrows that the includes make, as layers.txt has them
"""
import pathlib
import re
import sys

from tap import Tap

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
SOURCE_ENDINGS = {".hpp", ".cpp", ".h", ".c"}


def read_rules(path):
    """The page as (level of each room, room of each public header, arrows in order)."""
    level, header_room, arrows = {}, {}, []
    layers = 0
    for line in path.read_text().splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] == "layer":
            for room in words[1:]:
                level[room] = layers
            layers += 1
        elif words[0] == "header":
            header_room[words[1]] = words[2]
        elif len(words) == 3 and words[1] == "->":
            arrows.append((words[0], words[2]))
        else:
            raise SystemExit(f"{path}: a line of no known form: {line!r}")
    return level, header_room, arrows


def includes(folder):
    """(file, bracket, what it includes) of every source below `folder`."""
    for file in sorted(folder.rglob("*")):
        if file.suffix in SOURCE_ENDINGS and file.is_file():
            for bracket, target in INCLUDE.findall(file.read_text(errors="replace")):
                yield file, bracket, target


def room_arrows(root, level, header_room):
    """The arrows between rooms that includes make (a public header stands for its room): arrow to the first file."""
    found, wrong = {}, []
    for file, bracket, target in includes(root / "lib"):
        room = file.relative_to(root / "lib").parts[0]
        first = target.split("/")[0]
        if bracket == "<":
            if "/" in target and first in level:
                wrong.append(f"{file.relative_to(root)}: <{target}> is a header of ours: write it in quotes")
            owner = header_room.get(target.removeprefix("mere/")) if target.startswith("mere/") else None
            if owner and owner != room:
                found.setdefault((room, owner), file.relative_to(root))
            continue
        if "/" not in target or first not in level:
            wrong.append(f'{file.relative_to(root)}: "{target}" is not named as "room/file.hpp"')
        elif not (root / "lib" / target).is_file():
            wrong.append(f'{file.relative_to(root)}: "{target}" does not exist')
        elif first != room:
            found.setdefault((room, first), file.relative_to(root))
    return found, wrong


def main():
    root = pathlib.Path(sys.argv[1])
    level, header_room, arrows = read_rules(root / "tests" / "layers.txt")
    found, wrong = room_arrows(root, level, header_room)
    if "--list" in sys.argv:
        for a, b in sorted(found, key=lambda arrow: [(level.get(room, 99), room) for room in arrow]):
            print(f"{a} -> {b}")
        return

    tap = Tap()
    tap.check((f"{a} -> {b} stands {arrows.count((a, b))} times" for a, b in sorted(set(arrows))
               if arrows.count((a, b)) > 1), "layers.txt: each arrow stands once")
    tap.check((f"{a} -> {b}" for a, b in arrows if level[b] >= level[a]), "layers.txt: every arrow points down")
    folders = {p.name for p in (root / "lib").iterdir() if p.is_dir()}
    tap.check((f"lib/{room} has no layer" for room in sorted(folders - set(level))),
              "layers.txt: every room of lib/ has its layer")
    tap.check(wrong, 'lib: rooms include each other as "room/file.hpp", and the file exists')
    tap.check((f"{a} -> {b}: in {file}" for (a, b), file in found.items() if (a, b) not in arrows),
              "lib: every include between rooms is an arrow of layers.txt")
    tap.check((f"{a} -> {b}" for a, b in arrows if (a, b) not in found),
              "layers.txt: every arrow is used by some include")

    public = {p.name for p in (root / "include" / "mere").iterdir() if p.suffix in SOURCE_ENDINGS}
    tap.check((f"{name} has no room" for name in sorted(public - set(header_room))),
              "layers.txt: every public header names its room")
    problems = []
    for file, _, target in includes(root / "lib"):
        room = file.relative_to(root / "lib").parts[0]
        if target.startswith("mere/"):
            owner = header_room.get(target[len("mere/"):])
            if owner is None or level[owner] > level.get(room, -1):
                problems.append(f"{file.relative_to(root)}: <{target}> is promised by {owner}, which lies above {room}")
    tap.check(problems, "lib: a room includes public headers of its own layer and below")

    problems = []
    for file, bracket, target in includes(root / "include"):
        of_standard = bracket == "<" and "/" not in target and (not target.endswith(".h") or file.suffix == ".h")
        of_ours = bracket == "<" and target.startswith("mere/")
        of_xtensor = file.name == "xtensor.hpp" and target.startswith("xtensor/")
        if not (of_standard or of_ours or of_xtensor):
            problems.append(f"{file.relative_to(root)}: {target}")
    tap.check(problems, "include: public headers include the standard library and each other alone")

    problems = []
    for folder in ("include", "lib", "apps"):
        for file, _, target in includes(root / folder):
            if target.startswith("boost/") and file.relative_to(root).parts[:2] != ("lib", "os"):
                problems.append(f"{file.relative_to(root)}: {target}")
    tap.check(problems, "boost is included in lib/os alone")

    problems = []
    for file, bracket, target in includes(root / "apps"):
        here = file.parent
        if bracket == '"' and not (here / target).is_file() and not (root / "apps" / target).is_file():
            problems.append(f"{file.relative_to(root)}: {target}")
        if bracket == "<" and target.split("/")[0] in level:
            problems.append(f"{file.relative_to(root)}: {target}")
    tap.check(problems, "apps: the command includes public headers and its own files, no room of lib/")
    tap.finish()


if __name__ == "__main__":
    main()
