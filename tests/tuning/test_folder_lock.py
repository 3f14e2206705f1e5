"""Locking the folder of a search, also after a kill."""

import os
import signal
import subprocess
import sys

import pytest

from mtl_keras.tuning.folder_lock import FolderInUseError, lock_folder

# Without importing mtl_keras, which takes seconds: the file by its path.
HOLDER = """
import importlib.util, pathlib, sys, time
spec = importlib.util.spec_from_file_location("folder_lock", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
with module.lock_folder(pathlib.Path(sys.argv[2]), "the other one"):
    print("locked", flush=True)
    time.sleep(600)
"""


def test_another_process_is_named_and_its_death_frees_the_folder(tmp_path):
    file = sys.modules[lock_folder.__module__].__file__
    arguments = [sys.executable, "-c", HOLDER, file, str(tmp_path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout.readline() == b"locked\n"
            with pytest.raises(FolderInUseError) as caught:
                lock_folder(tmp_path, "mine").__enter__()
            assert "'the other one'" in str(caught.value)
            assert f"process {holder.pid}" in str(caught.value)
        finally:
            os.kill(holder.pid, signal.SIGKILL)
    with lock_folder(tmp_path, "mine"):
        pass


def test_a_folder_is_free_again_after_an_error(tmp_path):
    with pytest.raises(KeyError), lock_folder(tmp_path, "first"):
        raise KeyError
    with lock_folder(tmp_path, "second"):
        pass
