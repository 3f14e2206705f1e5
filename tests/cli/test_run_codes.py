"""Files are read by the codes of a run, whatever they contain."""

import csv
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from mtl_keras import zoo
from mtl_keras.zoo.encoding import save_encoding
from mtl_keras.zoo.read import check_recipe, write_recipe
from mtl_keras.zoo.run_data import RunData

SENTENCES = "EU B-ORG\nsays O\n\nPeter B-PER\nran O\n\n" * 10


@pytest.fixture
def begin_run(tmp_path):
    """Returns a function that creates a run without training it."""

    def begin(reader, factory, factory_arguments, **arguments):
        values = {
            "name": "run",
            "factory": {"name": factory, "arguments": factory_arguments},
            "data": {"name": reader, "arguments": arguments},
        }
        recipe = check_recipe(values, "a test")
        data = zoo.load_data(recipe)
        folder = tmp_path / "run"
        folder.mkdir()
        write_recipe(recipe, folder / "recipe.toml")
        save_encoding(data, folder)
        RunData.describe(data).save(folder)
        model = zoo.build_model(recipe, data)
        model.optimizer.build(model.trainable_variables)
        return folder, model

    return begin


def save_identity(model, folder):
    """Saves a model whose scores are its inputs, for one-hot inputs."""
    *_, kernel, bias = model.weights
    kernel.assign(np.eye(len(bias.numpy())))
    bias.assign(np.zeros(len(bias.numpy())))
    model.save(folder / "model.keras")


def one_hot(classes, count=3):
    return np.eye(count, dtype="float32")[np.asarray(classes)]


def check_accuracy(result, accuracy):
    assert result.exit_code == 0, result.output
    found = re.search(r"accuracy\W+([\d.]+)", result.stdout)
    assert float(found[1]) == accuracy, result.stdout


@pytest.fixture
def arrays(begin_run, tmp_path):
    """Creates a run on arrays, whose model finds the class in its inputs."""

    def create(labels, **arguments):
        classes = np.arange(30) % 3
        path = tmp_path / "arrays.npz"
        np.savez(path, x=one_hot(classes), y=np.array(labels)[classes])
        folder, model = begin_run(
            "from_npz",
            "build_mlp",
            {"hidden_units": []},
            path=str(path),
            **{"tasks": ["y"], **arguments},
        )
        save_identity(model, folder)
        return folder, path

    return create


@pytest.mark.parametrize(
    ("labels", "arguments"),
    [
        ([0, 1, 2], {}),
        ([1, 2, 3], {}),
        ([0.0, 1.0, 2.0], {}),
        (["cat", "dog", "eel"], {}),
        ([0, 1, 2], {"tasks": {"kind": ["y"]}}),
        (
            [0, 1, 2],
            {
                "tasks": {
                    "y": {
                        "kind": "Classification",
                        "num_classes": 3,
                        "class_names": ["cat", "dog", "eel"],
                    }
                }
            },
        ),
    ],
)
def test_some_classes_of_arrays_keep_their_codes(
    run_command, arrays, tmp_path, labels, arguments
):
    folder, path = arrays(labels, **arguments)
    other = tmp_path / "other.npz"
    classes = np.array([1, 2, 2, 1, 2])
    np.savez(other, x=one_hot(classes), y=np.array(labels)[classes])
    check_accuracy(run_command("evaluate", folder), 1)
    check_accuracy(run_command("evaluate", folder, "--data-path", other), 1)
    np.savez(other, x=one_hot([2]), y=np.array(labels)[[2]])
    check_accuracy(run_command("evaluate", folder, "--data-path", other), 1)
    # The file of the run with other rows is read by the same codes.
    shutil.copy(other, path)
    result = run_command("evaluate", folder, "--data-path", path)
    check_accuracy(result, 1)
    assert f"all 1 rows of '{path}'" in result.stdout


@pytest.mark.parametrize(
    ("labels", "unknown"),
    [([0, 1, 2], 3), ([1, 2, 3], 0), (["cat", "dog", "eel"], "fox")],
)
def test_an_unknown_class_of_arrays_is_an_error(
    run_command, arrays, tmp_path, labels, unknown
):
    folder, _ = arrays(labels)
    other = tmp_path / "other.npz"
    np.savez(other, x=one_hot([1, 2, 0]), y=np.array([*labels[1:], unknown]))
    result = run_command("evaluate", folder, "--data-path", other)
    assert result.exit_code == 2
    assert f"found '{unknown}' in index 2 of 'y' of '{other}'" in result.stderr


