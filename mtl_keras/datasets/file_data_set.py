"""Gives a function that reads files the interface of a data set."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

from mtl_keras.datasets.samples import Samples
from mtl_keras.datasets.splits import Splits
from mtl_keras.tasks import Task


@dataclasses.dataclass(frozen=True)
class FileDataSet:
    """Data set that a function such as `from_csv` reads from files.

    It has `load_data` and `tasks` as the module of a built-in data set has,
    and the docstring of the function.

    Args:
        read: Function that returns `Splits`, such as `from_csv`.
        required: Tuple of the names of arguments that a recipe must give.
            Defaults to the arguments without a default.

    Example:

    ```python
    dataset = mtl_keras.datasets.get("from_csv")
    train, test = dataset.load_data("patients.csv", tasks=["stage"])
    ```
    """

    read: Callable[..., Splits]
    required: tuple[str, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "__doc__", self.read.__doc__)

    @property
    def load_data(self) -> Callable[..., tuple[Samples, Samples]]:
        """Function with the arguments of `read`.

        It returns `(x_train, y_train), (x_test, y_test)`, without the samples
        of the validation part.
        """

        @functools.wraps(self.read)
        def load_data(*args, **kwargs):
            splits = self.read(*args, **kwargs)
            return splits.arrays("train"), splits.arrays("test")

        return load_data

    def tasks(self, *args, **kwargs) -> list[Task]:
        """Returns the tasks that fit the files.

        Args:
            *args: Positional arguments of `read`.
            **kwargs: Keyword arguments of `read`.

        Returns:
            List of tasks.
        """
        return list(self.read(*args, **kwargs).tasks)
