"""Predicted and true labels from outputs and targets, as numpy arrays."""

from __future__ import annotations

import numpy as np

from mtl_keras.tasks.missing import drop_axis, is_labelled


def binary_threshold(from_logits: bool) -> float:
    """Returns the output above which a binary label is predicted as 1.

    Args:
        from_logits: Whether the outputs are logits.
    """
    return 0.0 if from_logits else 0.5


def decode_output(
    output: np.ndarray, target_kind: str, *, columns: bool, from_logits: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Converts outputs to predicted labels and their probabilities.

    Args:
        output: Array of outputs, batch axis first.
        target_kind: See `Task`.
        columns: See `Task`.
        from_logits: Whether the outputs are logits.

    Returns:
        The predicted labels, and the probability of each or `None`. Numbers
        keep the shape of the output, and so do binary labels with `columns`;
        others drop the last axis.
    """
    if target_kind == "number":
        return output, None
    if target_kind == "class" and output.shape[-1] > 1:
        probabilities = _softmax(output) if from_logits else output
        return probabilities.argmax(axis=-1), probabilities.max(axis=-1)
    probability = _sigmoid(output) if from_logits else output
    if not columns:
        probability = probability[..., 0]
    predicted = (probability > 0.5).astype("int32")
    return predicted, np.where(predicted == 1, probability, 1 - probability)


def decode_targets(
    targets: np.ndarray, output: np.ndarray, target_kind: str, columns: bool
) -> np.ndarray:
    """Converts targets to the form of the predicted labels.

    Args:
        targets: Array of targets.
        output: Array of outputs.
        target_kind: See `Task`.
        columns: See `Task`.

    Returns:
        Numbers, with NaN where one is missing; or int32 classes, with -1
        where one is missing.
    """
    if target_kind == "number":
        return targets.reshape(output.shape)
    labelled = is_labelled(targets, -1)
    if labelled is None:
        labelled = np.ones(targets.shape, bool)
    known = np.where(labelled, targets, 0)
    if target_kind == "binary":
        # A soft label counts as in metrics.
        classes = known >= 0.5
    elif targets.shape == output.shape and output.shape[-1] > 1:
        classes, labelled = known.argmax(axis=-1), drop_axis(labelled)
    else:
        classes = known
    shape = output.shape if columns else output.shape[:-1]
    return np.where(labelled, classes.astype("int32"), -1).reshape(shape)


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * logits))  # does not overflow
