"""Imports TensorFlow without its log messages."""

from __future__ import annotations

import logging
import os
import sys
import tempfile


def import_quietly() -> None:
    """Imports TensorFlow silently, and registers our classes with Keras.

    `TF_CPP_MIN_LOG_LEVEL` hides later messages of TensorFlow. Messages such as
    "oneDNN custom operations are on" come before TensorFlow reads the variable
    and go to file descriptor 2 instead of `sys.stderr`. They are shown if the
    user has set the variable to a lower level.
    """
    level = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "tensorflow" in sys.modules or level != "3":
        import mtl_keras.models

        return
    # TensorFlow warns of retracing if a process has several models.
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
