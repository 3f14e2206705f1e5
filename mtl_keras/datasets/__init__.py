"""Data sets for several tasks, in the manner of `keras.datasets`.

Every data set is a module with two functions: `load_data` returns
`(x_train, y_train), (x_test, y_test)`, where each `y` is a dict of arrays
named after the tasks, and `tasks` returns the tasks that fit them. Where
there is a validation part that is not drawn at random, `load_splits` returns
three parts.

| Name                   | Samples | Targets             | Comes from     |
| ---------------------- | ------- | ------------------- | -------------- |
| `census_income`        | 99,762  | two yes or no       | a csv file     |
| `cifar10`              | 60,000  | class of 10         | keras.datasets |
| `cifar100`             | 60,000  | class of 100        | keras.datasets |
| `digit_scenes`         | any     | class, mask, depth  | scikit-learn   |
| `energy`               | 768     | two regressions     | a csv file     |
| `fashion_mnist`        | 70,000  | class of 10         | keras.datasets |
| `mnist`                | 70,000  | class of 10         | keras.datasets |
| `multi_mnist`          | any     | two classes         | keras.datasets |
| `nuclei`               | 664     | mask, class, count  | an npz file    |
| `snips`                | 14,484  | class, tags         | text files     |
| `spoken_digits`        | 3,000   | digit, speaker      | an npz file    |
| `synthetic_regression` | any     | two regressions     | a seed         |
| `tox21`                | 7,823   | twelve, with holes  | an npz file    |

`from_csv`, `from_dataframe`, `from_npz` and `from_folder` read files of your
own, and `from_tfds` a data set of TensorFlow Datasets, as `Splits` with a
training, validation and test part; `from_conll` and `from_intent_slots`
sentences, whose batches are of like length (`batches_by_length` makes such of
arrays). `augment` changes images together
with their masks, and `describe` counts the labels of any data. `mix` makes one
stream of several data sets, each labelled for some tasks, and `concatenate`
one pair of arrays.
"""

from types import ModuleType

from mtl_keras.datasets import (
    census_income,
    cifar10,
    cifar100,
    digit_scenes,
    energy,
    fashion_mnist,
    mnist,
    multi_mnist,
    nuclei,
    snips,
    spoken_digits,
    synthetic_regression,
    tox21,
)
from mtl_keras.datasets.augment import augment
from mtl_keras.datasets.batches_by_length import batches_by_length
from mtl_keras.datasets.describe import describe
from mtl_keras.datasets.description import Description, TaskDescription
from mtl_keras.datasets.encode_tags import encode_tags
from mtl_keras.datasets.file_data_set import FileDataSet
from mtl_keras.datasets.from_conll import from_conll
from mtl_keras.datasets.from_csv import from_csv
from mtl_keras.datasets.from_dataframe import from_dataframe
from mtl_keras.datasets.from_folder import from_folder
from mtl_keras.datasets.from_intent_slots import from_intent_slots
from mtl_keras.datasets.from_npz import from_npz
from mtl_keras.datasets.from_tfds import from_tfds
from mtl_keras.datasets.join_tokens import join_tokens
from mtl_keras.datasets.mixing import concatenate, mix
from mtl_keras.datasets.splits import Splits
from mtl_keras.datasets.table_encoding import TableEncoding
from mtl_keras.datasets.tag_schemes import to_iob2
from mtl_keras.spelling import did_you_mean

_DATASETS = {
    "census_income": census_income,
    "cifar10": cifar10,
    "cifar100": cifar100,
    "digit_scenes": digit_scenes,
    "energy": energy,
    "fashion_mnist": fashion_mnist,
    "from_conll": FileDataSet(from_conll),
    "from_csv": FileDataSet(from_csv, ("path", "tasks")),
    "from_folder": FileDataSet(from_folder),
    "from_intent_slots": FileDataSet(from_intent_slots),
    "from_npz": FileDataSet(from_npz),
    "from_tfds": FileDataSet(from_tfds),
    "mnist": mnist,
    "multi_mnist": multi_mnist,
    "nuclei": nuclei,
    "snips": snips,
    "spoken_digits": spoken_digits,
    "synthetic_regression": synthetic_regression,
    "tox21": tox21,
}

__all__ = [
    "Description",
    "FileDataSet",
    "Splits",
    "TableEncoding",
    "TaskDescription",
    "augment",
    "batches_by_length",
    "census_income",
    "cifar10",
    "cifar100",
    "concatenate",
    "describe",
    "digit_scenes",
    "encode_tags",
    "energy",
    "fashion_mnist",
    "from_conll",
    "from_csv",
    "from_dataframe",
    "from_folder",
    "from_intent_slots",
    "from_npz",
    "from_tfds",
    "get",
    "join_tokens",
    "mix",
    "mnist",
    "multi_mnist",
    "names",
    "nuclei",
    "snips",
    "spoken_digits",
    "synthetic_regression",
    "to_iob2",
    "tox21",
]


def names() -> list[str]:
    """Lists the names that `get` knows.

    Returns:
        The names, sorted.

    Example:

    ```python
    mtl_keras.datasets.names()
    # ['census_income', 'cifar10', 'cifar100', 'digit_scenes', ...]
    ```
    """
    return sorted(_DATASETS)


def get(name: str) -> ModuleType | FileDataSet:
    """Finds a data set by its name.

    Args:
        name: String, one of `names()`.

    Returns:
        The module of the data set, with `load_data` and `tasks`; or the
        `FileDataSet` of a function that reads files, with the same.

    Raises:
        ValueError: If no data set has that name.

    Example:

    ```python
    dataset = mtl_keras.datasets.get("digit_scenes")
    (x_train, y_train), (x_test, y_test) = dataset.load_data()
    ```
    """
    if name in names():
        return _DATASETS[name]
    raise ValueError(
        f"`name` must name a data set, found {name!r}. "
        f"{did_you_mean(name, names())}"
    )
