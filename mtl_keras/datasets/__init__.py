"""Built-in data sets, and functions that read, mix and describe your own.

Every built-in data set is a module, as in `keras.datasets`, with two functions:
`load_data` returns `(x_train, y_train), (x_test, y_test)`, where each `y` is a
dict of arrays named after the tasks, and `tasks` returns the tasks that fit
them. A module whose validation part is not drawn at random also has
`load_splits`, which returns three parts. `names()` lists the data sets.

`from_csv`, `from_dataframe`, `from_npz`, `from_folder`, `from_conll` and
`from_intent_slots` read your own files, and `from_tfds` a data set of
TensorFlow Datasets. They return `Splits`: a training, validation and test
part, with the tasks. `augment` changes images together with their masks,
`describe` counts the labels of any data, `mix` makes one stream of several
data sets, each labelled for some tasks, and `concatenate` one pair of arrays.
"""

from types import ModuleType

# The built-in data sets. A new one needs its module and a line here.
from mtl_keras.datasets import census_income as census_income
from mtl_keras.datasets import cifar10 as cifar10
from mtl_keras.datasets import cifar100 as cifar100
from mtl_keras.datasets import digit_scenes as digit_scenes
from mtl_keras.datasets import energy as energy
from mtl_keras.datasets import fashion_mnist as fashion_mnist
from mtl_keras.datasets import mnist as mnist
from mtl_keras.datasets import multi_mnist as multi_mnist
from mtl_keras.datasets import nuclei as nuclei
from mtl_keras.datasets import snips as snips
from mtl_keras.datasets import spoken_digits as spoken_digits
from mtl_keras.datasets import synthetic_regression as synthetic_regression
from mtl_keras.datasets import tox21 as tox21
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

_BUILT_IN = {
    name: value
    for name, value in globals().items()
    if isinstance(value, ModuleType) and hasattr(value, "load_data")
}
_FILES = {
    "from_conll": FileDataSet(from_conll),
    "from_csv": FileDataSet(from_csv, ("path", "tasks")),
    "from_folder": FileDataSet(from_folder),
    "from_intent_slots": FileDataSet(from_intent_slots),
    "from_npz": FileDataSet(from_npz),
    "from_tfds": FileDataSet(from_tfds),
}
_DATASETS = _BUILT_IN | _FILES

__all__ = [
    "Description",
    "FileDataSet",
    "Splits",
    "TableEncoding",
    "TaskDescription",
    "augment",
    "batches_by_length",
    "concatenate",
    "describe",
    "encode_tags",
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
    "names",
    "to_iob2",
    *_BUILT_IN,
]


def names() -> list[str]:
    """Lists the names of the data sets.

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
    """Returns a data set by name.

    Args:
        name: String, one of `names()`.

    Returns:
        The module of the data set, or the `FileDataSet` of a function such as
        `from_csv`. Both have `load_data` and `tasks`.

    Raises:
        ValueError: If the data set does not exist.

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
