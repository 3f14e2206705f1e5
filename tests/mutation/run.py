"""Puts faults into a copy of the library and records which tests find them.

See the README beside this file.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from faults import Fault, LineNotFoundError, applied, find_line, read_faults
from reach import Reach, environment, measure, pytest_command, test_files

ROOT = Path(__file__).resolve().parents[2]
KILLED, SURVIVED, GONE = "killed", "survived", "line not found"
# A fault may cause an endless loop.
MOST_SECONDS = 3600
_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", ".*_cache", "runs", "searches", "dist"
)
_FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)


class Result(NamedTuple):
    """Result of the tests for a fault: a row of the table.

    Args:
        fault: Name of the fault.
        file: Path of the file.
        result: `"killed"`, `"survived"` or `"line not found"`.
        by: The test that failed, or what was run and passed.
        seconds: Time that it took.
    """

    fault: str
    file: str
    result: str
    by: str
    seconds: float


def main(arguments: list[str] | None = None) -> int:
    """Runs the script.

    Args:
        arguments: Those of the command line. Defaults to `sys.argv`.

    Returns:
        0 if every fault was found, else 1.
    """
    options = _parse(arguments)
    faults = read_faults()
    unknown = set(options.faults) - {fault.name for fault in faults}
    if unknown:
        sys.exit(f"No faults {sorted(unknown)} in faults.toml.")
    if options.faults:
        faults = [fault for fault in faults if fault.name in options.faults]
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copies = [
            make_copy(options.checkout, options.tests, Path(folder, str(index)))
            for index in range(options.jobs)
        ]
        reach = _reach(options, copies[0])
        known = read_results(options.output)
        waiting = [
            fault
            for fault in faults
            if fault.name not in known or known[fault.name].result != KILLED
        ]

        def record(result: Result) -> None:
            known[result.fault] = result
            write_results(options.output, known)
            print(*result[:1], *result[2:], sep="\t", flush=True)

        for result in _results(waiting, copies, reach, options.only):
            record(result)
        if options.whole:
            survivors = [
                fault
                for fault in faults
                if known[fault.name].result == SURVIVED
            ]
            for result in try_together(survivors, copies[0], reach):
                record(result)
        results = [known[fault.name] for fault in faults]
        unclear = fail_without_fault(results, copies[0])
    return _report(results, faults, unclear)


def make_copy(checkout: Path, tests: Path | None, folder: Path) -> Path:
    """Copies the library, with its tests or those of another checkout.

    Args:
        checkout: Root of the repository.
        tests: Root of the repository whose tests are taken, with the settings
            that they need, or `None` for those of `checkout`.
        folder: New folder.

    Returns:
        Root of the copy.
    """
    copy = folder / checkout.name
    shutil.copytree(checkout, copy, ignore=_LEFT_OUT)
    if tests is not None:
        shutil.rmtree(copy / "tests")
        shutil.copytree(tests / "tests", copy / "tests", ignore=_LEFT_OUT)
        for name in ("Makefile", "pyproject.toml"):
            shutil.copy(tests / name, copy)
    # Real data sets lie beside the repository, where there are any.
    shared = checkout.parent / "shared"
    if shared.is_dir():
        (folder / "shared").symlink_to(shared)
    found = subprocess.run(
        [sys.executable, "-c", "import mtl_keras; print(mtl_keras.__file__)"],
        cwd=folder,
        env=environment(copy),
        capture_output=True,
        text=True,
        check=True,
    )
    if not Path(found.stdout.strip()).is_relative_to(copy):
        raise RuntimeError(f"Python imports {found.stdout}, not {copy}.")
    return copy


def try_fault(
    fault: Fault, copy: Path, reach: Reach | None, only: list[str]
) -> Result:
    """Puts a fault into a copy and runs tests until one fails.

    Args:
        fault: The fault.
        copy: Root of the copy.
        reach: The result of coverage, or `None`.
        only: Tests that are run in place of those that may find the fault;
            empty for these.

    Returns:
        A `Result`.
    """
    start = time.monotonic()

    def result(outcome: str, by: str) -> Result:
        seconds = round(time.monotonic() - start, 1)
        return Result(fault.name, fault.file, outcome, by, seconds)

    try:
        find_line(fault, copy)
    except LineNotFoundError as error:
        return result(GONE, str(error))
    files = only or test_files(fault, copy, reach)
    tested = "files of its room" if reach is None else "files that reach it"
    tested = "given files" if only else tested
    left_out = () if reach is None else reach.failed
    with applied(fault, copy):
        test = first_failure(copy, files, left_out)
    if test is None:
        return result(SURVIVED, f"{len(files)} {tested}")
    return result(KILLED, test)


def try_together(
    faults: list[Fault], copy: Path, reach: Reach | None
) -> Iterator[Result]:
    """Runs all quick tests once on all surviving faults at the same time.

    Args:
        faults: The faults.
        copy: Root of the copy.
        reach: The result of coverage, or `None`.

    Yields:
        A `Result` for each, by itself, of the tests that failed.
    """
    left_out = () if reach is None else reach.failed
    with contextlib.ExitStack() as stack:
        for fault in faults:
            stack.enter_context(applied(fault, copy))
        failed = failures(copy, ["tests"], left_out) if faults else []
    for fault in faults:
        start = time.monotonic()
        with applied(fault, copy):
            test = first_failure(copy, failed) if failed else None
        seconds = round(time.monotonic() - start, 1)
        outcome = SURVIVED if test is None else KILLED
        by = test or "all quick tests"
        yield Result(fault.name, fault.file, outcome, by, seconds)


def first_failure(
    copy: Path, tests: list[str], left_out: Sequence[str] = ()
) -> str | None:
    """Runs quick tests until one fails.

    Args:
        copy: Root of the copy.
        tests: Files, folders or single tests.
        left_out: Tests that are not run.

    Returns:
        The test that failed, or `None`.
    """
    return next(iter(failures(copy, tests, left_out, "-x")), None)


def failures(
    copy: Path, tests: list[str], left_out: Sequence[str] = (), *options: str
) -> list[str]:
    """Runs quick tests.

    Args:
        copy: Root of the copy.
        tests: Files, folders or single tests.
        left_out: Tests that are not run.
        options: Options for pytest.

    Returns:
        The tests that failed.
    """
    command = [*pytest_command(copy), *options, *tests]
    command += [f"--deselect={test}" for test in left_out]
    try:
        done = subprocess.run(
            command,
            cwd=copy,
            env=environment(copy),
            capture_output=True,
            text=True,
            timeout=MOST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [f"no end within {MOST_SECONDS} seconds"]
    # 5 means that no tests ran.
    if done.returncode in (0, 5):
        return []
    failed = _FAILED.findall(done.stdout)
    if not failed:
        # A crash of the whole process is a failure as well.
        if done.returncode < 0:
            return [f"a crash by signal {-done.returncode}"]
        raise RuntimeError(f"{command}:\n{done.stdout}\n{done.stderr}")
    return failed


def fail_without_fault(results: list[Result], copy: Path) -> set[str]:
    """Finds the tests that fail without a fault too, which prove nothing.

    Args:
        results: The results.
        copy: Root of a copy without a fault.

    Returns:
        Names of tests.
    """
    tests = sorted({r.by for r in results if r.result == KILLED})
    tests = [test for test in tests if test.startswith("tests/")]
    failing = set()
    while tests:
        failed = first_failure(copy, tests)
        if failed is None:
            break
        failing.add(failed)
        tests = [test for test in tests if test != failed]
    return failing


def read_results(path: Path) -> dict[str, Result]:
    """Reads a table of results, by name of the fault."""
    if not path.is_file():
        return {}
    with path.open(newline="") as file:
        rows = [Result(**row) for row in csv.DictReader(file)]
    return {row.fault: row for row in rows}


def write_results(path: Path, results: dict[str, Result]) -> None:
    """Writes a table of results, in the order of the faults."""
    order = [fault.name for fault in read_faults()]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Result._fields)
        writer.writerows(results[name] for name in order if name in results)


def _results(faults, copies, reach, only):
    free = queue.SimpleQueue()
    for copy in copies:
        free.put(copy)

    def work(fault: Fault) -> Result:
        copy = free.get()
        try:
            return try_fault(fault, copy, reach, only)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        yield from pool.map(work, faults)


def _reach(options, copy: Path) -> Reach | None:
    if options.no_coverage or options.only:
        return None
    if not options.reach.is_file():
        options.reach.parent.mkdir(parents=True, exist_ok=True)
        measure(copy, options.cover).write(options.reach)
    return Reach.read(options.reach)


def _report(results: list[Result], faults: list[Fault], unclear: set) -> int:
    wrong = {fault.name: fault.wrong for fault in faults}
    sure = [r for r in results if r.result == KILLED and r.by not in unclear]
    print(f"\n{len(sure)} of {len(results)} faults killed.")
    for result in results:
        if result.result == SURVIVED:
            print(f"{result.fault} survived {result.by}: {wrong[result.fault]}")
        elif result.result == GONE:
            print(result.by)
        elif result.by in unclear:
            print(f"{result.fault}: {result.by} fails without it too.")
    return int(len(sure) < len(results))


def _parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("output", type=Path, help="CSV; faults that it has killed are skipped")
    add("--checkout", type=Path, default=ROOT, help="repository to test")
    add("--tests", type=Path, help="repository whose tests are taken instead")
    add("--faults", nargs="*", default=[], help="names of faults; default all")
    add("--jobs", type=int, default=1, help="faults at a time")
    add("--reach", type=Path, default=Path("runs/mutation/reach.json"))
    add("--cover", nargs="*", default=["tests"], help="tests of the coverage")
    add("--only", nargs="*", default=[], help="tests to run instead")
    add("--no-coverage", action="store_true", help="run a room's tests alone")
    add("--whole", action="store_true", help="then run all on the survivors")
    options = parser.parse_args(arguments)
    options.checkout = options.checkout.resolve()
    options.tests = options.tests and options.tests.resolve()
    return options


if __name__ == "__main__":
    sys.exit(main())
