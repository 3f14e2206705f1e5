"""Text of the arguments that several factories share, by kind of input.

`factory` adds it to the docstrings, followed by the default of each argument.
"""

from __future__ import annotations

_ALL = {
    "activation": "Activation of the hidden layers.",
    "normalization": (
        'Normalization of the hidden layers: `"batch"`, `"group"`, `"layer"` '
        "or `None`."
    ),
    "dropout": "Dropout rate after each hidden layer, in [0, 1).",
    "l1": "Factor of the L1 penalty on the kernels of the hidden layers.",
    "l2": "Factor of the L2 penalty on the kernels of the hidden layers.",
    "name": "Name of the model.",
    # Of two factories of one family.
    "shared_experts": "Number of experts that all tasks read, 0 or more.",
    "task_experts": "Number of experts of each task, 0 or more.",
    "own": (
        "Initial share of a task's own tower. The rest up to 1 is shared "
        "equally by the other towers. With `1`, training starts from "
        "independent towers."
    ),
    "per_channel": "Whether each channel has its own alpha.",
    "levels": (
        "Dict from task name to the level of the trunk that the task reads, "
        "counted from 1. Other tasks read the last level. With `None`, the "
        "first task reads the middle level."
    ),
    "feeds": (
        "Dict from task name to the names of the tasks whose predictions the "
        "task reads in addition to its features (task fusion)."
    ),
    "stop_gradient": (
        "Whether to stop the gradient of a task at the predictions that it "
        "reads, so that it does not train the layers behind them."
    ),
}

_VECTORS = {
    "input_shape": (
        "Shape of one sample, `(features,)`. Samples of higher rank are "
        "flattened."
    ),
    "tasks": (
        'List of tasks. With `None`, they are `Classification("left", 10)` '
        'and `Classification("right", 10)`.'
    ),
    "num_classes": (
        "Number of classes of each default task. With `None`, it is 10. Cannot "
        "be combined with `tasks`."
    ),
    "trunk_width": "Width of all hidden layers, in place of `hidden_units`.",
    "trunk_depth": "Number of hidden layers, in place of `hidden_units`.",
    "tower_units": (
        "Width of each hidden layer of a tower, which lies between the experts "
        "and the head of a task."
    ),
    "preprocessing": (
        "Keras layer, or list of layers, to apply to the inputs, such as an "
        "adapted `keras.layers.Normalization`. Saved and exported with the "
        "model."
    ),
}

_IMAGES = {
    "input_shape": "Shape of one image, `(height, width, channels)`.",
    "num_classes": (
        "Number of classes of the default classification. With `None`, it is "
        "10. Cannot be combined with `tasks`."
    ),
    "num_mask_classes": (
        "Number of classes of the default segmentation; 1 is a binary mask. "
        "With `None`, it is 1. Cannot be combined with `tasks`."
    ),
    "trunk_width": (
        "Number of filters of the first level, which each further level "
        "doubles, in place of `filters`."
    ),
    "trunk_depth": "Number of levels, in place of `filters`.",
    "decoder_filters": "Number of filters of the decoder of a pixel task.",
    "preprocessing": (
        "Keras layer, or list of layers, to apply to the inputs, such as "
        "`keras.layers.Rescaling(1 / 255)`. Saved and exported with the model."
    ),
}

_SEQUENCES = {
    "trunk_width": "Width of all levels, in place of `hidden_units`.",
    "trunk_depth": "Number of levels, in place of `hidden_units`.",
    "kernel_size": "Number of steps that a convolution reads, odd.",
    "num_heads": "Number of attention heads of a Transformer.",
    "pooling": (
        'Pooling over the steps for tasks on whole sequences: `"average"` or '
        '`"max"`.'
    ),
    "activation": (
        "Activation of convolutions and Transformers. GRUs keep their own."
    ),
    "normalization": (
        'Normalization after each level: `"batch"`, `"layer"` or `None`.'
    ),
    "dropout": "Dropout rate after each level, in [0, 1).",
    "preprocessing": _VECTORS["preprocessing"],
}

SHARED_ARGUMENTS = {
    "vectors": _ALL | _VECTORS,
    "images": _ALL | _IMAGES,
    "sequences": _ALL | _SEQUENCES,
    "text": _ALL | _SEQUENCES,
}
