"""Tables of your own: what cells become, and what is wrong with a table."""

import csv
import gzip
import re
import warnings

import keras
import numpy as np
import pandas
import pytest
from factory_harness import mostly_slow

import mtl_keras
from mtl_keras import datasets
from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    MultiLabelClassification,
    Regression,
)

PARTS = ("train", "validation", "test")
ROWS = 40


def patients():
    """Columns whose every cell tells its row, with holes in the labels."""
    rows = range(ROWS)
    return {
        "row": [str(row) for row in rows],
        "sex": ["fm"[row % 2] for row in rows],
        "patient": [f"p{row // 4}" for row in rows],
        "stage": [("II", "I", "", "III")[row % 4] for row in rows],
        "alive": [("yes", "no", "yes", "")[row % 4] for row in rows],
        "months": ["" if row % 5 == 0 else str(row / 2) for row in rows],
    }


@pytest.fixture
def write(tmp_path):
    """Writes columns as a table, some of them changed; returns its path."""

    def write(columns=None, **changes):
        columns = {**(columns or patients()), **changes}
        path = tmp_path / "table.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
        return path

    return write


def read(path, tasks=("stage", "alive", "months"), **arguments):
    arguments = {"inputs": ["row", "sex"], "numbers": "float", **arguments}
    return datasets.from_csv(path, tasks=tasks, **arguments)


def whole(splits):
    """Returns all samples, in the order of the file."""
    parts = [splits.arrays(part) for part in splits.indices]
    order = np.argsort(np.concatenate(list(splits.indices.values())))
    return keras.tree.map_structure(
        lambda *arrays: np.concatenate(arrays)[order], *parts
    )


def targets(path, tasks, **arguments):
    splits = read(path, tasks, **arguments)
    return splits.tasks[0], whole(splits)[1][splits.tasks[0].name]


def test_cells_become_inputs_labels_and_holes(write):
    splits = read(write())
    x, y = whole(splits)
    rows = np.arange(ROWS)
    assert splits.input_names == ("row", "sex: other", "sex=f", "sex=m")
    assert splits.input_shape == (4,)
    assert x.dtype == np.float32
    np.testing.assert_array_equal(x[:, 0], rows)
    np.testing.assert_array_equal(x[:, 1], 0)
    np.testing.assert_array_equal(x[:, 2], rows % 2 == 0)
    np.testing.assert_array_equal(x[:, 3], rows % 2 == 1)
    np.testing.assert_array_equal(y["stage"][:4], [1, 0, -1, 2])
    np.testing.assert_array_equal(y["alive"][:4], [1, 0, 1, -1])
    assert y["stage"].dtype == y["alive"].dtype == np.int32
    assert y["months"].dtype == np.float32
    expected = np.where(rows % 5 == 0, np.nan, rows / 2)
    np.testing.assert_array_equal(y["months"], expected.astype("float32"))


def test_tasks_are_inferred_and_keep_the_names_of_classes(write):
    stage, alive, months = read(write()).tasks
    assert isinstance(stage, Classification)
    assert stage.class_names == ("I", "II", "III")
    assert isinstance(alive, BinaryClassification)
    assert alive.class_names == ("no", "yes")
    assert isinstance(months, Regression)


def test_parts_are_streams_of_known_length_in_an_order_of_the_seed(write):
    path = write()
    first = read(path, batch_size=3, seed=1)
    again = read(path, batch_size=3, seed=1)
    assert [len(first.indices[part]) for part in PARTS] == [28, 4, 8]
    epochs = []
    for splits in (first, again):
        for part, batches in zip(PARTS, (10, 2, 3), strict=True):
            stream = getattr(splits, part)
            assert stream.cardinality() == batches
            assert len(list(stream)) == batches
        for _ in range(2):
            rows = [x[:, 0] for x, _ in splits.train.as_numpy_iterator()]
            epochs.append(np.concatenate(rows))
    np.testing.assert_array_equal(epochs[0], epochs[2])
    np.testing.assert_array_equal(epochs[1], epochs[3])
    assert not np.array_equal(epochs[0], epochs[1])
    np.testing.assert_array_equal(np.sort(epochs[0]), first.indices["train"])
    rows = [x[:, 0] for x, _ in first.test.as_numpy_iterator()]
    np.testing.assert_array_equal(np.concatenate(rows), first.indices["test"])


def test_samples_stay_whole_in_batches(write):
    for x, y in read(write()).train.as_numpy_iterator():
        there = ~np.isnan(y["months"])
        np.testing.assert_array_equal(there, x[:, 0] % 5 != 0)
        np.testing.assert_array_equal(y["months"][there], x[there, 0] / 2)


