"""SNIPS: intents and slots of requests to an assistant.

Origin: https://github.com/sonos/nlu-benchmark, 2017-06-custom-intent-engines;
tokenized and split by Goo et al., https://github.com/MiuLab/SlotGated-SLU,
data/snips.

Licence: CC0 1.0.
"""

import os

from mtl_keras.datasets.files import existing_folder
from mtl_keras.datasets.from_intent_slots import from_intent_slots
from mtl_keras.datasets.samples import Samples
from mtl_keras.tasks import Classification, SequenceTagging, Task

INTENTS = (
    "AddToPlaylist",
    "BookRestaurant",
    "GetWeather",
    "PlayMusic",
    "RateBook",
    "SearchCreativeWork",
    "SearchScreeningEvent",
)
_ONE_TOKEN = (
    "best_rating",
    "condition_description",
    "condition_temperature",
    "party_size_number",
    "rating_unit",
    "rating_value",
    "year",
)
_SEVERAL_TOKENS = (
    "album",
    "artist",
    "city",
    "country",
    "cuisine",
    "current_location",
    "entity_name",
    "facility",
    "genre",
    "geographic_poi",
    "location_name",
    "movie_name",
    "movie_type",
    "music_item",
    "object_location_type",
    "object_name",
    "object_part_of_series_type",
    "object_select",
    "object_type",
    "party_size_description",
    "playlist",
    "playlist_owner",
    "poi",
    "restaurant_name",
    "restaurant_type",
    "served_dish",
    "service",
    "sort",
    "spatial_relation",
    "state",
    "timeRange",
    "track",
)
TAGS = (
    "O",
    *(f"B-{slot}" for slot in sorted(_ONE_TOKEN + _SEVERAL_TOKENS)),
    *(f"I-{slot}" for slot in _SEVERAL_TOKENS),
)

_ORIGIN = (
    "Get the folder data/snips of https://github.com/MiuLab/SlotGated-SLU."
)


def load_data(path: str | os.PathLike) -> tuple[Samples, Samples]:
    """Reads the training and test sentences of SNIPS.

    The official split has 13,084 training and 700 test sentences, and 700
    validation sentences, which `load_splits` returns, too. Tokens are in lower
    case, separated by spaces.

    The folder contains the folders `train`, `valid` and `test`, each with the
    files `seq.in`, `seq.out` and `label`: a line of tokens, a line of tags and
    the intent of each sentence.

    Args:
        path: String or path of the folder.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x is an array of strings of
        shape `(n,)`; y is a dict of `"intent"`, int32 of shape `(n,)`, and
        `"slots"`, int32 of shape `(n, 35)`: the index in `snips.TAGS` of the
        tag of each token, and -1 after the last token.

    Raises:
        FileNotFoundError: If the folder or one of its files does not exist.
        ValueError: If lines do not match, or contain an unknown intent or tag.

    Example:

    ```python
    (x_train, y_train), (x_test, y_test) = snips.load_data("data/snips")
    x_test[0]  # 'add sabrina salerno to the grime instrumentals playlist'
    ```

    Reference:

    - Coucke et al., Snips Voice Platform: an embedded Spoken Language
      Understanding system for private-by-design voice interfaces, 2018.
    - Goo et al., Slot-Gated Modeling for Joint Slot Filling and Intent
      Prediction, NAACL 2018.
    """
    train, _, test = load_splits(path)
    return train, test


def load_splits(path: str | os.PathLike) -> tuple[Samples, Samples, Samples]:
    """Reads the official training, validation and test parts.

    Args:
        path: See `load_data`.

    Returns:
        Three pairs `(x, y)`, see `load_data`.

    Raises:
        FileNotFoundError: See `load_data`.
        ValueError: See `load_data`.

    Example:

    ```python
    train, validation, test = snips.load_splits("data/snips")
    ```
    """
    folder = existing_folder(path, _ORIGIN)
    parts = {"train": "train", "validation": "valid", "test": "test"}
    data = from_intent_slots(
        {part: folder / name for part, name in parts.items()},
        tasks(),
        origin=_ORIGIN,
    )
    return data.arrays("train"), data.arrays("validation"), data.arrays("test")


def tasks() -> list[Task]:
    """Returns the tasks that fit the targets of `load_data`.

    Returns:
        `Classification("intent", 7)` and `SequenceTagging("slots", 72)`, with
        class names. The primary metric of the tags is the F1 score of decoded
        spans.

    Example:

    ```python
    [task.name for task in snips.tasks()]  # ['intent', 'slots']
    ```
    """
    return [
        Classification("intent", len(INTENTS), class_names=INTENTS),
        SequenceTagging(
            "slots",
            len(TAGS),
            class_names=TAGS,
            metrics=["decoded_span_f1", "span_f1", "accuracy"],
        ),
    ]
