"""A model that takes the raw columns of a table."""

from __future__ import annotations

import keras
from keras.utils import FeatureSpace

from mtl_keras.tables.encode_columns import join_features
from mtl_keras.training import MultiTaskModel
from mtl_keras.training.overrides import class_like


def with_raw_columns(
    model: MultiTaskModel, feature_space: FeatureSpace, name: str | None = None
) -> MultiTaskModel:
    """Puts an encoding in front of a model that was trained behind it.

    The result shares the layers and weights of `model`. It takes a dict of
    columns of shape `(n,)` or `(n, 1)`, or a `pandas.DataFrame`, in `predict`,
    `evaluate` and `fit`; NaN and `None` are missing values. Its export is a
    SavedModel with one named input of shape `(rows, 1)` for each column, which
    runs in plain TensorFlow, with NaN and the empty text as missing values. An
    unknown category falls into the bucket of its column. A request that lacks
    a column is an error that names it.

    Args:
        model: A `MultiTaskModel` on the vectors of `encode_columns`.
        feature_space: The `FeatureSpace` that encoded them.
        name: Name of the result. Defaults to that of `model` with
            `"_raw_columns"`.

    Returns:
        A `MultiTaskModel`, compiled if `model` is.

    Raises:
        TypeError: If one of the two is something else.
        ValueError: If the model takes vectors of another width.

    Example:

    >>> job = np.array(["cook", "nurse"] * 4, dtype=object)
    >>> columns = {"age": np.arange(8.0), "job": job}
    >>> space = mtl_keras.tables.fit_feature_space(columns)
    >>> x = mtl_keras.tables.encode_columns(space, columns)
    >>> model = mtl_keras.build_mlp(x.shape[1:], num_classes=2)
    >>> raw = mtl_keras.tables.with_raw_columns(model, space)
    >>> raw.predict(columns, verbose=0)["left"].shape
    (8, 2)
    """
    if not isinstance(model, MultiTaskModel):
        raise TypeError(
            f"model is a {type(model).__name__}; expected a MultiTaskModel, "
            "such as the factories build."
        )
    if not isinstance(feature_space, FeatureSpace):
        raise TypeError(
            f"feature_space is a {type(feature_space).__name__}; expected a "
            "keras.utils.FeatureSpace, such as fit_feature_space makes."
        )
    # A plain dict: with Keras's tracked one, each call would warn.
    inputs = dict(feature_space.get_inputs())
    encoded = join_features(feature_space, feature_space.get_encoded_features())
    _check_width(model, encoded.shape[-1])
    # The layers, and not the model as one layer, so that parts of the result
    # can be read and trained as before.
    outputs = model.call(encoded)
    raw = class_like(model, MultiTaskModel)(
        inputs,
        {task.name: outputs[task.name] for task in model.tasks},
        name=name or f"{model.name}_raw_columns",
        tasks=model.tasks,
    )
    if model.compiled:
        raw.compile_from_config(model.get_compile_config())
    return raw


def _check_width(model: keras.Model, width: int) -> None:
    shapes = [tuple(tensor.shape[1:]) for tensor in model.inputs]
    if shapes != [(width,)]:
        raise ValueError(
            f"The encoding makes vectors of {width} numbers, but the model "
            f"takes inputs of shape {shapes}. Build it with input_shape="
            f"({width},)."
        )
