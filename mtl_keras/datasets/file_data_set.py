"""Files of your own, as a data set that recipes can name."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

from mtl_keras.datasets.samples import Samples
from mtl_keras.datasets.splits import Splits
from mtl_keras.tasks import Task


@dataclasses.dataclass(frozen=True)
class FileDataSet:
    """A function that reads files, where a data set's module is expected.

    Args:
        read: The function, such as `from_csv`. It returns `Splits`.
        required: Tuple of the names of arguments that a recipe must give.
            Defaults to those without a default.

    Example:

    ```python
    dataset = mtl_keras.datasets.get("from_csv")
    train, test = dataset.load_data("patients.csv", tasks=["stage"])
    ```
    """

    read: Callable[..., Splits]
    required: tuple[str, ...] = ()

    @property
    def load_data(self) -> Callable[..., tuple[Samples, Samples]]:
        """A function with the arguments of `read`.

        It returns `(x_train, y_train), (x_test, y_test)`; samples that are
        held back for validation are in neither.
        """

        @functools.wraps(self.read)
        def load_data(*arguments, **named):
            splits = self.read(*arguments, **named)
            return splits.arrays("train"), splits.arrays("test")

        return load_data

    def tasks(self, *arguments, **named) -> list[Task]:
        """Reads which tasks fit the files.

        Args:
            *arguments: Positional arguments of `read`.
            **named: Keyword arguments of `read`.

        Returns:
            The tasks.
        """
        return list(self.read(*arguments, **named).tasks)
