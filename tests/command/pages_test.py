"""The man page and the completions name every subcommand and every option that the command takes."""
import pathlib
import re
import shutil
import subprocess
import sys

from command_case import Skip, case, main

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "man" / "mere.1"
COMPLETIONS = ROOT / "apps" / "mere" / "completions"


def options(mere, *subcommand):
    """The long and short options that --help lists."""
    text = mere.good(*subcommand, "--help").out.split("Examples:")[0]
    return set(re.findall(r"(?<![\w-])(--[a-z][a-z0-9-]*|-[a-zA-Z])(?![\w-])", text))


def subcommands(mere):
    text = mere.good("--help").out.split("Subcommands:")[1].split("Examples:")[0]
    names = re.findall(r"^  ([a-z]+)\s", text, re.M)
    assert len(names) == 13, names
    return names


def page_text():
    """The page without its markup: "Fl -json" is --json."""
    text = re.sub(r"\bFl (-?[A-Za-z][A-Za-z0-9-]*)", r"-\1", PAGE.read_text())
    return text


@case("man page: every subcommand has a section, and every option is named")
def page(mere):
    text = page_text()
    for name in subcommands(mere):
        assert f".Ss mere {name}" in text, name
        for option in options(mere, name):
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", text), (name, option)
    for option in options(mere):
        assert re.search(rf"(?<![\w-]){option}(?![\w-])", text), option


@case("man page: it names no option that no subcommand takes")
def page_is_true(mere):
    known = options(mere).union(*(options(mere, name) for name in subcommands(mere)))
    named = set(re.findall(r"(?<![\w-])(--[a-z][a-z0-9-]*)", page_text()))
    assert named <= known, named - known


@case("man page: it is well formed")
def page_form(mere):
    if shutil.which("mandoc"):
        command = ["mandoc", "-T", "lint", "-W", "warning", str(PAGE)]
    elif shutil.which("groff"):
        command = ["groff", "-mandoc", "-ww", "-z", "-Tutf8", str(PAGE)]
    else:
        raise Skip("neither mandoc nor groff is installed")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0 and done.stdout.strip() == "", done.stdout


def fish_options(text, name):
    """Options in mere.fish of the lines that are for `name` or for all."""
    found = set()
    for line in text.splitlines():
        condition = re.search(r"-n '__mere_uses ([a-z ]+)'", line)
        if line.startswith("complete") and (condition is None or name in condition[1].split()):
            found |= {"--" + word for word in re.findall(r"-l ([a-z0-9-]+)", line)}
            found |= {"-" + word for word in re.findall(r"-s ([a-zA-Z])\b", line)}
    return found


@case("fish: completes every subcommand and each of its options")
def fish(mere):
    text = (COMPLETIONS / "mere.fish").read_text()
    for name in subcommands(mere):
        assert f"-a {name} " in text, name
        missing = options(mere, name) - fish_options(text, name)
        assert not missing, (name, missing)
        extra = fish_options(text, name) - options(mere, name) - {"--version"}
        assert not extra, (name, extra)


@case("zsh: names every subcommand and each of its options")
def zsh(mere):
    text = (COMPLETIONS / "_mere").read_text()
    for name in subcommands(mere):
        assert f"'{name}:" in text, name
        part = re.search(rf"^        {name}\)(.*?);;", text, re.S | re.M)[1]
        for variable in re.findall(r"\$(\w+)", part):
            lines = re.search(rf"^  {variable}=\((.*?)^  \)|^  local {variable}='(.*?)'$", text, re.S | re.M)
            part += lines[1] or lines[2]
            if "$limits" in part:
                part += re.search(r"^  limits=\((.*?)^  \)", text, re.S | re.M)[1]
        missing = [option for option in options(mere, name) if not re.search(rf"(?<![\w-]){option}(?![\w-])", part)]
        assert not missing, (name, missing)


def complete_bash(*words):
    script = f"""
source {COMPLETIONS / 'mere.bash'}
COMP_WORDS=({' '.join(words)} '')
[[ -n $LAST ]] && COMP_WORDS[-1]=$LAST
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_mere
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    def run(last):
        return set(subprocess.run(["bash", "-c", script], env={"LAST": last, "PATH": "/usr/bin:/bin"}, text=True,
                                  stdout=subprocess.PIPE, check=True).stdout.split())
    return run


@case("bash: completes every subcommand, each of its options, and the words an option takes")
def bash(mere):
    assert set(subcommands(mere)) <= complete_bash("mere")("")
    for name in subcommands(mere):
        offered = complete_bash("mere", name)("-")
        missing = options(mere, name) - offered
        assert not missing, (name, missing)
        extra = {word for word in offered if word.startswith("--")} - options(mere, name)
        assert not extra, (name, extra)
    assert complete_bash("mere", "convert", "--codec")("") == {"none", "lz4", "lz4hc", "zlib", "zstd", "smallest"}
    assert complete_bash("mere", "convert", "--durability")("f") == {"full"}
    assert complete_bash("mere", "info", "--verify")("") == {"none", "manifest", "all"}
    assert complete_bash("mere", "share", "--expand")("") == {"shared", "in_memory", "lazy"}


@case("bash, zsh and fish: the files are sound scripts")
def scripts(mere):
    subprocess.run(["bash", "-n", COMPLETIONS / "mere.bash"], check=True)
    lacking = []
    for shell, name in ("zsh", "_mere"), ("fish", "mere.fish"):
        if shutil.which(shell):
            subprocess.run([shell, "-n", COMPLETIONS / name], check=True)
        else:
            lacking.append(shell)
    if lacking:
        raise Skip(" and ".join(lacking) + " not installed")


assert sys.argv[1:], "pages_test.py COMMAND"
main()