def test_arrays_without_labels_are_predicted(run_command, arrays, tmp_path):
    folder, _ = arrays([1, 2, 3])
    other, output = tmp_path / "other.npz", tmp_path / "out"
    np.savez(other, x=one_hot([2, 0]))
    how = ("--data-path", other, "--output", output)
    result = run_command("predict", folder, *how)
    assert result.exit_code == 0, result.output
    assert "which have no labels" in result.stdout
    with (output / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 and not any("true" in name for name in rows[0])


def test_a_changed_file_has_no_test_part(run_command, arrays):
    folder, path = arrays([0, 1, 2])
    np.savez(path, x=one_hot([0, 1, 2] * 9), y=np.array([0, 1, 2] * 9))
    for command in (("evaluate",), ("predict", "--output", folder / "out")):
        result = run_command(command[0], folder, *command[1:])
        assert result.exit_code == 2
        assert f"'{path}' had" in result.stderr
        assert "--data-path FILE" in result.stderr
    path.unlink()
    result = run_command("evaluate", folder)
    assert result.exit_code == 2 and "is missing" in result.stderr


def test_a_model_without_its_run_knows_no_numbered_classes(
    run_command, arrays, tmp_path
):
    folder, path = arrays([0, 1, 2])
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(folder / "model.keras", other)
    how = ("--data", "from_npz", "--data-path", path)
    result = run_command("evaluate", other / "model.keras", *how)
    assert result.exit_code == 2
    assert "Pass the folder of the run" in result.stderr


def test_a_model_without_its_run_knows_named_classes(
    run_command, arrays, tmp_path
):
    folder, path = arrays(["cat", "dog", "eel"])
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(folder / "model.keras", other)
    np.savez(path, x=one_hot([1, 2]), y=np.array(["dog", "eel"]))
    how = ("--data", "from_npz", "--data-path", path)
    check_accuracy(run_command("evaluate", other / "model.keras", *how), 1)


@pytest.fixture
def table(begin_run, tmp_path):
    """Creates a run on a table of one input and three classes."""
    path = tmp_path / "table.csv"
    write_table(path, "ago", range(30))
    folder, model = begin_run(
        "from_csv",
        "build_mlp",
        {"hidden_units": [3]},
        path=str(path),
        tasks=["y"],
    )
    model.save(folder / "model.keras")
    return folder, path


def write_table(path, names, rows, scale=1, name="a"):
    lines = [f"{row * 7 % 31 * scale},{names[row % 3]}" for row in rows]
    path.write_text("\n".join([f"{name},y", *lines]) + "\n")


@pytest.mark.parametrize(
    "change",
    [
        {"names": "zgo"},
        {"scale": 100},
        {"name": "b"},
        {"rows": [1, 5, *range(30)]},
    ],
)
def test_a_changed_table_is_refused(run_command, table, change):
    folder, path = table
    assert run_command("evaluate", folder).exit_code == 0
    write_table(path, **{"names": "ago", "rows": range(30), **change})
    result = run_command("evaluate", folder)
    assert result.exit_code == 2
    assert f"'{path}'" in result.stderr and "Restore the files" in result.stderr


def test_a_changed_table_is_read_by_the_codes_of_the_run(run_command, table):
    folder, path = table
    write_table(path, "zgo", range(30))
    result = run_command("evaluate", folder, "--data-path", path)
    assert result.exit_code == 2 and "'z' in line 2" in result.stderr
    write_table(path, "ago", range(12))
    result = run_command("evaluate", folder, "--data-path", path)
    assert result.exit_code == 0, result.output
    assert f"all 12 rows of '{path}'" in result.stdout


def test_cells_of_another_table_may_be_written_differently(
    run_command, table, tmp_path
):
    folder, _ = table
    other = tmp_path / "other.csv"
    other.write_text("a;y\n1,5;g\n2,5;o\n")
    how = ("--data-path", other, "--data-argument", "delimiter=';'")
    result = run_command(
        "evaluate", folder, *how, "--data-argument", "decimal=','"
    )
    assert result.exit_code == 0, result.output
    assert "all 2 rows" in result.stdout
    result = run_command("evaluate", folder, *how[2:])
    assert result.exit_code == 2 and "add --data-path FILE" in result.stderr


def test_a_model_without_its_run_reads_no_table(run_command, table, tmp_path):
    folder, path = table
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(folder / "model.keras", other)
    how = ("--data", "from_csv", "--data-path", path)
    result = run_command("evaluate", other / "model.keras", *how)
    assert result.exit_code == 2
    assert "no encoding.json" in result.stderr
    assert "Pass the folder of the run" in result.stderr
    np.savez(tmp_path / "a.npz", x=np.zeros((3, 2)), y=np.array(list("ago")))
    how = ("--data", "from_npz", "--data-path", tmp_path / "a.npz")
    result = run_command("evaluate", folder, *how)
    assert result.exit_code == 2
    assert "encoded columns of a table" in result.stderr


def write_images(root, classes, labels=None, folders=None):
    """Writes images of one grey by class, and a table of their labels."""
    lines = ["image,y"]
    for number, code in enumerate(classes):
        at = root / "images" / ("" if folders is None else folders[code])
        at.mkdir(parents=True, exist_ok=True)
        pixels = np.full((4, 4, 3), 100 * code, "uint8")
        Image.fromarray(pixels).save(at / f"i{number}.png")
        if labels is not None:
            lines.append(f"i{number},{labels[code]}")
    if labels is not None:
        (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return root


def read_true(output, task):
    with (output / "predictions.csv").open() as file:
        return [row[f"{task}_true"] for row in csv.DictReader(file)]


@pytest.fixture
def images(begin_run, tmp_path):
    """Creates a run on a folder of images."""

    def create(tasks=("y",), **kinds):
        root = write_images(tmp_path / "train", np.arange(30) % 3, **kinds)
        arguments = (
            {"labels": "labels.csv", "tasks": list(tasks)}
            if "labels" in kinds
            else {"class_folders": "y"}
        )
        if tasks is None or not tasks:
            arguments.pop("tasks", None)
        folder, model = begin_run(
            "from_folder",
            "build_cnn",
            {"filters": [2], "hidden_units": []},
            path=str(root),
            **arguments,
        )
        model.save(folder / "model.keras")
        return folder

    return create


@pytest.mark.parametrize(
    ("kinds", "tasks"),
    [
        ({"labels": [0, 1, 2]}, ("y",)),
        ({"labels": [0, 1, 2]}, ()),
        ({"labels": [5, 6, 7]}, ("y",)),
        ({"labels": ["cat", "dog", "eel"]}, ("y",)),
        ({"folders": ["cat", "dog", "eel"]}, ()),
    ],
)
def test_some_classes_of_images_keep_their_codes(
    run_command, images, tmp_path, kinds, tasks
):
    folder = images(tasks, **kinds)
    other = write_images(tmp_path / "other", [1, 2, 2], **kinds)
    output = tmp_path / "out"
    how = ("--data-path", other, "--output", output)
    result = run_command("predict", folder, *how)
    assert result.exit_code == 0, result.output
    (names,) = kinds.values()
    assert read_true(output, "y") == [str(names[code]) for code in (1, 2, 2)]
    assert "all 3 rows" in result.stdout


@pytest.mark.parametrize(
    "kinds", [{"labels": [0, 1, 2]}, {"folders": ["cat", "dog", "eel"]}]
)
def test_images_without_labels_are_predicted(
    run_command, images, tmp_path, kinds
):
    folder = images(**kinds)
    other = write_images(tmp_path / "other", [1, 2])
    output = tmp_path / "out"
    how = ("--data-path", other, "--output", output)
    result = run_command("predict", folder, *how)
    assert result.exit_code == 0, result.output
    assert "all 2 rows" in result.stdout
    assert "no labels" in result.stdout.replace("\n", " ")
    result = run_command("evaluate", folder, *how[:2])
    assert result.exit_code == 2 and "mtl-keras predict" in result.stderr


def test_a_changed_table_of_images_is_refused(run_command, images, tmp_path):
    folder = images(labels=["a", "b", "c"])
    (tmp_path / "train" / "notes.txt").write_text("not a part of the data")
    assert run_command("evaluate", folder).exit_code == 0
    labels = tmp_path / "train" / "labels.csv"
    labels.write_text(labels.read_text().replace(",c", ",a"))
    result = run_command("evaluate", folder)
    assert result.exit_code == 2
    assert f"the content of '{labels}' has changed" in result.stderr


@pytest.fixture
def sentences(begin_run, tmp_path):
    """Creates a run on a CoNLL file."""
    path = tmp_path / "train.conll"
    path.write_text(SENTENCES)
    folder, model = begin_run(
        "from_conll",
        "build_text_cls_tag",
        {"embedding_size": 4, "trunk_width": 2},
        path=str(path),
        tasks=["ner"],
    )
    model.save(folder / "model.keras")
    return folder


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("EU B-ORG\nsays O\n\n", "all 1 rows"),
        ("EU\nsays\n\nran\n", "which have no labels"),
    ],
)
def test_sentences_with_fewer_tags(
    run_command, sentences, tmp_path, text, said
):
    other, output = tmp_path / "other.conll", tmp_path / "out"
    other.write_text(text)
    how = ("--data-path", other, "--output", output)
    result = run_command("predict", sentences, *how)
    assert result.exit_code == 0, result.output
    assert said in result.stdout
    result = run_command("evaluate", sentences, *how[:2])
    assert result.exit_code == (2 if "no labels" in said else 0)


def test_an_unknown_tag_is_an_error(run_command, sentences, tmp_path):
    other = tmp_path / "other.conll"
    other.write_text("EU B-ORG\nsays O\nLi B-LOC\n\n")
    how = ("--data-path", other)
    result = run_command("evaluate", sentences, *how)
    assert result.exit_code == 2
    assert f"'B-LOC' in line 3 of '{other}'" in result.stderr
    way_out = ("--data-argument", "unknown_classes=missing")
    assert "unknown_classes='missing'" in result.stderr
    assert run_command("evaluate", sentences, *how, *way_out).exit_code == 0