def test_groups_stay_in_one_part(write):
    path, groups = write(), np.array(patients()["patient"])
    for seed in range(3):
        splits = read(path, group="patient", seed=seed)
        found = [set(groups[i]) for i in splits.indices.values()]
        assert len(set.union(*found)) == sum(map(len, found)) == 10


def test_inputs_are_all_columns_left_that_have_a_name(write):
    columns = {"": [str(row) for row in range(ROWS)], **patients()}
    tasks = ["stage", "alive", "months"]
    with pytest.warns(UserWarning, match="is the index that pandas writes"):
        splits = datasets.from_csv(write(columns), tasks, group="patient")
    assert splits.input_names == ("row", "sex: other", "sex=f", "sex=m")


@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
@pytest.mark.parametrize("as_frame", [False, True])
def test_the_index_of_pandas_is_left_out_alike(write, name, as_frame):
    rows = {name: [str(row) for row in range(ROWS)]}
    path = write({**rows, **patients()})
    tasks = ["stage", "alive", "months"]

    def read(**arguments):
        if as_frame:
            frame = pandas.read_csv(path, dtype={"stage": str})
            return datasets.from_dataframe(frame, tasks, **arguments)
        return datasets.from_csv(path, tasks, **arguments)

    shown = "Unnamed: 0" if as_frame else name
    with pytest.warns(UserWarning, match=f"Column '{shown}'.*exclude=") as told:
        found = read(group="patient").input_names
    assert told[0].filename == __file__
    assert found == ("row", "sex: other", "sex=f", "sex=m")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(group="patient", exclude=[shown]).input_names == found
        if shown:
            assert read(inputs=[shown, "sex"]).input_names[0] == shown


@pytest.mark.slow
def test_a_model_trains_on_it(write):
    full = {"months": [str(row / 2) for row in range(ROWS)]}
    full["stage"] = ["abc"[row % 3] for row in range(ROWS)]
    splits = read(write(**full), tasks=["stage", "months"])
    model = mtl_keras.build_mlp(
        input_shape=splits.input_shape, tasks=splits.tasks, trunk_width=4
    )
    # A step or two of each: a graph would take longer to trace.
    model.compile("sgd", run_eagerly=True)
    model.fit(
        splits.train,
        validation_data=splits.validation,
        shuffle=False,
        verbose=0,
    )
    results = model.evaluate(splits.test, return_dict=True, verbose=0)
    assert np.isfinite(list(results.values())).all()
    names = keras.models.clone_model(model).tasks[0].class_names
    assert names == ("a", "b", "c")


@pytest.mark.parametrize("seed", mostly_slow(range(10), [0, 1, 2]))
def test_random_tables_survive_a_round_trip(write, seed):
    rng = np.random.default_rng(seed)
    names = np.array(["ein Fuchs", "a,b", 'the "last"', "ünïcode", "-"])
    classes = names[rng.integers(len(names), size=60)]
    numbers = rng.normal(size=(60, 3)) * 10.0 ** rng.integers(-8, 8)
    holes = rng.random((60, 2)) < rng.uniform(0, 0.8)
    path = write(
        {
            "a": map(repr, numbers[:, 0].tolist()),
            "b": map(repr, numbers[:, 1].tolist()),
            "class": np.where(holes[:, 0], "", classes),
            "number": [
                "" if hole else repr(float(number))
                for hole, number in zip(holes[:, 1], numbers[:, 2], strict=True)
            ],
        }
    )
    tasks = {"kind": {"kind": "Classification", "columns": ["class"]}}
    tasks["number"] = Regression("number")
    splits = datasets.from_csv(path, tasks, numbers="float", seed=seed)
    x, y = whole(splits)
    np.testing.assert_array_equal(x, numbers[:, :2].astype("float32"))
    expected = np.where(holes[:, 1], np.nan, numbers[:, 2]).astype("float32")
    np.testing.assert_array_equal(y["number"], expected)
    found = np.array([*splits.tasks[0].class_names, ""])[y["kind"]]
    np.testing.assert_array_equal(found, np.where(holes[:, 0], "", classes))


def repeat(*cells):
    return [cells[row % len(cells)] for row in range(ROWS)]


