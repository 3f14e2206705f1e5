"""Tables of tasks, as text and as HTML."""

import html.parser

import pytest

from mtl_keras import Classification, DenseRegression, Regression, Segmentation
from mtl_keras.losses import CrossentropyDice
from mtl_keras.tasks.task_table import (
    HEADER,
    MAX_ROWS,
    html_table,
    make_row,
    text_table,
)


def row(task, shape=(10,), **arguments):
    """Returns a row of a task that was not compiled."""
    names = [m if isinstance(m, str) else m.name for m in task.metrics]
    return make_row(
        task,
        shape,
        **{
            "loss": task.loss,
            "weight": task.loss_weight,
            "metrics": names,
            **arguments,
        },
    )


ROWS = [
    row(Classification("digit", 10)),
    row(
        Segmentation(
            "mask",
            1,
            activation=None,
            loss=CrossentropyDice(from_logits=True, dice_weight=0.5),
            metrics=["iou", "dice", "accuracy"],
            loss_weight=0.25,
        ),
        (64, 64, 1),
    ),
    row(DenseRegression("depth", complete_labels=True), (64, 64, 1)),
]


def test_cells():
    assert ROWS[1] == (
        "mask",
        "(64, 64, 1)",
        "CrossentropyDice (from_logits=True, dice_weight=0.5)",
        "0.25",
        "iou (max), dice, accuracy",
        "-1, NaN",
    )


def test_missing_labels():
    assert row(Regression("age")).missing == "NaN"
    assert ROWS[2].missing == "error"


def test_a_task_without_loss_and_metrics():
    found = row(Regression("age"), loss=None, metrics=[])
    assert (found.loss, found.metrics) == ("none", "none")


@pytest.mark.parametrize("width", [80, 100, 200])
def test_text_fits_and_keeps_all_words(width):
    text = text_table(ROWS, width)
    assert max(map(len, text.splitlines())) <= width
    words = " ".join([*HEADER, *(cell for r in ROWS for cell in r)]).split()
    assert sorted(text.split()) == sorted(words)


def test_words_are_never_cut():
    assert "(from_logits=True," in text_table(ROWS, 20)


def test_the_width_is_that_of_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "90")
    assert text_table(ROWS) == text_table(ROWS, 90)


def test_wide_tables_have_a_line_per_task():
    assert text_table(ROWS[:1], 120) == (
        "task   output  loss          weight  metrics         missing\n"
        "digit  (10,)   Crossentropy       1  accuracy (max)  -1, NaN"
    )


def test_many_tasks():
    rows = [ROWS[0]] * (MAX_ROWS + 3)
    assert text_table(rows, 80).endswith("\n... and 3 more tasks")
    assert html_table(rows).count("<tr>") == MAX_ROWS + 1
    assert "more tasks" not in text_table(rows[:MAX_ROWS], 80)


class Cells(html.parser.HTMLParser):
    """Collects the cells of a table, and checks that all tags are closed."""

    def __init__(self):
        super().__init__()
        self.open, self.cells = [], []

    def handle_starttag(self, tag, attrs):
        """Opens a tag."""
        self.open.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag):
        """Closes the last tag."""
        assert self.open.pop() == tag

    def handle_data(self, data):
        """Adds text to a cell."""
        if self.open[-1] == "td":
            self.cells[-1] += data


def test_html_has_the_same_cells():
    rows = [*ROWS, ROWS[0]._replace(loss="a<b> & 'c'")]
    parser = Cells()
    parser.feed(html_table(rows))
    assert not parser.open
    assert parser.cells == [cell for each in rows for cell in each]
