"""Reads sentences with an intent and slots."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from mtl_keras.datasets.join_tokens import join_tokens
from mtl_keras.datasets.reading.sentence_parts import file_by_part, make_parts
from mtl_keras.datasets.reading.sentence_source import SentenceSource
from mtl_keras.datasets.reading.tag_targets import (
    TagRules,
    check_rules,
    make_label_target,
    make_tag_target,
)
from mtl_keras.datasets.reading.target_spec import TargetSpec, read_target_specs
from mtl_keras.datasets.splits import Splits, make_splits
from mtl_keras.datasets.tagged_sentences import (
    LABELS,
    TAGS,
    folder_by_part,
    read_tagged_sentences,
)
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import SequenceTagging, Task

_ORIGIN = (
    "It holds the files seq.in, seq.out and label, or a folder of them for "
    "each of 'train', 'valid' and 'test'."
)
# Which file the usual names of tasks stand for.
_FILES = {"intent": LABELS, LABELS: LABELS, "slots": TAGS, TAGS: TAGS}


def from_intent_slots(
    path: str | os.PathLike | Mapping[str, str | os.PathLike],
    tasks: Sequence[str | Task] | Mapping[str, object] = ("intent", "slots"),
    *,
    scheme: str | Mapping[str, str] = "iob2",
    unknown_classes: str = "error",
    validation: float | None = None,
    test: float | None = None,
    batch_size: int = 32,
    seed: int = 0,
    missing_values: Sequence[str] = (),
    encoding: str = "utf-8",
    origin: str = _ORIGIN,
) -> Splits:
    """Reads folders with the files `seq.in`, `seq.out` and `label`.

    So do SNIPS, ATIS and other sets of requests to an assistant come: a line
    for each sentence, with its tokens, their tags, and its intent. Batches of
    the training part hold sentences of like length, and all batches are as
    long as their longest sentence.

    An empty line of tags or in `label` is a missing label.

    Args:
        path: String or path of a folder with the folders `train`, `valid` (or
            `validation`, `dev`, `val`) and `test`, or with the three files,
            which are parted at random; or a dict of folders `"train"`,
            `"validation"` and `"test"`.
        tasks: What to predict: names of tasks, tasks, or a dict as for
            `from_csv`, with the file names `"label"` and `"seq.out"` as names
            of columns. `"intent"` (or `"label"`) stands for a `Classification`
            of the sentences, `"slots"` (or `"seq.out"`) for a
            `SequenceTagging` of the tokens. Defaults to both.
        scheme: The form of the tags of spans, see `from_conll`. Defaults to
            `"iob2"`.
        unknown_classes: String, `"error"` (default) or `"missing"`: what
            intents and tags are that no sentence of the training part has, an
            error or missing labels, tags together with others of their spans.
        validation: Float, share of the training sentences that is held back
            for validation. Defaults to `None`: 0.1 where there are no parts,
            and none where there are.
        test: Float, share of them for the test. Defaults to `None`: 0.2 where
            there are no parts, and none where there are.
        batch_size: Integer, sentences per batch. Defaults to 32.
        seed: Integer of at least 0, seed of the parts and of the order of the
            training part. Defaults to 0.
        missing_values: List of strings that stand for a missing label.
            Defaults to `()`.
        encoding: String, encoding of the files. Defaults to `"utf-8"`.
        origin: String, a sentence on where to get the files, for errors.
            Defaults to one on what they are.

    Returns:
        `Splits`: `train`, `validation` and `test` as `tf.data.Dataset`s of
        `(x, y)`, x strings of shape `(batch,)`, and y int32: intents of shape
        `(batch,)`, tags of shape `(batch, steps)`, -1 where a label is missing
        and after the last token.

    Raises:
        FileNotFoundError: If a folder or file is not there.
        ValueError: If lines do not fit each other, or a class is unknown or
            forbidden by its scheme. The error names the file and line.

    Example:

    ```python
    data = mtl_keras.datasets.from_intent_slots(
        "data/atis", unknown_classes="missing"
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
        Goo et al., "Slot-Gated Modeling for Joint Slot Filling and Intent
        Prediction", NAACL 2018.
    """
    specs = read_target_specs(tasks)
    files = {spec.name: _file_of(spec) for spec in specs}
    check_rules(unknown_classes, missing_values, scheme, list(files))
    found = {
        part: read_tagged_sentences(folder, origin, encoding)
        for part, folder in file_by_part(folder_by_part(path, origin)).items()
    }
    parts = make_parts(
        {part: len(one.tokens) for part, one in found.items()},
        validation=validation,
        test=test,
        seed=seed,
        source=f"'{found['train'].folder}'",
    )
    rules = TagRules(
        parts["train"], unknown_classes, {"", *missing_values}, scheme
    )
    rows = [
        (one.folder, row + 1)
        for one in found.values()
        for row in range(len(one.tokens))
    ]

    def where(sentence: int, token: int | None = None) -> str:
        folder, line = rows[sentence]
        if token is None:
            return f"line {line} of '{folder / LABELS}'"
        return f"token {token + 1} in line {line} of '{folder / TAGS}'"

    targets = []
    for spec in specs:
        if files[spec.name] == TAGS:
            tags = [row for one in found.values() for row in one.tags]
            targets.append(make_tag_target(spec, tags, where, rules))
        else:
            labels = [label for one in found.values() for label in one.labels]
            targets.append(make_label_target(spec, labels, where, rules))
    tokens = [row for one in found.values() for row in one.tokens]
    made = tuple(task for task, _ in targets)
    source = SentenceSource(
        join_tokens(tokens),
        {task.name: values for task, values in targets},
        np.array(list(map(len, tokens))),
    )
    return make_splits(source, made, parts, batch_size=batch_size, seed=seed)


def _file_of(spec: TargetSpec) -> str:
    """The file that the labels of a task stand in."""
    (name,) = spec.columns if len(spec.columns) == 1 else (None,)
    if name in _FILES:
        return _FILES[name]
    if spec.kind is not None and name == spec.name:
        return TAGS if issubclass(spec.kind, SequenceTagging) else LABELS
    raise ValueError(
        f"Task {spec.name!r}: found the columns {list(spec.columns)}, expected "
        f"one of the files. {did_you_mean(name, _FILES)} tasks={{{spec.name!r}"
        f": [{TAGS!r}]}} says which."
    )
