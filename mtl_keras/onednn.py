"""The oneDNN kernels of TensorFlow, which are faster on a CPU."""

import os
import sys

VARIABLE = "TF_ENABLE_ONEDNN_OPTS"


def enable_unless_set() -> None:
    """Turns on the oneDNN kernels of TensorFlow, unless the user decided.

    TensorFlow has oneDNN kernels for convolutions, matrix products and
    normalization. By default it uses them only on processors with AVX512-VNNI,
    AVX-VNNI or AMX. Processors without these extensions, such as many AMD
    servers and laptops, gain from the kernels as well.

    TensorFlow reads the environment variable `TF_ENABLE_ONEDNN_OPTS` once,
    while it is imported. Nothing is therefore set if TensorFlow is already
    loaded, and a value that the user has set is kept, `0` included.
    """
    if "tensorflow" not in sys.modules:
        os.environ.setdefault(VARIABLE, "1")
