"""Public docstrings: every example runs, every public thing has one."""

import doctest
import importlib
import inspect
import pkgutil

import keras
import numpy as np
import pytest

import mtl_keras

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(mtl_keras.__path__, "mtl_keras.")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    module = importlib.import_module(name)
    results = doctest.testmod(
        module,
        extraglobs={"keras": keras, "np": np, "mtl_keras": mtl_keras},
        optionflags=doctest.NORMALIZE_WHITESPACE,
    )
    assert results.failed == 0


def public_objects(module):
    """Functions and classes that a module defines, and their methods."""
    for name, value in vars(module).items():
        if name.startswith("_") or not callable(value):
            continue
        if getattr(value, "__module__", None) != module.__name__:
            continue
        yield name, value
        if inspect.isclass(value):
            for method, function in vars(value).items():
                if not method.startswith("_") and inspect.isfunction(function):
                    yield f"{name}.{method}", function


@pytest.mark.parametrize("name", MODULES)
def test_everything_public_is_documented(name):
    module = importlib.import_module(name)
    assert module.__doc__, name
    inherited = ("call", "update_state", "result", "get_config", "head")
    for path, value in public_objects(module):
        if path.split(".")[-1] in (*inherited, "target_shapes", "reset_state"):
            continue
        if path.endswith("check_target_values"):
            continue
        assert inspect.getdoc(value), f"{name}.{path}"
