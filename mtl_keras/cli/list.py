"""`mtl-keras list`"""

from __future__ import annotations

from mtl_keras.cli.quiet import import_quietly


def list_all() -> None:
    """List the factories, data sets, weightings and zoo entries."""
    import_quietly()
    from rich.console import Console
    from rich.table import Table

    from mtl_keras import datasets, models, zoo

    sections = {
        "Factories": {n: _first_line(models.get(n)) for n in models.names()},
        "Data sets": {
            n: _first_line(datasets.get(n)) for n in datasets.names()
        },
        "Weightings": {
            "fixed": "Loss weights by task, which may change during training."
        },
        "Zoo": {entry.name: entry.description for entry in zoo.entries()},
    }
    table = Table.grid(padding=(0, 2))
    for title, rows in sections.items():
        table.add_row(f"[bold]{title}[/bold]")
        for name, line in rows.items():
            table.add_row(f"  {name}", line)
        table.add_row()
    Console().print(table)


def _first_line(documented) -> str:
    return (documented.__doc__ or "").strip().partition("\n")[0]
