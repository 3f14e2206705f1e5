"""What a run records of its data, and when it may go on with them."""

import json

import keras
import numpy as np
import pytest

from mtl_keras import Classification, Regression, datasets, zoo
from mtl_keras.zoo.class_names import add_class_names
from mtl_keras.zoo.read import check_recipe
from mtl_keras.zoo.run_data import RunData


class StopAtBegin(keras.callbacks.Callback):
    """Stops a run before its first step, and lists the files of its folder."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def on_train_begin(self, logs=None):
        """Lists the files, and interrupts."""
        self.files = {path.name for path in self.folder.iterdir()}
        raise KeyboardInterrupt


def make_recipe(reader, **arguments):
    values = {
        "name": "small",
        "factory": {"name": "build_mlp", "arguments": {"hidden_units": [2]}},
        "data": {"name": reader, "arguments": {"tasks": ["y"], **arguments}},
    }
    return check_recipe(values, "a test")


def write_table(path, classes="abc", rows=30):
    lines = [f"{row * 7 % 31},{classes[row % 3]}" for row in range(rows)]
    path.write_text("\n".join(["x,y", *lines]) + "\n")


def write_arrays(path, classes=(0, 1, 2)):
    y = np.array(classes)[np.arange(30) % 3]
    np.savez(path, x=np.zeros((30, 2), "float32"), y=y)


@pytest.fixture(params=["from_csv", "from_npz"])
def recipe(request, tmp_path):
    path = tmp_path / f"data.{request.param[-3:]}"
    (write_table if request.param == "from_csv" else write_arrays)(path)
    return make_recipe(request.param, path=str(path))


def begin(recipe, folder):
    stop = StopAtBegin(folder)
    with pytest.raises(KeyboardInterrupt):
        zoo.train(recipe, folder, callbacks=[stop])
    return stop.files


def test_the_data_are_recorded_before_the_first_step(recipe, tmp_path):
    folder = tmp_path / "run"
    files = begin(recipe, folder)
    expected = {"recipe.toml", "data.json"}
    if recipe.data.name == "from_csv":
        expected |= {"encoding.json", "feature_space.keras"}
    assert files >= expected
    assert not [name for name in files if "partial" in name]
    data = zoo.load_data(recipe)
    saved = RunData.load(folder)
    (task,) = saved.tasks
    assert task.get_config() == data.tasks[0].get_config()
    assert saved.list_changes(RunData.describe(data)) == []
    if recipe.data.name == "from_csv":
        encoding = datasets.TableEncoding.load(folder)
        assert encoding.codes_as(data.encoding)
        assert data.encoding.codes_as(encoding)


def test_a_run_resumes_only_with_the_same_data(recipe, tmp_path):
    folder, path = tmp_path / "run", recipe.data.arguments["path"]
    begin(recipe, folder)
    before = {file.name: file.read_bytes() for file in folder.glob("*.json")}
    with pytest.raises(KeyboardInterrupt):
        zoo.train(recipe, folder, resume=True, callbacks=[StopAtBegin(folder)])
    if recipe.data.name == "from_csv":
        write_table(tmp_path / "data.csv", "abz")
    else:
        write_arrays(path, (1, 2, 3))
    with pytest.raises(ValueError, match=f"'{path}'.*--overwrite"):
        zoo.train(recipe, folder, resume=True)
    # A complete run is not the result of the file as it is now, either.
    (folder / "metrics.json").write_text("{}")
    with pytest.raises(ValueError, match="have changed since it began"):
        zoo.train(recipe, folder, resume=True)
    (folder / "metrics.json").unlink()
    after = {file.name: file.read_bytes() for file in folder.glob("*.json")}
    assert after == before


def test_a_run_that_began_with_unknown_data_is_refused(recipe, tmp_path):
    folder = tmp_path / "run"
    begin(recipe, folder)
    (folder / "data.json").unlink()
    (folder / "metrics.json").write_text("{}")
    with pytest.raises(ValueError, match=r"has no data\.json"):
        zoo.train(recipe, folder, resume=True)


def test_differences_are_named(tmp_path):
    files = {"a.csv": {"bytes": 3, "sha256": "x"}}
    saved = RunData((Classification("y", num_classes=3),), files)
    saved.save(tmp_path)
    assert json.loads((tmp_path / "data.json").read_text())["files"] == files
    saved = RunData.load(tmp_path)

    def changes(tasks=saved.tasks, **described):
        return saved.list_changes(
            RunData(tasks, {"a.csv": {**files["a.csv"], **described}})
        )

    assert changes() == []
    assert changes(bytes=4) == ["'a.csv' had 3 bytes and has 4"]
    assert changes(sha256="y") == ["the content of 'a.csv' has changed"]
    assert saved.list_changes(RunData(saved.tasks, {})) == [
        "'a.csv' is missing"
    ]
    (text,) = changes((Classification("y", num_classes=4),))
    assert text == "num_classes of task 'y' was 3 and is 4"
    (text,) = changes((Regression("y"),))
    assert text == "kind of task 'y' was 'Classification' and is 'Regression'"
    (text,) = changes((Regression("z"),))
    assert text == "the tasks were ['y'] and are ['z']"


def test_tasks_of_the_recipe_have_the_classes_of_the_labels():
    found = [Classification("y", num_classes=2, class_names=("a", "b"))]
    (task,) = add_class_names([Classification("y", num_classes=2)], found)
    assert task.class_names == ("a", "b")
    other = Classification("y", num_classes=2, class_names=("b", "a"))
    with pytest.raises(ValueError, match=r"\['b', 'a'\] in the recipe"):
        add_class_names([other], found)
    with pytest.raises(ValueError, match=r"\['b', 'a'\] in another"):
        add_class_names([Regression("z")], [*found, other])


def test_another_order_of_classes_in_the_recipe_is_refused(tmp_path):
    write_table(tmp_path / "data.csv")
    recipe = make_recipe("from_csv", path=str(tmp_path / "data.csv"))
    values = recipe.model_dump()
    values["tasks"] = [
        {
            "kind": "Classification",
            "name": "y",
            "arguments": {"num_classes": 3, "class_names": ["c", "b", "a"]},
        }
    ]
    with pytest.raises(ValueError, match="different meanings"):
        zoo.load_data(check_recipe(values, "a test"))
