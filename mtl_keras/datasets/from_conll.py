"""Reads sentences from CoNLL files, which have one token per line."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from mtl_keras.datasets.reading.conll_file import (
    ConllFile,
    drop_header,
    drop_non_words,
    read_conll_file,
    read_tokens,
)
from mtl_keras.datasets.reading.label_rules import LabelRules
from mtl_keras.datasets.reading.sentence_splits import (
    files_by_part,
    make_sentence_splits,
    split_sentences,
)
from mtl_keras.datasets.reading.tag_targets import make_tag_target
from mtl_keras.datasets.reading.target_spec import TargetSpec, read_target_specs
from mtl_keras.datasets.splits import Splits
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task

_TOKEN, _DOCUMENT = "token", "document"


def from_conll(
    path: str | os.PathLike | Mapping[str, str | os.PathLike],
    tasks: Sequence[str | Task] | Mapping[str, object],
    inputs: str | None = None,
    *,
    columns: Sequence[str] | None = None,
    scheme: str | Mapping[str, str] = "iob2",
    unknown_classes: str = "error",
    validation: float | None = None,
    test: float | None = None,
    group: str | None = None,
    batch_size: int = 32,
    seed: int = 0,
    missing_values: Sequence[str] = (),
    delimiter: str | None = None,
    encoding: str = "utf-8",
) -> Splits:
    """Reads CoNLL files: one token with its tags per line.

    An empty line ends a sentence. Each column of tags becomes a
    `SequenceTagging`. Tags such as `B-per` mark spans: they are converted to
    the IOB2 scheme, and the task gets span metrics. Other tags are classes of
    tokens. Batches of the training part hold sentences of similar length, and
    every batch is padded to its longest sentence.

    Ignored are a first line that names the columns, lines that begin a
    document (`-DOCSTART-`), comments (lines before a sentence that begin with
    `#` and are not a token), and, in CoNLL-U, multiword tokens and empty
    nodes.

    Args:
        path: String or path of a file, which is split at random; or a dict of
            the files of `"train"` and, optionally, `"validation"` and
            `"test"`.
        tasks: What to predict. A list of column names, or of tasks that are
            named after columns; or a dict from task name to a list of its
            column, a task, or a dict with `"kind"`, `"columns"` and arguments
            of `SequenceTagging`. An empty list reads only the tokens, for
            `predict`.
        inputs: String, name of the token column. Defaults to `None`: the
            first column that belongs to no task.
        columns: List of the names of all columns. Defaults to `None`: a token
            and a tag for each task, in their order.
        scheme: String, the tagging scheme of spans, from which tags are
            converted to IOB2: `"iob2"`, `"iob1"`, `"bioes"`, `"bilou"` or
            `"bmewo"`, see `to_iob2`; or `"plain"`, which keeps tags as classes
            of tokens. A dict sets it by task. Defaults to `"iob2"`.
        unknown_classes: String, how to treat tags that do not occur in the
            training part: `"error"` raises an error, `"missing"` makes them
            missing labels, together with the other tags of their spans.
            Defaults to `"error"`.
        validation: Float, fraction of the sentences to use for validation.
            Defaults to `None`: 0.1 of a single file, 0 of several.
        test: Float, fraction of the sentences to use for the test. Defaults
            to `None`: 0.2 of a single file, 0 of several.
        group: `"document"` keeps the sentences of one document, which
            `-DOCSTART-` begins, in one part. Defaults to `None`: sentences are
            split independently.
        batch_size: Integer, sentences per batch. Defaults to 32.
        seed: Integer of at least 0, seed of the split and of the order of the
            training part. Defaults to 0.
        missing_values: List of strings, tags that stand for a missing label
            besides the empty one. Defaults to `()`.
        delimiter: String between two columns. Defaults to `None`: any number
            of spaces and tabs.
        encoding: String, encoding of the files. Defaults to `"utf-8"`.

    Returns:
        `Splits`: `train`, `validation` and `test` as `tf.data.Dataset`s of
        `(x, y)`, with x strings of shape `(batch,)`, tokens separated by
        spaces, and y int32 of shape `(batch, steps)`, -1 where a label is
        missing and after the last token.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If a file has no sentences or lines with different numbers
            of columns, a column does not exist, or a tag is unknown or invalid
            in its scheme. The error names the file and line.

    Example:

    ```python
    data = mtl_keras.datasets.from_conll(
        {"train": "eng.train", "validation": "eng.testa", "test": "eng.testb"},
        tasks=["pos", "ner"],
        columns=["token", "pos", "chunk", "ner"],
        scheme="iob1",
    )
    words = mtl_keras.layers.token_ids.count_words(data.arrays("train")[0])
    model = mtl_keras.build_text_cls_tag(
        input_shape=data.input_shape, tasks=data.tasks, vocabulary=words
    )
    model.fit(
        data.train,
        validation_data=data.validation,
        shuffle=False,  # the training part is shuffled already
        epochs=10,
    )
    ```

    Reference:
        Tjong Kim Sang and De Meulder, "Introduction to the CoNLL-2003 Shared
        Task: Language-Independent Named Entity Recognition", 2003.
    """
    specs = read_target_specs(tasks, may_be_empty=True)
    names = [spec.name for spec in specs]
    rules = LabelRules(unknown_classes, missing_values, scheme, names)
    if group not in (None, _DOCUMENT):
        raise ValueError(
            f"`group` must be '{_DOCUMENT}' or None, found {group!r}."
        )
    files = {
        part: read_conll_file(file, delimiter, encoding)
        for part, file in files_by_part(path).items()
    }
    token, tags = _find_columns(files, specs, inputs, columns)
    header = {
        column: spec.columns[0]
        for spec, column in zip(specs, tags, strict=True)
    }
    files = {part: drop_header(file, header) for part, file in files.items()}
    if token:
        files = {part: drop_non_words(file) for part, file in files.items()}
    tokens = [
        row for file in files.values() for row in read_tokens(file, token)
    ]
    parts = split_sentences(
        {part: len(file.cells) for part, file in files.items()},
        validation=validation,
        test=test,
        seed=seed,
        source=f"'{files['train'].file}'",
        groups=group and _documents(files["train"]),
    )
    places = [
        (file.file, lines) for file in files.values() for lines in file.lines
    ]

    def where(sentence: int, token: int) -> str:
        file, lines = places[sentence]
        return f"line {lines[token]} of '{file}'"

    targets = []
    for spec, column in zip(specs, tags, strict=True):
        rows = [row for file in files.values() for row in file.column(column)]
        targets.append(
            make_tag_target(spec, rows, where, rules, parts["train"])
        )
    return make_sentence_splits(
        tokens, targets, parts, batch_size=batch_size, seed=seed
    )


def _find_columns(
    files: Mapping[str, ConllFile],
    specs: Sequence[TargetSpec],
    inputs: str | None,
    columns: Sequence[str] | None,
) -> tuple[int, list[int]]:
    """Returns the index of the token column, and that of each task's column."""
    for spec in specs:
        if len(spec.columns) > 1:
            raise ValueError(
                f"Task {spec.name!r}: found the columns {list(spec.columns)}, "
                "expected one. Make one task per column."
            )
    used = [spec.columns[0] for spec in specs]
    named = _check_columns(columns, files, inputs or _TOKEN, used)
    for name in used:
        _check_known("tasks", name, named)
    if inputs is None:
        inputs = next((name for name in named if name not in used), None)
    if inputs is None:
        raise ValueError(
            f"`tasks` names all columns, {named}; expected one more for the "
            "tokens."
        )
    _check_known("inputs", inputs, named)
    if inputs in used:
        raise ValueError(
            f"`inputs` names {inputs!r}, which task "
            f"{specs[used.index(inputs)].name!r} predicts. Remove it from one "
            "of the two."
        )
    return named.index(inputs), [named.index(name) for name in used]


