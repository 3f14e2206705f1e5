"""Imports TensorFlow without its messages."""

from __future__ import annotations

import logging
import os
import sys
import tempfile


def import_quietly() -> None:
    """Imports TensorFlow and registers our classes with Keras, in silence.

    `TF_CPP_MIN_LOG_LEVEL` holds back what TensorFlow logs later. Lines such
    as "oneDNN custom operations are on" come before TensorFlow reads it and
    go to file descriptor 2, past `sys.stderr`. A user who has set the variable
    to less wants to see them.
    """
    level = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "tensorflow" in sys.modules or level != "3":
        import mtl_keras.models

        return
    # Several models in one process make TensorFlow warn of retracing.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as messages:
        os.dup2(messages.fileno(), 2)
        try:
            import mtl_keras.models  # noqa: F401
        except BaseException:
            messages.seek(0)
            os.write(stderr, messages.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
