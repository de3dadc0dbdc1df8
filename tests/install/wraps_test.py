"""Configures and builds with the wraps of subprojects/ instead of the system's packages, where their archives are at hand.

  wraps_test.py SOURCE_ROOT MESON

Archives are looked for in subprojects/packagecache/ under their source_filename; nothing is downloaded.
"""
import configparser
import hashlib
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "house"))
from install_test import run  # noqa: E402
from tap import Tap  # noqa: E402


def main():
    source, meson = pathlib.Path(sys.argv[1]), sys.argv[2].split()
    cache = source / "subprojects/packagecache"
    tap = Tap()
    at_hand, absent = [], []
    for wrap in sorted((source / "subprojects").glob("*.wrap")):
        facts = configparser.ConfigParser(interpolation=None)
        facts.read(wrap)
        patch = facts["wrap-file"].get("patch_directory")
        overlay = source / "subprojects/packagefiles" / str(patch) / "meson.build"
        tap.check([f"{overlay} does not exist"] if patch and not overlay.is_file() else [],
                  f"{wrap.name}: its overlay exists, if it names one")
        archive = cache / facts["wrap-file"]["source_filename"]
        if not archive.is_file():
            absent.append(archive.name)
            continue
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if tap.check([] if found == facts["wrap-file"]["source_hash"] else [f"found {found}"],
                     f"{wrap.name}: the archive has its hash"):
            at_hand.append((wrap, facts["provide"]["dependency_names"]))

    if absent and at_hand:
        tap.skip("every archive has its hash", "not in subprojects/packagecache/: " + ", ".join(absent))
    sentence = "the library builds on wraps alone: " + (", ".join(w.stem for w, _ in at_hand) or "all")
    if not at_hand:
        tap.skip(sentence, "subprojects/packagecache/ holds no archive")
        tap.finish()
    with tempfile.TemporaryDirectory(prefix="mere-wraps-") as name:
        # A copy of the tree, so that unpacked wraps do not stay in the checkout.
        tree = pathlib.Path(name) / "mere"
        shutil.copytree(source, tree, ignore=lambda folder, names: [
            n for n in names if n in (".git", "build") or n.startswith("build-")])
        build = pathlib.Path(name) / "build"
        problems = run(*meson, "setup", build, tree, "--wrap-mode=nodownload", "-Dbuildtype=debug", "-Doptimization=0",
                       "--force-fallback-for=" + ",".join(names for _, names in at_hand))
        problems = problems or run("ninja", "-C", build)
        problems = problems or run(*meson, "test", "-C", build, "--suite", "unit", "--no-rebuild")
        tap.check(problems, sentence)
    tap.finish()


if __name__ == "__main__":
    main()