@pytest.mark.parametrize(
    ("cells", "kind", "names", "first"),
    [
        (repeat("0", "1", "2"), Classification, None, [0, 1, 2]),
        (repeat("2.0", "", "0.0", "1.0"), Classification, None, [2, -1, 0]),
        (repeat("10", "2", "9"), Classification, ("2", "9", "10"), [2, 0, 1]),
        (repeat("1", "0", ""), BinaryClassification, None, [1, 0, -1]),
        (repeat("1", "2", ""), BinaryClassification, ("1", "2"), [0, 1, -1]),
        (repeat("true", "false"), BinaryClassification, ("false", "true"), [1]),
        (repeat("b", "c", "a"), Classification, ("a", "b", "c"), [1, 2, 0]),
        (list(map(str, range(ROWS))), Regression, None, [0, 1, 2]),
        (repeat("0.5", "1", ""), Regression, None, [0.5, 1, np.nan]),
        (repeat("1e3", "-2.5"), Regression, None, [1000, -2.5]),
    ],
)
def test_what_kind_a_column_is(write, cells, kind, names, first):
    task, values = targets(write(stage=cells), ["stage"])
    assert type(task) is kind
    assert getattr(task, "class_names", None) == names
    np.testing.assert_array_equal(values[: len(first)], first)


def test_tasks_and_kinds_may_be_said(write):
    path = write(
        grade=repeat("0", "2", ""),
        a=repeat("1", "0"),
        b=repeat("no", "yes", ""),
        u=repeat("1.5", ""),
        v=repeat("2"),
    )
    splits = read(
        path,
        {
            "grade": Classification("grade", 4, loss_weight=0.5),
            "stage": {
                "kind": "Classification",
                "class_names": ["III", "II", "I"],
            },
            "findings": ["a", "b"],
            "size": {"kind": Regression, "columns": ["u", "v"], "loss": "mae"},
            "rows": {"kind": "Regression", "columns": "row"},
        },
        inputs=["sex"],
    )
    grade, stage, findings, size, _ = splits.tasks
    _, y = whole(splits)
    assert grade.num_classes == 4 and grade.loss_weight == 0.5
    np.testing.assert_array_equal(y["grade"][:3], [0, 2, -1])
    assert stage.class_names == ("III", "II", "I")
    np.testing.assert_array_equal(y["stage"][:4], [1, 2, -1, 0])
    assert findings == MultiLabelClassification(
        "findings", 2, class_names=["a", "b"], loss=findings.loss
    )
    np.testing.assert_array_equal(y["findings"][:3], [[1, 0], [0, 1], [1, -1]])
    assert size.units == 2
    np.testing.assert_array_equal(y["size"][:2], [[1.5, 2], [np.nan, 2]])
    np.testing.assert_array_equal(y["rows"], np.arange(ROWS))


def test_a_task_gets_the_names_that_its_column_has(write):
    task = Classification("stage", 3, loss_weight=2.0, activation=None)
    found, values = targets(write(), [task])
    assert found.class_names == ("I", "II", "III")
    assert found.loss_weight == 2.0 and found.from_logits
    labels = MultiLabelClassification("both", 2, class_names=["a", "b"])
    path = write(a=repeat("1", "0"), b=repeat("0", "1"))
    found, values = targets(path, [labels])
    assert found is labels
    np.testing.assert_array_equal(values[:2], [[1, 0], [0, 1]])


def test_other_missing_values_delimiters_and_blanks(write, tmp_path):
    path = write(
        months=repeat("NA", " 3.5 ", "?"), stage=repeat("I", "NA", " V")
    )
    _, months = targets(path, ["months"], missing_values=["NA", "?"])
    np.testing.assert_array_equal(months[:3], [np.nan, 3.5, np.nan])
    task, stages = targets(path, ["stage"], missing_values=("NA",))
    assert task.class_names == ("I", "V")
    np.testing.assert_array_equal(stages[:3], [0, -1, 1])
    text = "\ufeff" + path.read_text().replace(",", ";") + ";;;;;\n\n"
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text.encode()))
    _, again = targets(
        tmp_path / "t.csv.gz", ["stage"], delimiter=";", missing_values=("NA",)
    )
    np.testing.assert_array_equal(stages, again)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("NA", "NA"),
        ("n/a", "n/a"),
        ("?", "?"),
        ("None", "None"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("1_000", "1_000"),
        ("3,5", "3,5"),
        ("1e99", "1e99"),
    ],
)
def test_what_is_no_number_is_named_with_its_place(write, cell, value):
    months = ["4.5"] * ROWS
    months[6] = cell
    with pytest.raises(ValueError, match="'months'") as error:
        read(write(months=months), tasks=["months"])
    for part in (
        repr(value),
        "line 8, column 'months'",
        "table.csv",
        f"missing_values=({value!r},)",
    ):
        assert part in str(error.value)
    row = [str(number) for number in range(ROWS)]
    row[3] = cell
    with pytest.raises(ValueError, match="`inputs` must") as error:
        read(write(row=row))
    found = re.escape(value).replace("1e99", "1e.99")
    assert re.search(f"{found}.* in line 5, column 'row'", str(error.value))


