"""Settings and fixtures that all tests share; `conftest.py` loads them."""

import gc
import os
import signal

# Before TensorFlow is imported, whose messages would hide the tests' output.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# As users have it who import mtl_keras first; the modules of the tests import
# Keras before.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

from pathlib import Path

import factory_harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from forked_programs import ForkedPrograms

from mtl_keras import distribution

# Two logical devices stand in for two GPUs, for tests under a strategy.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration()] * 2,
)

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def seed():
    """Makes every test start from the same random state."""
    keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True, scope="session")
def graphs(pytestconfig):
    """Disables graph optimization in the quick tests.

    TensorFlow's passes over a graph take longer than a few steps. The slow
    tests run with them, as users do.
    """
    if "not slow" in pytestconfig.option.markexpr:
        tf.config.optimizer.set_experimental_options(
            {"disable_meta_optimizer": True}
        )


@pytest.fixture(autouse=True, scope="session")
def collector():
    """Makes the garbage collector run less often.

    Tracing creates many objects, and nearly all of them live with the graph.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    yield
    gc.set_threshold(*before)


@pytest.fixture(autouse=True, scope="module")
def session(collector):
    """Frees Keras's memory after each file; it is too slow for each test."""
    yield
    keras.backend.clear_session()
    # TensorFlow keeps graphs as long as the process: looking through those of
    # all files again would take seconds in each collection.
    gc.freeze()


@pytest.fixture
def rng():
    """Returns a numpy generator."""
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def two_replicas():
    """Returns a strategy of two replicas on logical CPU devices."""
    # One for all tests: a second one would reuse TensorFlow's collective keys.
    return distribution.strategy("mirrored", replicas=2)


@pytest.fixture(scope="session")
def forked_programs(tmp_path_factory):
    """Runs programs in processes that have imported TensorFlow, no more."""
    programs = ForkedPrograms(tmp_path_factory.mktemp("programs"))
    yield programs
    programs.end()


@pytest.fixture
def shared_data():
    """Finds a real data set beside the repository, or skips the test."""

    def find(name: str) -> Path:
        folder = SHARED_DATA / name
        if not folder.is_dir():
            pytest.skip(f"the real data set {name!r} is not at ../shared/data")
        return folder

    return find


@pytest.fixture(params=sorted(factory_harness.SMALL))
def factory_name(request):
    """Returns the name of each factory in turn."""
    return request.param


@pytest.fixture(
    params=factory_harness.mostly_slow(
        sorted(factory_harness.SMALL), factory_harness.GRAPH_REPRESENTATIVES
    )
)
def graph_factory(request):
    """Returns each factory in turn; similar graphs are slow but one."""
    return request.param


@pytest.fixture(
    params=factory_harness.mostly_slow(sorted(factory_harness.SMALL))
)
def engine_factory(request):
    """Returns each factory in turn; all but one are slow."""
    return request.param


@pytest.fixture(
    params=factory_harness.mostly_slow(
        factory_harness.SHARING, factory_harness.GRAPH_REPRESENTATIVES
    )
)
def sharing_factory(request):
    """Returns each factory whose tasks share parameters."""
    return request.param


@pytest.fixture(params=factory_harness.mostly_slow(factory_harness.SHARING))
def sharing_engine_factory(request):
    """Returns each factory whose tasks share parameters; all but one slow."""
    return request.param


@pytest.fixture
def default_interruption():
    """Restores ctrl-C, which shells turn off for background jobs."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    # Python loses exceptions, Ctrl-C too, that are raised while it deletes
    # garbage, and other tests leave enough of it.
    gc.disable()
    yield
    gc.enable()
    signal.signal(signal.SIGINT, before)
