"""The figure of all plots. Imports matplotlib."""

from __future__ import annotations

import io

try:
    from matplotlib.figure import Figure
except ImportError as error:
    raise ImportError(
        "Plots need matplotlib, which is not installed: pip install matplotlib"
    ) from error

RIGHT, WRONG, PLAIN = "#1a7f37", "#c62828", "#333333"
TRAIN, VALIDATION = "#4c72b0", "#dd8452"


class NotebookFigure(Figure):
    """A matplotlib figure that a notebook shows once.

    It does not use `pyplot`, which keeps every figure in memory, may choose a
    backend that needs a display, and makes a notebook show a figure again at
    the end of the cell. Without `pyplot`, a notebook needs `_repr_png_` to
    show it.
    """

    def __init__(self, width: float, height: float):
        super().__init__(figsize=(width, height), layout="constrained")

    def _repr_png_(self) -> bytes:
        png = io.BytesIO()
        self.savefig(png, format="png")
        return png.getvalue()
