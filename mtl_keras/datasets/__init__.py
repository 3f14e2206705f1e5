"""Data sets for several tasks, in the manner of `keras.datasets`.

Every data set is a module with two functions: `load_data` returns
`(x_train, y_train), (x_test, y_test)`, where each `y` is a dict of arrays
named after the tasks, and `tasks` returns the tasks that fit them.

| Name           | Samples | Targets                          | Comes from     |
| -------------- | ------- | -------------------------------- | -------------- |
| `digit_scenes` | any     | class, mask                      | scikit-learn   |
| `energy`       | 768     | two regressions                  | a csv file     |
| `multi_mnist`  | any     | two classes                      | keras.datasets |
| `nuclei`       | 664     | mask, class, count               | an npz file    |
"""

from types import ModuleType

from mtl_keras.datasets import digit_scenes, energy, multi_mnist, nuclei
from mtl_keras.spelling import did_you_mean

_DATASETS = {
    "digit_scenes": digit_scenes,
    "energy": energy,
    "multi_mnist": multi_mnist,
    "nuclei": nuclei,
}

__all__ = ["digit_scenes", "energy", "get", "multi_mnist", "names", "nuclei"]


def names() -> list[str]:
    """Lists the names that `get` knows.

    Returns:
        The names, sorted.

    Example:

    ```python
    mtl_keras.datasets.names()
    # ['digit_scenes', 'energy', 'multi_mnist', 'nuclei']
    ```
    """
    return sorted(_DATASETS)


def get(name: str) -> ModuleType:
    """Finds a data set by its name.

    Args:
        name: String, one of `names()`.

    Returns:
        The module of the data set, with `load_data` and `tasks`.

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
