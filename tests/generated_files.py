"""Writes the files that are generated from registries: `make generate`.

- `mtl_keras/__init__.pyi`: editors complete names from it, because the package
  imports its names when it runs.
- `mtl_keras/cli/contents.json`: `mtl-keras list` reads it instead of importing
  TensorFlow.
- The table of factories in README.md.
"""

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import mtl_keras

PACKAGE = Path(mtl_keras.__file__).parent
README = PACKAGE.parent / "README.md"


def stub():
    """Returns the text of `__init__.pyi`: each name and where it is defined."""
    lines = ["# Written by `make generate`.", ""]
    for name in mtl_keras.__all__:
        value = getattr(mtl_keras, name)
        home = "mtl_keras"
        if not inspect.ismodule(value):
            # Of a factory its file: the registry may find it by its name.
            parts = value.__module__.split(".")
            home = ".".join(parts if name[:6] == "build_" else parts[:2])
        lines.append(f"from {home} import {name} as {name}")
    return _format("\n".join([*lines, "", "__version__: str", ""]))


def contents():
    """Returns the text of `contents.json`: names and their descriptions."""
    datasets, models = mtl_keras.datasets, mtl_keras.models
    weighting = mtl_keras.weighting
    sections = {
        "Factories": {n: models.get(n) for n in models.names()},
        "Data sets": {
            # What reads files is described by the function that does.
            n: getattr(datasets.get(n), "read", datasets.get(n))
            for n in datasets.names()
        },
        "Weightings": weighting._METHODS,
    }
    lines = {
        title: {name: _first_line(value) for name, value in rows.items()}
        for title, rows in sections.items()
    }
    return json.dumps(lines, indent=2, ensure_ascii=False) + "\n"


def readme():
    """Returns the text of README.md with the current table of factories."""
    text = README.read_text(encoding="utf-8")
    marked = re.compile(r"(<!-- factories -->\n).*?(<!-- /factories -->)", re.S)
    assert marked.search(text), "the marks around the table are missing"
    lines = ["| Inputs | Factory | Network |", "| --- | --- | --- |"]
    table = mtl_keras.models.table()
    for row in sorted(table, key=lambda row: (row.inputs, row.name)):
        network = row.summary.removeprefix("Builds ").removesuffix(".")
        lines.append(f"| {row.inputs} | `{row.name}` | {network} |")
    rows = "".join(f"{line}\n" for line in lines)
    return marked.sub(lambda found: found[1] + rows + found[2], text)


FILES = {
    README: readme,
    PACKAGE / "__init__.pyi": stub,
    PACKAGE / "cli" / "contents.json": contents,
}


def _first_line(documented):
    return inspect.getdoc(documented).partition("\n")[0]


def _format(text):
    for command in (
        ("check", "--quiet", "--select", "I", "--fix"),
        ("format", "--quiet"),
    ):
        text = subprocess.run(
            [
                *(sys.executable, "-m", "ruff", *command),
                *("--config", str(PACKAGE.parent / "pyproject.toml")),
                *("--stdin-filename", "__init__.pyi", "-"),
            ],
            input=text,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    return text


if __name__ == "__main__":
    for path, text in FILES.items():
        path.write_text(text(), encoding="utf-8")
