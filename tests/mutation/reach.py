"""Test files by the lines they reach, from one coverage run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from faults import Fault, find_statement


class Reach(NamedTuple):
    """Results of the quick tests without a fault.

    Args:
        lines: By file of the library and number of a line, the test files
            that reach it. Numbers are strings, as JSON has it.
        seconds: Time of the quick tests, by test file.
        failed: Tests that fail without a fault, which are left out.
    """

    lines: dict[str, dict[str, list[str]]]
    seconds: dict[str, float]
    failed: list[str]

    def write(self, path: Path) -> None:
        """Writes it as JSON."""
        path.write_text(json.dumps(self._asdict()))

    @classmethod
    def read(cls, path: Path) -> Reach:
        """Reads what `write` wrote."""
        return cls(**json.loads(path.read_text()))


def pytest_command(root: Path) -> list[str]:
    """Returns the command that runs the quick tests of `make test`.

    Args:
        root: Root of the repository, whose Makefile selects them.

    Returns:
        The command, to which tests and options are added.
    """
    chosen = re.search(r'-m "(not slow[^"]*)"', (root / "Makefile").read_text())
    return [
        *(sys.executable, "-m", "pytest", "-q", "-n", "0"),
        *("-p", "no:cacheprovider", "-m", chosen[1]),
    ]


def environment(root: Path) -> dict[str, str]:
    """Returns the environment in which the package of a copy is imported."""
    paths = [str(root), os.environ.get("PYTHONPATH", "")]
    return {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "KERAS_BACKEND": "tensorflow",
    }


def measure(root: Path, tests: Sequence[str] = ("tests",)) -> Reach:
    """Runs the quick tests of a copy once, under coverage.

    Args:
        root: Root of the copy.
        tests: Files and folders of tests. Defaults to all.

    Returns:
        A `Reach`.
    """
    import coverage

    report, data = root.parent / "junit.xml", root.parent / "coverage"
    options = ("--cov=mtl_keras", "--cov-context=test", "--cov-report=")
    subprocess.run(
        [
            *pytest_command(root),
            *options,
            f"--junitxml={report}",
            *tests,
        ],
        cwd=root,
        env=environment(root) | {"COVERAGE_FILE": str(data)},
        check=False,
    )
    seconds, failed = read_report(report, root)
    found = coverage.CoverageData(str(data))
    found.read()
    lines = {}
    for name in found.measured_files():
        path = Path(name)
        if not path.is_relative_to(root):
            continue
        file_lines = lines.setdefault(str(path.relative_to(root)), {})
        for number, contexts in found.contexts_by_lineno(name).items():
            files = {context.split("::")[0] for context in contexts} - {""}
            file_lines[str(number)] = sorted(files)
    return Reach(lines, seconds, failed)


def read_report(report: Path, root: Path) -> tuple[dict, list]:
    """Reads a report of pytest.

    Args:
        report: Path of the JUnit file.
        root: Root of the repository that was tested.

    Returns:
        Seconds by test file, and the tests that failed.
    """
    seconds, failed = {}, []
    for case in ElementTree.parse(report).iter("testcase"):
        file, *classes = _split(case.get("classname"), root)
        seconds[file] = seconds.get(file, 0.0) + float(case.get("time"))
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append("::".join([file, *classes, case.get("name")]))
    return seconds, failed


def _split(classname: str, root: Path) -> list[str]:
    parts = classname.split(".")
    for count in range(len(parts), 0, -1):
        file = "/".join(parts[:count]) + ".py"
        if (root / file).is_file():
            return [file, *parts[count:]]
    return [classname]


def test_files(fault: Fault, root: Path, reach: Reach | None) -> list[str]:
    """Lists the test files that may find a fault, the nearest first.

    Args:
        fault: The fault.
        root: Root of the copy.
        reach: The result of coverage. Without it, and for lines that only an
            import executes, the files of the fault's package are returned.

    Returns:
        Paths from the root: of those as near as each other the fastest first.
    """
    statement, defines = find_statement(fault, root)
    files = set()
    if reach is not None and not defines:
        file_lines = reach.lines.get(fault.file, {})
        files = {
            test
            for number in statement
            for test in file_lines.get(str(number), ())
        }
    if not files:
        files = package_test_files(fault, root)
    seconds = {} if reach is None else reach.seconds
    return sorted(
        files,
        key=lambda test: (-_nearness(fault, test), seconds.get(test, 0), test),
    )


def package_test_files(fault: Fault, root: Path) -> set[str]:
    room = Path(fault.file).parts[1]
    tests = (root / "tests" / room).rglob("test_*.py")
    return {str(path.relative_to(root)) for path in tests}


def _nearness(fault: Fault, test: str) -> int:
    """Returns the similarity of the names of folders and file."""
    _, *folders, file = Path(fault.file).with_suffix("").parts
    _, *others, name = Path(test).with_suffix("").parts
    same = 0
    for one, other in zip(folders, others, strict=False):
        if one != other:
            break
        same += 1
    words = set(file.split("_")) & set(name.split("_"))
    return 10 * same + len(words)
