"""What failed in a test program and why, in few lines, from its entry in meson's test log.

A remote log is often cut to its end: these lines have to be enough to understand a failure without another run.
"""
import re

MOST_LINES = 40      # of a program
LINES_OF_CASE = 16   # of a case, while other cases failed too
WIDEST = 400
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
TAP_FAILURE = re.compile(r"^not ok\b.*(?:\n#.*)*", re.M)
DOCTEST_RULE = re.compile(r"^={70,}$", re.M)
DOCTEST_ERROR = re.compile(r"^(\S+:\d+): ((?:FATAL )?ERROR: .*)$")
# What sanitizers and the C++ library say before they end a program.
LAST_WORDS = re.compile(r"^.*(?:ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|terminate called|"
                        r"Assertion .* failed|while running ).*$", re.M)


def doctest_cases(output):
    """Lines for each failed case of a doctest program: its name, then the assertions with their values."""
    cases = {}   # by name and subcases: a case that failed in two ways stands in two blocks
    for block in DOCTEST_RULE.split(output):
        lines = block.strip("\n").split("\n")
        start = next((i for i, line in enumerate(lines) if line.startswith("TEST CASE:")), None)
        if start is None:
            continue
        end = next((i for i in range(start, len(lines)) if not lines[i].strip()), len(lines))
        name = " / ".join(line.replace("TEST CASE:", "").strip() for line in lines[start:end])
        errors, taking = {}, None   # by place and text: a loop may fail many times
        for line in lines[end:]:
            found = DOCTEST_ERROR.match(line)
            if found:
                place = found[1].split("tests/")[-1]
                taking = errors.setdefault(f"{place}: {found[2]}", [])
                taking.append([])
            elif not line.strip() or re.match(r"\S+:\d+: ", line):
                taking = None
            elif taking:
                taking[-1].append(line.rstrip())
        if errors:
            told = cases.setdefault(name, [name])
            for text, times in errors.items():
                told += [text] + times[0]
                if len(times) > 1:
                    told.append(f"  and {len(times) - 1} times more")
    return list(cases.values())


def tap_cases(output):
    return [text.split("\n") for text in TAP_FAILURE.findall(output)]


def shortened(lines, most):
    """At most `most` lines: the first ones and, as a Python traceback has its reason there, the last ones."""
    if len(lines) <= most:
        return lines
    first = most // 4
    return lines[:first] + [f"  ... {len(lines) - most + 1} lines ..."] + lines[len(lines) - (most - first - 1):]


def failure_lines(test):
    stdout = COLOUR.sub("", test.get("stdout") or "")
    stderr = COLOUR.sub("", test.get("stderr") or "")
    cases = tap_cases(stdout) + doctest_cases(stdout + "\n" + stderr)
    words = LAST_WORDS.search(stderr) or LAST_WORDS.search(stdout)
    if words:
        cases.append(words.string[words.start():].splitlines()[:LINES_OF_CASE])
    if not cases:
        cases = [[line for line in (stdout + "\n" + stderr).splitlines() if line.strip()][-LINES_OF_CASE:]]
    room = MOST_LINES if sum(map(len, cases)) <= MOST_LINES else max(LINES_OF_CASE, MOST_LINES // len(cases) - 1)
    lines = []
    for number, case in enumerate(cases):
        told = shortened(case, room)
        if len(lines) + len(told) > MOST_LINES - (number + 1 < len(cases)):
            names = "; ".join(later[0] for later in cases[number:] if later)
            lines.append(f"and {len(cases) - number} more: {names}")
            break
        lines += [told[0]] + ["  " + line for line in told[1:]] if told else []
    return [line if len(line) <= WIDEST else line[:WIDEST] + " ..." for line in lines]