def _check_columns(columns, files, token, used) -> list[str]:
    if columns is None:
        named = list(dict.fromkeys([token, *used]))
    elif isinstance(columns, str) or not all(
        isinstance(name, str) for name in columns
    ):
        raise TypeError(
            "`columns` must be a list of the names of all columns, found "
            f"{columns!r}."
        )
    else:
        named = list(columns)
    for name in named:
        if named.count(name) > 1:
            raise ValueError(f"`columns` names {name!r} twice.")
    for file in files.values():
        if file.width != len(named):
            found = f"{file.width} column{'s' * (file.width != 1)}"
            expected = "`columns` names" if columns is not None else "expected"
            advice = (
                "Pass the names of all columns in order: columns=['token', "
                "...]."
                if file.width > 1
                else "If columns are not separated by spaces, pass "
                "delimiter=','."
            )
            raise ValueError(
                f"Line {file.lines[0][0]} of '{file.file}' has {found}, "
                f"{file.cells[0][0]}; {expected} {len(named)}, {named}. "
                f"{advice}"
            )
    return named


def _check_known(argument: str, name: str, named: Sequence[str]) -> None:
    if name not in named:
        raise ValueError(
            f"`{argument}` names the column {name!r}, which is not in "
            f"`columns`. {did_you_mean(name, named)}"
        )


def _documents(file: ConllFile) -> np.ndarray:
    documents = np.array(file.documents)
    if len(np.unique(documents)) < 2:
        raise ValueError(
            f"`group='{_DOCUMENT}'` needs several documents, found one in "
            f"'{file.file}'. Lines that begin with -DOCSTART- (or '# newdoc') "
            "separate them."
        )
    return documents
