"""The figure that all plots are drawn on. Imports matplotlib."""

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

    It is made without `pyplot`, which would keep every figure in memory,
    choose a backend that may want a display, and let a notebook show a figure
    a second time at the end of the cell. What is lost without `pyplot` is
    that notebooks know how to show it; `_repr_png_` says how.
    """

    def __init__(self, width: float, height: float):
        super().__init__(figsize=(width, height), layout="constrained")

    def _repr_png_(self) -> bytes:
        png = io.BytesIO()
        self.savefig(png, format="png")
        return png.getvalue()
