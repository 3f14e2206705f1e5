"""Runs short programs in new processes that have imported TensorFlow.

The import takes seconds. One process imports it, and each program runs in a
fork of this process, in which nothing has been computed yet.
"""

import json
import os
import subprocess
import sys
import traceback
from pathlib import Path


class ForkedPrograms:
    """Runs programs one after another, each in a separate process.

    Args:
        folder: Where the output of programs goes.
    """

    def __init__(self, folder):
        self._folder = Path(folder)
        self._server = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, code, *, cwd=".", text=""):
        """Runs a program; returns its output.

        Args:
            code: The program.
            cwd: The folder in which it runs.
            text: Its standard input.

        Returns:
            Its output.
        """
        files = {kind: str(self._folder / kind) for kind in ("in", "out")}
        Path(files["in"]).write_text(text)
        request = {"code": code, "cwd": str(cwd), **files}
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        status = self._server.stdout.readline().strip()
        output = Path(files["out"]).read_text()
        assert status == "0", output
        return output

    def end(self):
        """Ends the process that imported TensorFlow."""
        self._server.communicate()


def _serve():
    import tensorflow

    assert tensorflow
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if not child:
            _run(request)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _run(request):
    """Runs a program in this process, which ends with it."""
    code = 1
    try:
        os.chdir(request["cwd"])
        for name, mode, targets in (("in", "r", [0]), ("out", "w", [1, 2])):
            with open(request[name], mode) as file:
                for target in targets:
                    os.dup2(file.fileno(), target)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
        exec(request["code"], {"__name__": "__main__"})
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
