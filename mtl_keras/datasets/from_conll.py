"""Reads sentences with a token a line."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from mtl_keras.datasets.join_tokens import join_tokens
from mtl_keras.datasets.reading.conll_file import (
    ConllFile,
    read_conll_file,
    tokens_of,
    without_header,
    without_ranges,
)
from mtl_keras.datasets.reading.sentence_parts import file_by_part, make_parts
from mtl_keras.datasets.reading.sentence_source import SentenceSource
from mtl_keras.datasets.reading.tag_targets import (
    TagRules,
    check_rules,
    make_tag_target,
)
from mtl_keras.datasets.reading.target_spec import TargetSpec, read_target_specs
from mtl_keras.datasets.splits import Splits, make_splits
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
    """Reads CoNLL files: a token and its tags a line, sentences apart by one.

    Each column of tags is a `SequenceTagging`. Tags such as `B-per` say where
    spans are: they come out in the IOB2 form, and the task has metrics of
    spans. Any others are classes of tokens. Batches of the training part hold
    sentences of like length, and all batches are as long as their longest
    sentence.

    Left out are a first line that names the columns, lines that begin a
    document (`-DOCSTART-`), comments (lines before a sentence that begin with
    `#` and are no token), and, in CoNLL-U, rows that are not words.

    Args:
        path: String or path of a file, which is parted at random; or a dict
            of the files `"train"` and, if there are, `"validation"` and
            `"test"`.
        tasks: What to predict. A list of names of columns, or of tasks that
            are named after columns; or a dict from task name to a list of its
            column, a task, or a dict with `"kind"`, `"columns"` and arguments
            of `SequenceTagging`.
        inputs: String, name of the column of tokens. Defaults to `None`: the
            first one that is of no task.
        columns: List of the names of all columns. Defaults to `None`: a token
            and a tag for each task, in their order.
        scheme: String, the form of the tags of spans, which are converted
            from it to the IOB2 form: `"iob2"` (default), `"iob1"`, `"bioes"`,
            `"bilou"` or `"bmewo"`, see `to_iob2`; or `"plain"` for tags that
            are classes of tokens, whatever they look like. Or a dict of it by
            task.
        unknown_classes: String, `"error"` (default) or `"missing"`: what tags
            are that no sentence of the training part has, an error or missing
            labels, together with the other tags of their spans.
        validation: Float, share of the sentences that is held back for
            validation. Defaults to `None`: 0.1 of a single file, and none of
            several.
        test: Float, share of the sentences for the test. Defaults to `None`:
            0.2 of a single file, and none of several.
        group: `"document"` to keep the sentences of one document, as
            `-DOCSTART-` begins it, in one part. Defaults to `None`: each
            sentence by itself.
        batch_size: Integer, sentences per batch. Defaults to 32.
        seed: Integer of at least 0, seed of the parts and of the order of the
            training part. Defaults to 0.
        missing_values: List of strings, tags that stand for a missing label
            besides the empty one. Defaults to `()`.
        delimiter: String between two columns. Defaults to `None`: any number
            of blanks and tabs.
        encoding: String, encoding of the files. Defaults to `"utf-8"`.

    Returns:
        `Splits`: `train`, `validation` and `test` as `tf.data.Dataset`s of
        `(x, y)`, x strings of shape `(batch,)`, tokens apart by a blank, and y
        int32 of shape `(batch, steps)`, -1 where a label is missing and after
        the last token.

    Raises:
        FileNotFoundError: If there is no file.
        ValueError: If a file has no sentences or lines of several numbers of
            columns, a column does not exist, or a tag is unknown or forbidden
            by its scheme. The error names the file and line.

    Example:

    ```python
    data = mtl_keras.datasets.from_conll(
        {"train": "eng.train", "validation": "eng.testa", "test": "eng.testb"},
        tasks=["pos", "ner"],
        columns=["token", "pos", "chunk", "ner"],
        scheme="iob1",
    )
    words = mtl_keras.layers.token_ids.words_of(data.arrays("train")[0])
    model = mtl_keras.build_text_cls_tag(
        input_shape=data.input_shape, tasks=data.tasks, vocabulary=words
    )
    model.fit(
        data.train,
        validation_data=data.validation,
        shuffle=False,  # the training part is already
        epochs=10,
    )
    ```

    Reference:
        Tjong Kim Sang and De Meulder, "Introduction to the CoNLL-2003 Shared
        Task: Language-Independent Named Entity Recognition", 2003.
    """
    specs = read_target_specs(tasks)
    check_rules(
        unknown_classes, missing_values, scheme, [spec.name for spec in specs]
    )
    if group not in (None, _DOCUMENT):
        raise ValueError(
            f"`group` must be '{_DOCUMENT}' or None, found {group!r}."
        )
    files = {
        part: read_conll_file(file, delimiter, encoding)
        for part, file in file_by_part(path).items()
    }
    numbers = _numbers(files, specs, inputs, columns)
    token = numbers.pop(None)
    names = {numbers[spec.name]: spec.columns[0] for spec in specs}
    files = {part: without_header(file, names) for part, file in files.items()}
    if token:
        files = {part: without_ranges(file) for part, file in files.items()}
    tokens = [one for file in files.values() for one in tokens_of(file, token)]
    parts = make_parts(
        {part: len(file.cells) for part, file in files.items()},
        validation=validation,
        test=test,
        seed=seed,
        source=f"'{files['train'].file}'",
        groups=group and _documents(files["train"]),
    )
    rules = TagRules(
        parts["train"], unknown_classes, {"", *missing_values}, scheme
    )
    lines = [(file.file, one) for file in files.values() for one in file.lines]

    def where(sentence: int, token: int) -> str:
        file, of_tokens = lines[sentence]
        return f"line {of_tokens[token]} of '{file}'"

    targets = [
        make_tag_target(
            spec,
            [
                row
                for file in files.values()
                for row in file.column(numbers[spec.name])
            ],
            where,
            rules,
        )
        for spec in specs
    ]
    made = tuple(task for task, _ in targets)
    source = SentenceSource(
        join_tokens(tokens),
        {task.name: rows for task, rows in targets},
        np.array(list(map(len, tokens))),
    )
    return make_splits(source, made, parts, batch_size=batch_size, seed=seed)


def _numbers(
    files: Mapping[str, ConllFile],
    specs: Sequence[TargetSpec],
    inputs: str | None,
    columns: Sequence[str] | None,
) -> dict[str | None, int]:
    """The number of the column of each task, and under `None` of the tokens."""
    for spec in specs:
        if len(spec.columns) > 1:
            raise ValueError(
                f"Task {spec.name!r}: found the columns {list(spec.columns)}, "
                "expected one. Tags in several columns are several tasks."
            )
    used = [spec.columns[0] for spec in specs]
    named = _check_columns(columns, files, inputs or _TOKEN, used)
    for name in used:
        _check_known("tasks", name, named)
    if inputs is None:
        inputs = next((name for name in named if name not in used), None)
    if inputs is None:
        raise ValueError(
            f"`tasks` names all columns, {named}; expected one that is left "
            "for the tokens."
        )
    _check_known("inputs", inputs, named)
    if inputs in used:
        raise ValueError(
            f"`inputs` names {inputs!r}, which task "
            f"{specs[used.index(inputs)].name!r} is to predict. Leave it out "
            "of one of both."
        )
    numbers = {spec.name: named.index(spec.columns[0]) for spec in specs}
    return {**numbers, None: named.index(inputs)}


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
            asked = "`columns` names" if columns is not None else "there are"
            advice = (
                "Pass the names of all in their order: columns=['token', ...]."
                if file.width > 1
                else "If something else than blanks is between columns, pass "
                "delimiter=','."
            )
            raise ValueError(
                f"Line {file.lines[0][0]} of '{file.file}' has {found}, "
                f"{file.cells[0][0]}, and {asked} {len(named)}, {named}. "
                f"{advice}"
            )
    return named


def _check_known(argument: str, name: str, named: Sequence[str]) -> None:
    if name not in named:
        raise ValueError(
            f"`{argument}` names the column {name!r}, which is none of "
            f"`columns`. {did_you_mean(name, named)}"
        )


def _documents(file: ConllFile) -> np.ndarray:
    documents = np.array(file.documents)
    if len(np.unique(documents)) < 2:
        raise ValueError(
            f"`group='{_DOCUMENT}'` needs several documents, found one in "
            f"'{file.file}'. Lines that begin with -DOCSTART- (or '# newdoc') "
            "part them."
        )
    return documents
