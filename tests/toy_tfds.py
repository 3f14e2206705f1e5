"""A small data set of TensorFlow Datasets, written by the tests."""

import numpy as np
import tensorflow_datasets as tfds

KINDS = ["cat", "dog", "eel"]


def examples(start, count):
    """Yields examples whose images and labels encode their number."""
    for number in range(start, start + count):
        mask = np.zeros((6, 4, 1), "uint8")
        mask[: 1 + number % 4] = 1 + number % 2
        yield (
            number,
            {
                "image": np.full((6, 4, 3), number, "uint8"),
                "kind": KINDS[number % 3],
                "mask": mask,
                "size": float(number) if number % 5 else float("nan"),
                "box": {"low": float(number), "high": number + 1.0},
                "notes": f"note {number}",
            },
        )


def features():
    """Returns features of several kinds, some of them in a dict."""
    return tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(6, 4, 3)),
            "kind": tfds.features.ClassLabel(names=KINDS),
            "mask": tfds.features.Image(shape=(6, 4, 1)),
            "size": np.float32,
            "box": {"low": np.float32, "high": np.float64},
            "notes": tfds.features.Text(),
        }
    )


def make_builder(
    folder, splits=None, ordered=False, own_features=None, rows=()
):
    """Makes a data set, with a start and a number of examples by split.

    With `own_features`, all rows are in the training part.
    """
    splits = splits or {"train": (0, 40), "test": (40, 10)}
    parts = {name: examples(*span) for name, span in splits.items()}
    if own_features is not None:
        parts = {"train": enumerate(rows)}

    with tfds.core.registered.skip_registration():

        class Toy(tfds.core.GeneratorBasedBuilder):
            """Numbered examples."""

            VERSION = tfds.core.Version("1.0.0")

            def _info(self):
                return tfds.core.DatasetInfo(
                    builder=self,
                    features=own_features or features(),
                    supervised_keys=None if own_features else ("image", "kind"),
                    disable_shuffling=ordered,
                )

            def _split_generators(self, dl_manager):
                return parts

            def _generate_examples(self):
                raise NotImplementedError

    return Toy(data_dir=folder)
