"""The tuple of a model's tasks."""

import copy
import pickle

import pytest

import mtl_keras
from mtl_keras import Classification, Regression
from mtl_keras.tasks.model_tasks import ModelTasks


@pytest.fixture(scope="module")
def model():
    """Returns a model of two tasks."""
    tasks = [Classification("stage", 3), Regression("age", loss_weight=0.5)]
    return mtl_keras.build_mlp((4,), tasks)


def test_a_tuple_in_all_respects(model):
    tasks = model.tasks
    assert isinstance(tasks, tuple)
    assert len(tasks) == 2
    assert [task.name for task in tasks] == ["stage", "age"]
    assert tasks[0] is tasks[-2]
    assert tasks == tuple(tasks)
    assert hash(tasks) == hash(tuple(tasks))
    assert tasks == model.tasks
    assert type(tasks[:1]) is tuple
    assert tasks[0] in tasks


def test_text_and_html_show_each_task(model):
    for shown in (repr(model.tasks), str(model.tasks)):
        lines = shown.splitlines()
        assert [line.split()[0] for line in lines] == ["task", "stage", "age"]
    assert "<td" in model.tasks._repr_html_()


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))],
)
def test_copies_are_plain_tuples(duplicate):
    # Copies of losses are never equal, so strings stand for the tasks.
    tasks = ModelTasks(("a", "b"), lambda: pytest.fail("copied"))
    found = duplicate(tasks)
    assert type(found) is tuple
    assert found == ("a", "b")


def test_a_new_model_takes_them(model):
    other = mtl_keras.MultiTaskModel(
        model.input, model.output, tasks=model.tasks
    )
    assert other.tasks == model.tasks
