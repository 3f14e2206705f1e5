"""Shapes and dtypes of the samples of a mixture."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

Shape = tuple[int | None, ...]


@dataclasses.dataclass(frozen=True)
class ArraySpec:
    """Shape and dtype of one value, without the batch axis.

    Args:
        shape: Tuple of integers; `None` for an unknown length.
        dtype: The numpy dtype.
    """

    shape: Shape
    dtype: np.dtype

    def __str__(self) -> str:
        return f"shape {self.shape} and dtype {self.dtype}"


@dataclasses.dataclass(frozen=True)
class Signature:
    """Shapes and dtypes of a sample.

    Args:
        x: `ArraySpec` of the inputs.
        y: Dict from task name to the `ArraySpec` of its targets.
    """

    x: ArraySpec
    y: Mapping[str, ArraySpec]


@dataclasses.dataclass(frozen=True)
class MixedTarget:
    """Shape, dtype and missing label of the targets of a task.

    Args:
        spec: `ArraySpec`, with a dtype that can represent a missing label.
        missing: NaN for floats, -1 for classes.
    """

    spec: ArraySpec
    missing: float


def mix_targets(signatures: Mapping[str, Signature]) -> dict[str, MixedTarget]:
    """Returns the targets of all tasks of any data set.

    Args:
        signatures: Dict from the name of a data set to its `Signature`.

    Returns:
        Dict from task name to `MixedTarget`.

    Raises:
        ValueError: If the shapes of a task differ, or a shape is unknown.
    """
    found: dict[str, dict[str, ArraySpec]] = {}
    for name, signature in signatures.items():
        for task, spec in signature.y.items():
            found.setdefault(task, {})[name] = spec
    return {task: _mix_target(task, specs) for task, specs in found.items()}


def check_same_inputs(signatures: Mapping[str, Signature]) -> ArraySpec:
    """Checks that the inputs of all data sets have the same shape and dtype.

    Args:
        signatures: Dict from the name of a data set to its `Signature`.

    Returns:
        The `ArraySpec` of the inputs.

    Raises:
        ValueError: If two data sets differ, or a shape is unknown. The error
            names the arguments that adapt them.
    """
    first, *others = signatures
    for name in others:
        if signatures[name].x != signatures[first].x:
            raise ValueError(_describe_difference(first, name, signatures))
    spec = signatures[first].x
    if None in spec.shape:
        raise ValueError(
            f"Data set {first!r}: the inputs have the unknown shape "
            f"{spec.shape}, but a batch needs one shape. Pass "
            "image_size=(height, width) to resize, or set it in the data set "
            "with tf.ensure_shape."
        )
    return spec


def _mix_target(task: str, specs: Mapping[str, ArraySpec]) -> MixedTarget:
    first, *others = specs
    for name in others:
        if specs[name].shape != specs[first].shape:
            raise ValueError(
                f"Task {task!r} has targets of shape {specs[first].shape} in "
                f"data set {first!r} and {specs[name].shape} in {name!r}; "
                "expected one shape. Reshape one, or rename the task of one."
            )
    shape = specs[first].shape
    if None in shape:
        raise ValueError(
            f"Task {task!r} of data set {first!r} has targets of the unknown "
            f"shape {shape}; expected a fixed shape, to add missing labels to "
            "the other data sets. Pad the targets to one length."
        )
    dtype = _dtype_with_missing([spec.dtype for spec in specs.values()])
    missing = float("nan") if _is_float(dtype) else -1
    return MixedTarget(ArraySpec(shape, dtype), missing)


def _dtype_with_missing(dtypes: list[np.dtype]) -> np.dtype:
    """Returns a dtype for the values of all, and a missing label."""
    if any(map(_is_float, dtypes)):
        return np.result_type(*(t for t in dtypes if _is_float(t)))
    signed = [t for t in dtypes if t.kind == "i"]
    if len(signed) == len(dtypes):
        return np.result_type(*signed)
    # Unsigned and boolean dtypes cannot represent -1.
    wide = any(dtype.itemsize >= 4 for dtype in dtypes)
    return np.dtype("int64" if wide else "int32")


def _is_float(dtype: np.dtype) -> bool:
    # In numpy, bfloat16 has the kind "V".
    return dtype.kind in "fV"


def _describe_difference(first: str, other: str, signatures) -> str:
    here, there = signatures[first].x, signatures[other].x
    text = (
        f"The data sets have different inputs: {first!r} has inputs of {here}, "
        f"{other!r} of {there}."
    )
    ways = []
    if here.dtype != there.dtype:
        ways.append(
            "convert one to the dtype of the other, such as "
            "x.astype('float32') / 255 for pixels of 0 to 255"
        )
    if len(here.shape) != len(there.shape):
        ways.append("give both the same axes, such as x[..., None]")
    elif len(here.shape) == 3:
        if here.shape[:2] != there.shape[:2]:
            ways.append(f"pass image_size={_larger(here, there)} to resize")
        if here.shape[2] != there.shape[2]:
            ways.append("pass channels=3 or channels=1 to adapt the channels")
    elif here.shape != there.shape:
        ways.append("reshape or pad one to the shape of the other")
    advice = "; ".join(ways)
    return f"{text} {advice[0].upper()}{advice[1:]}."


def _larger(here: ArraySpec, there: ArraySpec) -> Shape:
    sizes = [spec.shape[:2] for spec in (here, there)]
    return max(sizes, key=lambda size: [length or 0 for length in size])
