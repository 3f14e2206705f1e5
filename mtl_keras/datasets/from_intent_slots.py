"""Reads sentences with an intent and slots."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from mtl_keras.datasets.reading.label_rules import LabelRules
from mtl_keras.datasets.reading.sentence_labels import make_sentence_target
from mtl_keras.datasets.reading.sentence_splits import (
    files_by_part,
    make_sentence_splits,
    split_sentences,
)
from mtl_keras.datasets.reading.tag_targets import make_tag_target
from mtl_keras.datasets.reading.target_spec import TargetSpec, read_target_specs
from mtl_keras.datasets.splits import Splits
from mtl_keras.datasets.tagged_sentences import (
    LABELS,
    TAGS,
    find_part_folders,
    read_tagged_sentences,
)
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task

_ORIGIN = (
    "It holds the files seq.in, seq.out and label, or a folder of them for "
    "each of 'train', 'valid' and 'test'."
)
# The file of each usual task name.
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

    This is the format of SNIPS, ATIS and other requests to an assistant: one
    line per sentence, with its tokens, their tags, and its intent. An empty
    line of tags or in `label` is a missing label. Batches are made as in
    `from_conll`.

    Args:
        path: String or path of a folder with the folders `train`, `valid` (or
            `validation`, `dev`, `val`) and `test`, or with the three files,
            which are split at random; or a dict of the folders of `"train"`,
            `"validation"` and `"test"`.
        tasks: What to predict: names of tasks, tasks, or a dict as for
            `from_csv`, with the file names `"label"` and `"seq.out"` as
            columns. `"intent"` (or `"label"`) is a `Classification` of
            sentences, `"slots"` (or `"seq.out"`) a `SequenceTagging` of
            tokens. Defaults to both.
        scheme: See `from_conll`. Defaults to `"iob2"`.
        unknown_classes: See `from_conll`; applies to intents, too. Defaults to
            `"error"`.
        validation: Float, fraction of the training sentences to use for
            validation. Defaults to `None`: 0.1 if there are no folders of
            parts, else 0.
        test: Float, fraction of the training sentences to use for the test.
            Defaults to `None`: 0.2 if there are no folders of parts, else 0.
        batch_size: Integer, sentences per batch. Defaults to 32.
        seed: Integer of at least 0, seed of the split and of the order of the
            training part. Defaults to 0.
        missing_values: List of strings that stand for a missing label besides
            the empty one. Defaults to `()`.
        encoding: String, encoding of the files. Defaults to `"utf-8"`.
        origin: Sentence on where to get the files, for errors. Defaults to one
            that names the files.

    Returns:
        `Splits`: `train`, `validation` and `test` as `tf.data.Dataset`s of
        `(x, y)`, with x strings of shape `(batch,)`, and y int32: intents of
        shape `(batch,)`, tags of shape `(batch, steps)`, -1 where a label is
        missing and after the last token.

    Raises:
        FileNotFoundError: If a folder or file does not exist.
        ValueError: If lines do not match, or a class is unknown or invalid in
            its scheme. The error names the file and line.

    Example:

    ```python
    data = mtl_keras.datasets.from_intent_slots(
        "data/atis", unknown_classes="missing"
    )
    words = mtl_keras.layers.token_ids.count_words(data.arrays("train")[0])
    model = mtl_keras.build_text_cls_tag(
        input_shape=data.input_shape, tasks=data.tasks, vocabulary=words
    )
    model.fit(data.train, validation_data=data.validation, shuffle=False)
    ```

    Reference:
        Goo et al., "Slot-Gated Modeling for Joint Slot Filling and Intent
        Prediction", NAACL 2018.
    """
    specs = read_target_specs(tasks)
    files = {spec.name: _find_file(spec) for spec in specs}
    rules = LabelRules(unknown_classes, missing_values, scheme, list(files))
    folders = {
        part: read_tagged_sentences(folder, origin, encoding)
        for part, folder in files_by_part(
            find_part_folders(path, origin)
        ).items()
    }
    parts = split_sentences(
        {part: len(found.tokens) for part, found in folders.items()},
        validation=validation,
        test=test,
        seed=seed,
        source=f"'{folders['train'].folder}'",
    )
    places = [
        (found.folder, row + 1)
        for found in folders.values()
        for row in range(len(found.tokens))
    ]

    def where(sentence: int, token: int | None = None) -> str:
        folder, line = places[sentence]
        if token is None:
            return f"line {line} of '{folder / LABELS}'"
        return f"token {token + 1} in line {line} of '{folder / TAGS}'"

    tokens, tags, labels = (
        [row for found in folders.values() for row in getattr(found, field)]
        for field in ("tokens", "tags", "labels")
    )
    targets = [
        make_tag_target(spec, tags, where, rules, parts["train"])
        if files[spec.name] == TAGS
        else make_sentence_target(spec, labels, where, rules, parts["train"])
        for spec in specs
    ]
    return make_sentence_splits(
        tokens, targets, parts, batch_size=batch_size, seed=seed
    )


def _find_file(spec: TargetSpec) -> str:
    """Returns the name of the file that holds the labels of a task."""
    (name,) = spec.columns if len(spec.columns) == 1 else (None,)
    if name in _FILES:
        return _FILES[name]
    if spec.kind is not None and name == spec.name:
        return TAGS if spec.kind.labels_per == "step" else LABELS
    raise ValueError(
        f"Task {spec.name!r}: found the columns {list(spec.columns)}, expected "
        f"one of the files. {did_you_mean(name, _FILES)} Pass tasks="
        f"{{{spec.name!r}: [{TAGS!r}]}} to choose one."
    )
