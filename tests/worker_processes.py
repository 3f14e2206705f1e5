"""Starts the processes of a training on several hosts on this host."""

import os
import subprocess
import sys
import time
from pathlib import Path

from mtl_keras.processes import worker_environments

# Warnings are errors, except for batches that are not a multiple of three.
_WARNINGS = ("-W", "error::UserWarning", "-W", "ignore:The batch size")


def run_workers(count, program, *arguments, seconds=300):
    """Runs a program in several processes; returns their outputs.

    All end after a time limit, or as soon as one has failed.
    """
    processes = [
        _start(program, arguments, environment)
        for environment in worker_environments(count, _environment())
    ]
    deadline = time.monotonic() + seconds
    try:
        while any(process.poll() is None for process in processes):
            failed = any(process.poll() for process in processes)
            if failed or time.monotonic() > deadline:
                break
            time.sleep(0.2)
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
        outputs = [process.communicate()[0] for process in processes]
    codes = [process.returncode for process in processes]
    assert codes == [0] * count, f"{codes}\n" + "\n----\n".join(
        output[-4000:] for output in outputs
    )
    return outputs


def make_python_path():
    """Returns the PYTHONPATH of a process that imports modules of the tests."""
    before = os.environ.get("PYTHONPATH")
    return os.pathsep.join(filter(None, [str(Path(__file__).parent), before]))


def _environment():
    return {
        **os.environ,
        "TF_CPP_MIN_LOG_LEVEL": "2",
        # Not the devices that pytest may have set.
        "CUDA_VISIBLE_DEVICES": "-1",
        "PYTHONPATH": make_python_path(),
    }


def _start(program, arguments, environment):
    return subprocess.Popen(
        [sys.executable, *_WARNINGS, program, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
