"""`mtl-keras list`"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from mtl_keras.zoo_index import entries, results

# Written by `make generate`, so that this command does not load TensorFlow.
_CONTENTS = Path(__file__).with_name("contents.json")
_FIXED = "Loss weights by task, which may change during training (the default)."


def list_all() -> None:
    """List the factories, data sets, weightings and zoo entries."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    sections = json.loads(_CONTENTS.read_text(encoding="utf-8"))
    sections["Weightings"] = {"None": _FIXED, **sections["Weightings"]}
    sections["Zoo, with test metrics"] = _zoo()
    table = Table.grid(padding=(0, 2))
    for title, rows in sections.items():
        table.add_row(f"[bold]{title}[/bold]")
        for name, line in rows.items():
            table.add_row(f"  {name}", escape(line))
        table.add_row()
    Console().print(table)


def _zoo() -> dict[str, str]:
    rows = results()
    return {
        entry.name: f"{entry.description}\n"
        + _reached(row for row in rows if row["entry"] == entry.name)
        for entry in entries()
    }


def _reached(rows: Iterable[dict]) -> str:
    """Returns the metrics of an entry, but for the losses, in one line."""
    found = [
        f"{row['task']} {row['metric']} {row['mean']:.4f} ± {row['std']:.4f}"
        for row in rows
        if row["metric"] != "loss"
    ]
    return ", ".join(found) or "No results yet."
