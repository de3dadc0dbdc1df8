"""The table of docs/estimators.md from the reports of compare_formats.py.

    table.py REPORT.json... > estimators.md

A cell is the number of formats whose graph is the live object, of those the library can write; a reason stands below.
"""
import json
import pathlib
import sys

UNWRITTEN = "its library does not write it"


def release(report):
    return report["versions"]["sklearn"]


def cell(rows):
    """Of all variants of one estimator: "13/13", "12/13", or "-" where it could not be fitted."""
    if not rows:
        return "-"
    judged = [why for row in rows for why in row.values() if not (why or "").startswith(UNWRITTEN)]
    return f"{sum(why is None for why in judged)}/{len(judged)}"


def main():
    reports = sorted((json.loads(pathlib.Path(p).read_text()) for p in sys.argv[1:]),
                     key=lambda r: [int(n) if n.isdigit() else 0 for n in release(r).split(".")])
    names = sorted({label.split(" ")[0] for r in reports for label in r["estimators"]})
    print("# Estimators and formats\n")
    print("Made by `scripts/campaign-versions`. Every estimator of each release is fitted on a small data set (some in several\n"
          "variants), written in every format, converted, and the graph is compared node by node with an independent walk of the\n"
          "live object. A cell counts the files that are equal, of those its own library can write. joblib and skops do not keep\n"
          "which arrays are shared, so there sharing is not compared.\n")
    for report in reports:
        formats = sorted({f for row in report["estimators"].values() for f in row})
        judged = [why for row in report["estimators"].values() for why in row.values()
                  if not (why or "").startswith(UNWRITTEN)]
        print(f"- scikit-learn {release(report)} ({', '.join(f'{k} {v}' for k, v in report['versions'].items() if k != 'sklearn')}): "
              f"{sum(w is None for w in judged)} of {len(judged)} files; formats: {', '.join(formats)}; "
              f"not fitted: {', '.join(report['unfitted']) or 'none'}")
    print("\n| estimator | " + " | ".join(release(r) for r in reports) + " |")
    print("|---" * (len(reports) + 1) + "|")
    for name in names:
        rows = [[row for label, row in r["estimators"].items() if label.split(" ")[0] == name] for r in reports]
        print(f"| {name} | " + " | ".join(map(cell, rows)) + " |")
    print("\n## What is not equal\n")
    for report in reports:
        for label, row in report["estimators"].items():
            reasons = {}
            for format_, why in row.items():
                if why is not None:
                    reasons.setdefault(why, []).append(format_)
            for why, formats in reasons.items():
                print(f"- {release(report)}, {label}, {', '.join(formats)}: {why}")


if __name__ == "__main__":
    main()
