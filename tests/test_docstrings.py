"""Public docstrings: everything public has one, and every example runs."""

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


ROOMS = sorted({".".join(name.split(".")[:2]) for name in MODULES})

# Examples that trace or build most; other quick tests cover their code.
SLOW = {
    f"mtl_keras.{name}"
    for name in (
        "datasets.mixing.mix",
        "metrics.span_f1",
        "models.cnn_multi_task",
        "models.cross_stitch_cnn",
        "models.dselect_k",
        "models.esmm",
        "models.from_backbone",
        "models.mtan",
        "models.ple",
        "models.text_cls_tag",
        "models.text_input",
        "surgery.add_task",
        "tables.raw_columns",
        "training.backups.backup_and_restore",
        "training.full_batch.fit_full_batch",
        "training.stages.fit_in_stages",
        "weighting.aligned",
        "weighting.cagrad",
        "weighting.graddrop",
        "weighting.gradnorm",
        "weighting.gradvac",
    )
}
assert set(MODULES) >= SLOW


def run_examples(name):
    """Runs the examples of a module; returns what failed, with its place."""
    keras.utils.set_random_seed(0)
    module = importlib.import_module(name)
    failures = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    names = {"keras": keras, "np": np, "mtl_keras": mtl_keras}
    for test in doctest.DocTestFinder().find(module, extraglobs=names):
        runner.run(test, out=failures.append)
    return failures


@pytest.mark.parametrize("room", ROOMS)
def test_examples_run(room):
    modules = [n for n in MODULES if f"{n}.".startswith(f"{room}.")]
    failures = [
        text
        for name in modules
        if name not in SLOW
        for text in run_examples(name)
    ]
    assert not failures, "".join(failures)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SLOW))
def test_slow_examples_run(name):
    failures = run_examples(name)
    assert not failures, "".join(failures)


def public_objects(module):
    """Yields functions and classes that a module defines, and methods."""
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


def test_everything_public_is_documented():
    inherited = (
        "call",
        "check_target_values",
        "get_config",
        "head",
        "reset_state",
        "result",
        "target_shapes",
        "update_state",
    )
    undocumented = []
    for name in MODULES:
        module = importlib.import_module(name)
        if not module.__doc__:
            undocumented.append(name)
        for path, value in public_objects(module):
            if path.split(".")[-1] in inherited:
                continue
            if not inspect.getdoc(value):
                undocumented.append(f"{name}.{path}")
    assert not undocumented
