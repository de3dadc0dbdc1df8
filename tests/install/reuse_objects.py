"""A C++ compiler that takes a finished build's objects where it would make the same ones.

  reuse_objects.py BUILD_ROOT COUNT_FILE COMPILER ARGUMENT...

The same source with the same options, whatever the folders are called, gives the same object: it is copied from
BUILD_ROOT, and a byte is added to COUNT_FILE. Anything else goes to COMPILER.
"""
import json
import os
import shlex
import shutil
import sys

PLACES = {"-o", "-c", "-MF", "-MQ", "-MT", "-isystem"}   # followed by a path, which differs between builds


def parts(words):
    """({option with a path: that path}, the other options) of a compiler's arguments."""
    paths, options = {}, []
    words = iter(words)
    for word in words:
        if word in PLACES:
            paths[word] = next(words, "")
        elif not word.startswith("-I"):
            options.append(word)
    return paths, options


def find_object(build, paths, options):
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    source = os.path.realpath(paths["-c"])
    for entry in commands:
        if os.path.realpath(os.path.join(entry["directory"], entry["file"])) == source:
            words = shlex.split(entry["command"])
            # The compiler and its launcher are words without a dash.
            first = next(i for i, word in enumerate(words) if word.startswith("-"))
            their_paths, their_options = parts(words[first:])
            if their_options == options:
                return os.path.join(entry["directory"], their_paths["-o"])
    return None


def main():
    build, count_file, compiler, *words = sys.argv[1:]
    paths, options = parts(words)
    if "-c" in paths and "-o" in paths and "-MF" in paths:
        found = find_object(build, paths, options)
        if found and os.path.exists(found):
            shutil.copyfile(found, paths["-o"])
            with open(paths["-MF"], "w", encoding="utf-8") as file:
                file.write(f"{paths['-o']}: {paths['-c']}\n")
            with open(count_file, "ab") as file:
                file.write(b"x")
            return
    compiler = shlex.split(compiler)
    os.execvp(compiler[0], compiler + words)


main()
