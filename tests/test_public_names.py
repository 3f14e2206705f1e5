"""The names that `import mtl_keras` makes public."""

import pkgutil
import sysconfig

import pytest
from generated_files import FILES

import mtl_keras

# Packages that users do not type.
INTERNAL = {"cli", "columns", "processes"}


def test_public_names_exist_and_are_sorted():
    assert mtl_keras.__all__ == sorted(set(mtl_keras.__all__))
    for name in mtl_keras.__all__:
        assert hasattr(mtl_keras, name)
    assert set(mtl_keras.__all__) <= set(dir(mtl_keras))


def test_an_unknown_name_is_an_attribute_error():
    for name in ("nothing", "build_nothing", "__nothing__"):
        with pytest.raises(AttributeError, match=f"'mtl_keras' .*{name}"):
            getattr(mtl_keras, name)
    with pytest.raises(AttributeError, match="Did you mean 'build_mlp'"):
        _ = mtl_keras.build_mpl


def test_dir_lists_what_users_type():
    names = {name for name in dir(mtl_keras) if not name.startswith("__")}
    assert names == set(mtl_keras.__all__)


def test_every_kind_of_task_is_public():
    for name, kind in mtl_keras.tasks.KINDS.items():
        assert getattr(mtl_keras, name) is kind


def test_every_package_is_public_or_internal():
    packages = {
        module.name
        for module in pkgutil.iter_modules(mtl_keras.__path__)
        if module.ispkg
    }
    assert packages - INTERNAL <= set(mtl_keras.__all__)
    assert packages >= INTERNAL


def test_every_factory_is_public():
    for name in mtl_keras.models.names():
        assert getattr(mtl_keras, name) is mtl_keras.models.get(name)


def test_every_public_error_is_public_at_the_top():
    found = set()
    for package in mtl_keras.__all__:
        module = getattr(mtl_keras, package)
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if isinstance(value, type) and issubclass(value, Exception):
                assert getattr(mtl_keras, name) is value
                found.add(name)
    assert {"AllTrialsFailedError", "NonFiniteLossError"} <= found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_generated_files_are_current(path):
    assert path.read_text(encoding="utf-8") == FILES[path](), (
        "Run `make generate`."
    )


COMMAND_LINE = f"{sysconfig.get_path('scripts')}/mtl-keras"


@pytest.mark.parametrize(
    "script",
    ["folder/mtl-keras.py", "folder/mtl-keras", "train.py", COMMAND_LINE],
)
def test_scripts_of_any_name(forked_programs, script):
    code = f"""
import sys
sys.argv = ["{script}"]
import mtl_keras
print("mtl_keras.models" in sys.modules)
assert {{"build_mlp", "tuning"}} <= set(dir(mtl_keras))
assert mtl_keras.build_mlp is mtl_keras.models.build_mlp
from mtl_keras import MultiTaskModel, zoo
from mtl_keras import *
assert losses is mtl_keras.losses
assert zoo.entries()
assert issubclass(mtl_keras.NonFiniteLossError, ValueError)
"""
    loaded = forked_programs.run(code).splitlines()[-1]
    # The command line answers `--help` before anything is imported.
    assert loaded == str(script != COMMAND_LINE)