@pytest.mark.parametrize("cell", ["NA", "N/A", "nan", "null", "?"])
def test_what_is_hardly_a_class_is_asked_about(write, cell):
    path = write(stage=repeat("I", "II", cell))
    with pytest.raises(ValueError, match="If it stands for a missing") as error:
        read(path, ["stage"])
    assert f"missing_values=({cell!r},)" in str(error.value)
    names = sorted(["I", "II", cell])
    tasks = {"stage": {"kind": "Classification", "class_names": names}}
    assert read(path, tasks).tasks[0].class_names == tuple(names)


def test_minus_one_in_a_table_is_asked_about(write):
    path = write(stage=repeat("-1", "0", "1", "2"))
    with pytest.raises(ValueError, match=r"found '-1' in line 2.*'-1',\)"):
        read(path, ["stage"])
    task, stages = targets(path, ["stage"], missing_values=["-1"])
    assert task.num_classes == 3
    np.testing.assert_array_equal(stages[:4], [-1, 0, 1, 2])


EMPTY = [""] * ROWS


@pytest.mark.parametrize(
    ("changes", "arguments", "message"),
    [
        ({}, {"tasks": ["stages"]}, r"`tasks` names.*mean 'stage'\?"),
        ({}, {"inputs": ["rov"]}, r"`inputs` names.*mean 'row'\?"),
        ({}, {"group": "patients"}, r"`group` names.*mean 'patient'\?"),
        ({}, {"inputs": ["stage"]}, "'stage', which task 'stage' is to pred"),
        ({}, {"inputs": ["row", "row"]}, "'row' twice"),
        ({}, {"inputs": []}, "`inputs` must name at least one column"),
        ({}, {"tasks": []}, "must name at least one task"),
        ({}, {"tasks": ["stage", "stage"]}, "names 'stage' twice"),
        ({}, {"tasks": {"stage": "Clasification"}}, "mean 'Classification'"),
        ({}, {"tasks": {"stage": {"columns": ["stage"], "units": 1}}}, "no 'k"),
        (
            {},
            {"tasks": {"stage": {"kind": "Classification", "class": 3}}},
            "'class' for 'stage', which is not an argument of Classification",
        ),
        ({}, {"tasks": {"s": Regression("t")}}, "named 't' under 's'"),
        ({}, {"tasks": [Classification("stage", 4)]}, "3 classes.*task has 4"),
        ({}, {"tasks": [Regression("stage")]}, "found 'II' in line 2.*numbers"),
        ({}, {"tasks": [Regression("months", 2)]}, "units=2, but.*1 column"),
        ({}, {"tasks": {"t": "Segmentation"}, "inputs": ["row"]}, "'t'"),
        ({}, {"tasks": {"stage": "SequenceTagging"}}, "from_npz"),
        ({}, {"tasks": {"months": "DenseRegression"}}, "from_npz"),
        ({}, {"tasks": {"t": ["sex", "alive"]}, "inputs": ["row"]}, "'f' in"),
        (
            {},
            {
                "tasks": {
                    "t": {
                        "kind": "Classification",
                        "columns": ["stage", "alive"],
                    }
                }
            },
            "has one column",
        ),
        (
            {},
            {
                "tasks": {
                    "t": {
                        "kind": "MultiLabelClassification",
                        "columns": ["stage", "alive"],
                    }
                }
            },
            "found 'II' in line 2, column 'stage'.*expected 0 or 1",
        ),
        ({}, {"tasks": {"months": "Classification"}}, "0.5.*use Regression"),
        ({"stage": EMPTY}, {}, "'stage': no sample has a label"),
        ({"stage": ["I"] * ROWS}, {}, "all labels are 'I'"),
        (
            {"row": ["", *map(str, range(1, ROWS))]},
            {"missing_inputs": "error"},
            "no value in line 2, column 'row'",
        ),
        (
            {"patient": ["p", "", *"p" * (ROWS - 2)]},
            {"group": "patient"},
            "nothing in line 3, column 'patient'",
        ),
        (
            {"sex": [f"s{row}" for row in range(ROWS)]},
            {"test": 0.99},
            "leave nothing to train on",
        ),
        ({}, {"validation": 0.0, "test": 1.5}, "`test`"),
        (
            {},
            {"group": "sex", "inputs": ["row"]},
            "of 2 groups in '.*table.csv'",
        ),
        ({}, {"batch_size": 0}, "`batch_size`"),
    ],
)
def test_what_does_not_fit(write, changes, arguments, message):
    with pytest.raises(ValueError, match=message):
        read(write(**changes), **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tasks": "stage"}, "`tasks` must be a list or dict, found 'stage'"),
        ({"tasks": [3]}, "`tasks` holds 3 of type int"),
        ({"inputs": "row"}, "`inputs` must be a list of strings"),
        ({"missing_values": "NA"}, "`missing_values` must be a list"),
        ({"tasks": {"stage": [3]}}, "expected one or several strings"),
    ],
)
def test_arguments_of_another_type(write, arguments, message):
    with pytest.raises(TypeError, match=message):
        read(write(), **arguments)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an empty file at '.*t.csv'"),
        (b"a,b\n", "a header and no rows in '.*t.csv'"),
        (b"1,2\n3,4\n", "must have a header, found numbers in line 1"),
        (b"a,b,a\n1,2,3\n", "found 'a' 2 times in the header"),
        (b"a,b\n1,2\n1,2,3\n", "must have 2 cells.*found 3 in line 3"),
        (b"a;b\n1;2\n", r"found ';' in the header.*Pass delimiter=';'"),
        ("a,b\nä,2\n".encode("latin-1"), "in UTF-8"),
    ],
)
def test_files_that_are_no_table(tmp_path, content, message):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        datasets.from_csv(tmp_path / "t.csv", tasks=["b"])


