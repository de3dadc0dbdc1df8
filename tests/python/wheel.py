"""Builds the wheel as `pip install .` does, from a clean checkout, looks into it, installs it into a fresh environment
and runs tests of the package there. Prints TAP.

  wheel.py FOLDER PYTHON [--debian]

FOLDER keeps the checkout, what was compiled and the wheel for the next time. With --debian nothing is fetched: the
build takes Debian's own meson-python and pybind11, and the new environment sees Debian's packages.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
# Those that need no command.
TESTS = ("foreign", "joblib_manners", "load", "ensembles/same_answers", "ensembles/sharing")
SMOKE = """
import os, sys, tempfile
import numpy as np
import mere
assert os.path.realpath(mere.__file__).startswith(os.path.realpath(sys.prefix) + "/"), mere.__file__
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
X, y = load_digits(return_X_y=True)
forest = RandomForestClassifier(20, random_state=0).fit(X, y)
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "forest.mere")
    mere.dump(forest, path)
    loaded = mere.load(path)
    assert type(loaded) is not RandomForestClassifier and isinstance(loaded, RandomForestClassifier)
    assert np.array_equal(loaded.predict_proba(X), forest.predict_proba(X))
    with mere.open(path) as model:
        assert np.array_equal(model.predict(X), forest.predict(X))
    assert "scikit-learn" in str(mere.info(path))
