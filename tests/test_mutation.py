"""The faults of tests/mutation fit the lines that they change."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_each_fault_finds_its_line_once():
    text = (ROOT / "tests" / "mutation" / "faults.toml").read_text()
    faults = tomllib.loads(text)
    assert len(faults) == 60
    wrong = []
    for name, fault in faults.items():
        file = ROOT / fault["file"]
        lines = file.read_text().splitlines() if file.is_file() else []
        count = sum(line.strip() == fault["line"] for line in lines)
        if count != 1 or fault["fault"] == fault["line"]:
            wrong.append(f"{name}: {count} such lines in {fault['file']}")
    assert not wrong, "\n".join(wrong)
