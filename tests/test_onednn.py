"""oneDNN is on unless the user decided, and before TensorFlow is imported."""

import importlib
import os
import platform
import sys
import sysconfig

import pytest

from mtl_keras import onednn

HEAVY = ("keras", "tensorflow")


class Stop:
    """Stops the import of Keras and TensorFlow, which takes seconds."""

    def find_spec(self, name, path=None, target=None):
        if name in HEAVY:
            raise ImportError(f"stopped at {name}", name=name)


@pytest.fixture
def fresh(monkeypatch):
    """Imitates a process that has loaded neither TensorFlow nor mtl_keras."""
    monkeypatch.delenv(onednn.VARIABLE, raising=False)
    for name in list(sys.modules):
        if name in HEAVY or name.split(".")[0] == "mtl_keras":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Stop(), *sys.meta_path])
    yield monkeypatch
    for name in list(sys.modules):
        if name.split(".")[0] == "mtl_keras":
            del sys.modules[name]


def import_mtl_keras():
    """Imports the package as far as its first use of Keras or TensorFlow."""
    with pytest.raises(ImportError, match="stopped at"):
        importlib.import_module("mtl_keras")
    return os.environ.get(onednn.VARIABLE)


def test_import_turns_it_on_before_tensorflow_is_loaded(fresh):
    assert import_mtl_keras() == "1"


@pytest.mark.parametrize("value", ["0", "1", "false", ""])
def test_import_keeps_the_value_of_the_user(fresh, value):
    fresh.setenv(onednn.VARIABLE, value)
    assert import_mtl_keras() == value


def test_import_sets_nothing_after_tensorflow(fresh):
    fresh.setitem(sys.modules, "tensorflow", object())
    assert import_mtl_keras() is None


def test_command_line_turns_it_on_without_tensorflow(fresh):
    program = f"{sysconfig.get_path('scripts')}/mtl-keras"
    fresh.setattr(sys, "argv", [program, "--help"])
    importlib.import_module("mtl_keras.cli")
    assert os.environ[onednn.VARIABLE] == "1"
    assert not set(HEAVY) & set(sys.modules)


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="TensorFlow may be built without oneDNN",
)
def test_tensorflow_has_read_it():
    # What conftest.py set, or whoever started the tests, was set in time.
    port = pytest.importorskip("tensorflow.python.util._pywrap_util_port")
    on = os.environ[onednn.VARIABLE].lower() in ("1", "true")
    assert port.IsMklEnabled() == on
