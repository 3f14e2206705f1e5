"""Stands in for SLURM's `srun` on one host: starts the tasks of a step.

FAKE_SRUN_TASKS is their number. A task has the environment variables that
`srun` sets, for a host whose name is localhost.
"""

import os
import subprocess
import sys


def main():
    """Takes options, then a command, as `srun` does."""
    arguments = sys.argv[1:]
    while arguments and arguments[0].startswith("-"):
        arguments.pop(0)
    count = int(os.environ["FAKE_SRUN_TASKS"])
    step = {
        "SLURM_STEP_ID": "0",
        "SLURM_STEP_NUM_TASKS": str(count),
        "SLURM_STEP_NODELIST": "localhost",
        "SLURM_STEP_TASKS_PER_NODE": str(count),
        "SLURM_DISTRIBUTION": "block",
        "SLURMD_NODENAME": "localhost",
    }
    processes = [
        subprocess.Popen(
            arguments,
            env={**os.environ, **step, "SLURM_PROCID": str(index)},
            stdin=subprocess.DEVNULL,
        )
        for index in range(count)
    ]
    try:
        codes = [process.wait(timeout=300) for process in processes]
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
    sys.exit(max(code if code >= 0 else 128 - code for code in codes))


if __name__ == "__main__":
    main()