def test_a_file_that_is_no_gzip(tmp_path):
    (tmp_path / "t.csv.gz").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(ValueError, match="cannot be read"):
        datasets.from_csv(tmp_path / "t.csv.gz", tasks=["b"])


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing at.*no\.csv"):
        datasets.from_csv(tmp_path / "no.csv", tasks=["b"])


def test_names_that_no_task_may_have_become_safe(write):
    path = write(**{"cell type": repeat("a", "b"), "价格": repeat("0.5", "7")})
    cell, price = read(path, ["cell type", "价格"]).tasks
    assert (cell.name, price.name) == ("cell_type", "u4ef7u683c")
    task, _ = targets(path, {"cell": ["cell type"]})
    assert task.class_names == ("a", "b")
    path = write(**{"a b": repeat("a", "b"), "a_b": repeat("a", "b")})
    with pytest.raises(ValueError, match="'a b' and 'a_b', which would both"):
        read(path, ["a b", "a_b"])


def test_minus_one_among_labels_is_asked_about(write):
    path = write(a=repeat("-1", "0", "1"), b=repeat("1", "0"))
    tasks = {"found": ["a", "b"]}
    with pytest.raises(ValueError, match=r"'-1' in line 2.*missing_val"):
        read(path, tasks)
    _, found = targets(path, tasks, missing_values=["-1"])
    np.testing.assert_array_equal(found[:3], [[-1, 1], [0, 0], [1, 1]])


def test_too_many_texts_to_encode(write):
    rows = range(300)
    path = write(
        {"id": [f"i{row}" for row in rows], "y": [str(row % 2) for row in rows]}
    )
    with pytest.raises(ValueError, match="'id', whose texts differ in most"):
        datasets.from_csv(path, tasks=["y"])


def test_a_part_that_is_not_there(write):
    splits = read(write(), validation=0)
    assert splits.validation is None
    with pytest.raises(ValueError, match="found 'validation'"):
        splits.arrays("validation")


@pytest.mark.parametrize("how", ["input", "texts", "labels", "frame", "like"])
def test_a_number_beyond_float32_is_named_with_the_ways_out(write, how):
    cells = [str(row) for row in range(ROWS)]
    cells[6] = "1e39"
    with pytest.raises(ValueError, match="beyond the largest float32") as error:
        if how == "labels":
            read(write(months=cells), ["months"])
        elif how == "texts":  # all of them
            read(write(row=["1e39"] * 7 + ["-1e40"] * (ROWS - 7)))
        elif how == "frame":
            frame = pandas.DataFrame({**patients(), "row": map(float, cells)})
            datasets.from_dataframe(frame, ["stage"], ["row"])
        elif how == "like":
            first = read(write())
            datasets.from_csv(write(row=cells), like=first)
        else:
            read(write(row=cells))
    place = "row 6" if how == "frame" else "line [28]"
    column = "months" if how == "labels" else "row"
    assert re.search(f"{place}, column '{column}'", str(error.value))
    for part in ("missing_values=('1e", "clip", "scale the column"):
        assert part in str(error.value)
    if how == "input":
        mark = re.search(r"missing_values=\('(.*?)',\)", str(error.value))[1]
        data = read(write(row=cells), missing_values=[mark])
        assert np.isfinite(whole(data)[0]).all()