"""


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = False

    def line(self, sentence, problems=(), skip=""):
        self.count += 1
        problems = [line for problem in problems for line in str(problem).splitlines()]
        print(f"{'not ok' if problems else 'ok'} {self.count} - {sentence}{' # SKIP ' + skip if skip else ''}")
        for problem in problems:
            print("# " + problem)
        sys.stdout.flush()
        self.failed = self.failed or bool(problems)
        return not problems


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", **options)
    return done.returncode, done.stdout


def problems_of(*command, **options):
    ended, said = run(*command, **options)
    return [] if ended == 0 else [f"{' '.join(map(str, command))[:200]}: exit status {ended}"] + said.splitlines()[-30:]


def check_out(checkout):
    """The last commit, and what is under way in this tree: a file that git does not know is not in the wheel either."""
    if not (checkout / ".git").exists():
        problems = problems_of("git", "clone", "-q", "--no-checkout", SOURCE, checkout)
        if problems:
            return problems
    problems = problems_of("git", "-C", checkout, "fetch", "-q", SOURCE, "HEAD") or \
        problems_of("git", "-C", checkout, "checkout", "-q", "--force", "--detach", "FETCH_HEAD")
    ended, changed = run("git", "-C", SOURCE, "diff", "--name-only", "HEAD", "--", "python", "pyproject.toml",
                         "meson.build", "meson_options.txt")
    for name in changed.split() if ended == 0 else []:
        if (SOURCE / name).exists():
            shutil.copy2(SOURCE / name, checkout / name)
    return problems


def contents(wheel):
    """What is wrong with the files in a wheel, as texts."""
    names = zipfile.ZipFile(wheel).namelist()
    plain = {f"mere/{path.relative_to(SOURCE / 'python' / 'mere')}"
             for pattern in ("*.py", "*.pyi", "py.typed") for path in (SOURCE / "python" / "mere").rglob(pattern)}
    yield from (f"{name} is not in it" for name in sorted(plain - set(names)))
    others = sorted(set(names) - plain)
    core = [name for name in others if re.fullmatch(r"mere/_core\.[\w-]+\.so", name)]
    if len(core) != 1:
        yield f"one mere/_core is expected: {core}"
    yield from (f"{name} has no place in it" for name in others
                if name not in core and not re.fullmatch(r"mere-[\w.]+\.dist-info/[\w./]+", name))
    metadata = next((zipfile.ZipFile(wheel).read(name).decode() for name in names if name.endswith("/METADATA")), "")
    version = re.search(r'__version__ = "(.*)"', (SOURCE / "python/mere/__init__.py").read_text(encoding="utf-8"))[1]
    for line in (f"Version: {version}", "Name: mere", "Requires-Python: >=3.9", "Requires-Dist: numpy"):
        if not re.search(re.escape(line), metadata):
            yield f"METADATA has no {line!r}"


def main():
    debian = "--debian" in sys.argv
    folder, python = [word for word in sys.argv[1:] if word != "--debian"]
    folder = pathlib.Path(folder).resolve()
    kind = "Debian's packages" if debian else "PyPI"
    tap = Tap()
    print("1..4", flush=True)
    if shutil.which("git") is None or not (SOURCE / ".git").exists():
        tap.line(f"wheel, {kind}: a clean checkout", skip="this is no git checkout")
        return
    folder.mkdir(parents=True, exist_ok=True)
    build_venv = folder / ("build-debian" if debian else "build-pypi")
    if not (build_venv / "bin" / "python").exists():
        options = ["--system-site-packages"] if debian else []
        problems = problems_of(python, "-m", "venv", *options, build_venv)
        if problems:
            tap.line(f"wheel, {kind}: an environment to build in", problems)
            sys.exit(1)
    if debian and problems_of(build_venv / "bin" / "python", "-c", "import mesonpy"):
        tap.line(f"wheel, {kind}: it is built", skip="no python3-mesonpy")
        return
    if debian and shutil.which("patchelf") is None:
        tap.line(f"wheel, {kind}: it is built", skip="no patchelf, which Debian's meson-python calls")
        return
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment.update(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_RETRIES="2")
    if debian:
        # Debian's meson knows Debian's packages, and one of pyenv's may stand before it.
        environment["PATH"] = "/usr/bin:" + environment["PATH"]
    elif problems_of(build_venv / "bin" / "pip", "download", "-q", "--no-deps", "-d", folder / "ask", "meson-python",
                     env=environment):
        tap.line(f"wheel, {kind}: it is built", skip="PyPI does not answer")
        return

    problems = check_out(folder / "source")
    for old in folder.glob("*.whl"):
        old.unlink()
    if not problems:
        # What was compiled is kept for the next time; meson-python called this setting otherwise before 0.13.
        setting = f"{'builddir' if debian else 'build-dir'}={folder / 'source' / build_venv.name}"
        problems = problems_of(build_venv / "bin" / "pip", "wheel", "-v", "--no-deps", "--config-settings", setting,
                               "-w", folder, *(["--no-build-isolation"] if debian else []), folder / "source",
                               env=environment)
    wheels = list(folder.glob("*.whl"))
    if not problems and not wheels:
        problems = ["pip made no wheel"]
    if not tap.line(f"wheel, {kind}: pip builds it from a clean checkout", problems):
        sys.exit(1)
    tap.line(f"wheel, {kind}: the package, its stubs and the core are in it, and nothing else", contents(wheels[0]))

    fresh = folder / ("run-debian" if debian else "run-pypi")
    shutil.rmtree(fresh, ignore_errors=True)
    problems = problems_of(python, "-m", "venv", *(["--system-site-packages"] if debian else []), fresh)
    install = [fresh / "bin" / "pip", "install", "-q"]
    problems = problems or problems_of(
        *install, *(["--no-index", "--no-deps", wheels[0]] if debian else
                    ["--only-binary", ":all:", f"{wheels[0]}[sklearn]", "joblib", "pandas"]), env=environment)
    problems = problems or problems_of(fresh / "bin" / "python", "-c", SMOKE, cwd=folder, env=environment)
    tap.line(f"wheel, {kind}: installed into a fresh environment it dumps, loads, opens and predicts", problems)
    if problems:
        sys.exit(1)
    failures, passed = [], 0
    for name in TESTS:
        ended, said = run(fresh / "bin" / "python", "-B", SOURCE / "tests/python/run.py",
                          SOURCE / f"tests/python/{name}_test.py", cwd=folder,
                          env={**environment, "MERE_TEST_DATA": str(SOURCE / "tests/data")})
        passed += len(re.findall("^ok", said, re.M))
        if ended != 0:
            failures += [f"{name}:"] + said.splitlines()[-40:]
    tap.line(f"wheel, {kind}: {passed} tests of the package pass where it is installed", failures)
    sys.exit(1 if tap.failed else 0)


if __name__ == "__main__":
    main()
