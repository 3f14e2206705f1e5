"""Spoken digits: the digit and the speaker of a recording.

Origin: the Free Spoken Digit Dataset,
https://github.com/Jakobovski/free-spoken-digit-dataset.

Licence: CC BY-SA 4.0.
"""

import os

import numpy as np

from mtl_keras.datasets.files import read_arrays
from mtl_keras.datasets.samples import Samples, select
from mtl_keras.tasks import Classification, Task

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
STEPS, BANDS = 100, 40
# Value of frames after the end of a recording. No recorded frame has it.
PADDING_VALUE = 0.0
_TEST, _VALIDATION = range(5), range(5, 10)

_ORIGIN = (
    "Build it from https://github.com/Jakobovski/free-spoken-digit-dataset, as "
    "the documentation of `spoken_digits.load_data` describes."
)


def load_data(path: str | os.PathLike) -> tuple[Samples, Samples]:
    """Reads 3,000 recordings of spoken digits as spectrograms.

    Six speakers say each digit 50 times. In the official split, the recordings
    numbered 0 to 4 of each digit and speaker are the test part. Recordings
    have 15 to 100 frames of 10 ms, and are padded with 0.

    The npz file has the arrays `log_mel` (n, 100, 40), floats, the natural
    logarithm of 40 mel bands (60 to 3,800 Hz) of the power spectrum in windows
    of 32 ms every 10 ms; `length` (n,), the number of frames; `digit` (n,), 0
    to 9; `speaker` (n,), indices in `speaker_names` (6,); and `is_test` (n,),
    booleans. The rows are in the alphabetical order of the file names,
    `{digit}_{speaker}_{number}.wav`.

    Args:
        path: String or path of the npz file.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x is float32 of shape
        `(n, 100, 40)`; y is a dict of `"digit"` and `"speaker"`, int32 of
        shape `(n,)`.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it lacks an array, or an array has the wrong shape or
            values.

    Example:

    ```python
    (x_train, y_train), (x_test, y_test) = spoken_digits.load_data(
        "spoken_digits.npz"
    )
    assert x_train.shape == (2700, 100, 40)
    ```

    Reference:

    - Jackson et al., Jakobovski/free-spoken-digit-dataset v1.0.8, Zenodo 2018.
    """
    x, y, number = _read(path)
    test = np.isin(number, _TEST)
    return select(x, y, ~test), select(x, y, test)


def load_splits(path: str | os.PathLike) -> tuple[Samples, Samples, Samples]:
    """Reads the recordings as a training, validation and test part.

    The recordings numbered 5 to 9 of each digit and speaker are for
    validation. Like those of the test part, they are consecutive takes, not
    drawn at random from the training part.

    Args:
        path: See `load_data`.

    Returns:
        Three pairs `(x, y)`, see `load_data`: training, validation and test.

    Raises:
        FileNotFoundError: See `load_data`.
        ValueError: See `load_data`.

    Example:

    ```python
    train, validation, test = spoken_digits.load_splits("spoken_digits.npz")
    ```
    """
    x, y, number = _read(path)
    test, validation = np.isin(number, _TEST), np.isin(number, _VALIDATION)
    return (
        select(x, y, ~test & ~validation),
        select(x, y, validation),
        select(x, y, test),
    )


def tasks() -> list[Task]:
    """Returns the tasks that fit the targets of `load_data`.

    Returns:
        `Classification("digit", 10)` and `Classification("speaker", 6)`, with
        the names of the speakers.

    Example:

    ```python
    [task.name for task in spoken_digits.tasks()]  # ['digit', 'speaker']
    ```
    """
    return [
        Classification("digit", 10),
        Classification("speaker", len(SPEAKERS), class_names=SPEAKERS),
    ]


def _read(path: str | os.PathLike) -> tuple:
    """Returns the inputs, the targets and the number of each recording."""
    shapes = {
        "log_mel": ("n", STEPS, BANDS),
        "length": ("n",),
        "digit": ("n",),
        "speaker": ("n",),
        "is_test": ("n",),
        "speaker_names": (len(SPEAKERS),),
    }
    arrays = read_arrays(path, shapes, _ORIGIN)
    _check_range("length", arrays["length"], 1, STEPS)
    _check_range("digit", arrays["digit"], 0, 9)
    _check_range("speaker", arrays["speaker"], 0, len(SPEAKERS) - 1)
    if tuple(arrays["speaker_names"].tolist()) != SPEAKERS:
        raise ValueError(
            f"`path` must hold 'speaker_names' {list(SPEAKERS)}, found "
            f"{arrays['speaker_names'].tolist()}."
        )
    y = {task: arrays[task].astype("int32") for task in ("digit", "speaker")}
    number = _numbers(y)
    if not np.array_equal(np.isin(number, _TEST), arrays["is_test"]):
        raise ValueError(
            "`path` must hold the recordings in the alphabetical order of "
            "their file names, with 'is_test' true for those numbered 0 to 4. "
            "Sort the rows by file name."
        )
    x = arrays["log_mel"].astype("float32")
    x[np.arange(STEPS) >= arrays["length"][:, None]] = PADDING_VALUE
    return x, y, number


def _numbers(y: dict[str, np.ndarray]) -> np.ndarray:
    """Returns the number of each recording, which follows from its row."""
    number = np.empty(len(y["digit"]), int)
    pair = y["digit"] * len(SPEAKERS) + y["speaker"]
    for value in np.unique(pair):
        chosen = pair == value
        # In the order of file names: 0, 1, 10, 11, ..., 2, 20, ...
        number[chosen] = sorted(range(chosen.sum()), key=str)
    return number


def _check_range(key: str, values: np.ndarray, least: int, most: int) -> None:
    if values.size and not (least <= values.min() and values.max() <= most):
        raise ValueError(
            f"`path` must hold '{key}' from {least} to {most}, found "
            f"{values.min()} to {values.max()}."
        )
