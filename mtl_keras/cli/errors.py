"""Prints errors as one line."""

from __future__ import annotations

import os
import sys

import typer
from typer.core import TyperGroup

DEBUG = "MTL_KERAS_DEBUG"
USER_ERROR, RUN_ERROR = 2, 1
_EXPECTED = (ValueError, TypeError, OSError, ImportError)


class OneLineErrors(TyperGroup):
    """A group of commands that print errors as one line on stderr.

    The exit status is 2 for errors that the user can fix, and 1 for a failed
    run.
    """

    def main(self, *args, **kwargs) -> None:
        """Runs a command and exits with its status."""
        kwargs["standalone_mode"] = False
        try:
            status = super().main(*args, **kwargs)
        except typer.Abort:
            status = RUN_ERROR
        except Exception as error:
            status = _report(error)
        sys.exit(status if isinstance(status, int) else 0)


def _report(error: Exception) -> int:
    # Usage errors of typer, whose class is not public.
    is_usage = hasattr(error, "format_message")
    expected = is_usage or isinstance(error, _EXPECTED) or _is_run_error(error)
    if os.environ.get(DEBUG) or not expected:
        raise error
    message = error.format_message() if is_usage else str(error)
    # The help for missing arguments is an error without a message.
    line = " ".join(message.split()) or type(error).__name__
    print(f"Error: {line}", file=sys.stderr)
    return USER_ERROR if is_usage or not _is_run_error(error) else RUN_ERROR


def _is_run_error(error: Exception) -> bool:
    from mtl_keras.distribution import LostWorkerError
    from mtl_keras.training import (
        BackupError,
        NonFiniteGradientError,
        NonFiniteLossError,
    )

    kinds = [
        BackupError,
        LostWorkerError,
        NonFiniteGradientError,
        NonFiniteLossError,
    ]
    # Other commands do not import it, since it loads KerasTuner.
    if tuning := sys.modules.get("mtl_keras.tuning"):
        kinds += [
            tuning.AllTrialsFailedError,
            tuning.FolderInUseError,
            tuning.NoWorkersError,
            tuning.UnreachableOracleError,
            tuning.WorkerFailedError,
        ]
    return isinstance(error, tuple(kinds))
