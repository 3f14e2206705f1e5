"""Training in several processes on this host equals training in one."""

from pathlib import Path

import distribution_cases as cases
import keras
import numpy as np
import pytest
from worker_processes import run_workers

# Starting two processes takes half a minute.
pytestmark = pytest.mark.slow
PROGRAM = str(Path(__file__).parents[1] / "distribution_worker.py")
TWICE = [case.__name__ for case in cases.TWO_WORKER_CASES]


def start(count, folder, *names):
    """Runs workers once; returns the results of each worker by case."""
    run_workers(count, PROGRAM, str(folder), *names)
    return [dict(np.load(folder / f"{i}.npz")) for i in range(count)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("workers")


@pytest.fixture(scope="module")
def two(folder):
    own = ("files", "restored", "loaded", "unseeded", "errors", "recipe")
    return start(2, folder, *TWICE, *own)


def of_case(found, name):
    results = {
        key.partition("/")[2]: value
        for key, value in found.items()
        if key.startswith(f"{name}/")
    }
    assert results
    return results


def assert_close(found, expected, names=None):
    for name in names or expected:
        of_one = expected[name]
        scale = max(np.abs(of_one).max(), 1e-6)
        difference = np.abs(found[name] - of_one).max() / scale
        assert difference < 1e-5, name


def one_process(case):
    keras.utils.set_random_seed(0)
    return case("none", None)


@pytest.mark.parametrize(
    "case", cases.TWO_WORKER_CASES, ids=lambda case: case.__name__
)
def test_two_workers_equal_one_process(two, case):
    expected = one_process(case)
    for found in two:
        assert found["workers"] == 2
        assert_close(of_case(found, case.__name__), expected)


def assert_alike(found_by_all, name):
    first, second = (of_case(found, name) for found in found_by_all)
    for key, value in first.items():
        np.testing.assert_array_equal(value, second[key], err_msg=key)


@pytest.mark.parametrize("name", [*TWICE, "files", "unseeded"])
def test_workers_end_with_the_same_numbers(two, name):
    assert_alike(two, name)


def test_only_the_chief_writes(two, folder):
    shared = folder / "shared"
    names = {path.name for path in shared.iterdir()}
    assert names == {
        "1.keras",
        "2.keras",
        "exported",
        "history.csv",
        "saved.keras",
        "saved.weights.h5",
        "step.weights.h5",
        "tensorboard",
    }
    # One row an epoch, below the heading.
    assert len((shared / "history.csv").read_text().splitlines()) == 3
    events = [p for p in shared.rglob("events.*") if p.is_file()]
    assert len(events) == 1


def test_the_written_model_is_the_trained_one(two, folder):
    expected = of_case(two[0], "files")
    shared = folder / "shared"
    for name in ("2.keras", "saved.keras"):
        model = keras.saving.load_model(shared / name)
        assert_close(
            cases.weights_by_number(model), cases.select_weights(expected)
        )
    x, _ = cases.some_arrays(18)
    layer = keras.layers.TFSMLayer(
        str(shared / "exported"), call_endpoint="serve"
    )
    outputs = model.predict(x, verbose=0)
    assert_close({k: v.numpy() for k, v in layer(x).items()}, outputs)


def test_a_backup_of_the_chief_restores_all(two):
    for found in two:
        assert of_case(found, "restored")["epochs"].tolist() == [2]
    assert_alike(two, "restored")


def test_a_model_loaded_in_scope_trains(two):
    assert_alike(two, "loaded")


def test_a_recipe_is_run_by_all_and_written_by_one(two, folder):
    assert_alike(two, "recipe")
    names = {path.name for path in (folder / "run").iterdir()}
    assert {"metrics.json", "model.keras", "saved_model"} <= names
    assert not [name for name in names if "partial" in name]
    keras.saving.load_model(folder / "run" / "model.keras")


def test_other_data_or_seeds_are_refused_on_all_workers(two):
    for found in two:
        seeds, batches = of_case(found, "errors")["errors"]
        assert "seed of tf.random: found [0, 1], by worker" in seeds
        assert "number of batches: found [3, 2], by worker" in batches
        assert "same data, whole" in batches


def test_three_workers(tmp_path):
    results = start(3, tmp_path, *(case.__name__ for case in cases.CASES))
    for case in cases.CASES:
        expected = one_process(case)
        first, *others = (of_case(found, case.__name__) for found in results)
        assert_close(first, expected)
        for other in others:
            for name, value in first.items():
                np.testing.assert_array_equal(value, other[name], err_msg=name)
