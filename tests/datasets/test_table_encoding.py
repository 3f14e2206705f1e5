"""Codes that belong to a model: other files, parts and serving."""

import json

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import mtl_keras
from mtl_keras import datasets

WHOLE = {"validation": 0, "test": 0}


def frame(cities="AB", stages=("low", "mid"), rows=40):
    return pd.DataFrame(
        {
            "city": [cities[row % len(cities)] for row in range(rows)],
            "size": [row / 4 for row in range(rows)],
            "stage": [stages[row % len(stages)] for row in range(rows)],
        }
    )


@pytest.fixture
def write(tmp_path):
    """Writes a DataFrame as a csv file and returns its path."""

    def write(table, name="table.csv", **arguments):
        table.to_csv(tmp_path / name, index=False, **arguments)
        return tmp_path / name

    return write


@pytest.fixture
def data():
    return datasets.from_dataframe(frame(), ["stage"], **WHOLE)


def test_another_file_has_the_same_codes(data, write):
    other = frame("BA", ("mid", "low"), 7)
    read = datasets.from_csv(write(other), like=data, **WHOLE)
    x, y = read.arrays()
    np.testing.assert_array_equal(y["stage"], [1, 0] * 3 + [1])
    np.testing.assert_array_equal(x, data.encoding.encode(other))
    assert read.input_names == data.input_names
    assert read.tasks == data.tasks
    row = data.arrays()[0][[1, 2]]
    np.testing.assert_array_equal(x[:2, :3], row[:, :3])


def test_a_class_that_the_first_file_lacks_is_an_error(data):
    other = frame(stages=("low", "top"))
    with pytest.raises(
        ValueError, match=r"'top' in row 1.*Known: 'low', 'mid'"
    ):
        datasets.from_dataframe(other, like=data)
    numbered = datasets.from_dataframe(frame(stages=(0, 1, 2)), ["stage"])
    assert numbered.tasks[0].class_names is None
    for stages in ((0, 3), (7, 8, 9), ("a", "b", "c")):
        with pytest.raises(ValueError, match="not in its class_names"):
            datasets.from_dataframe(frame(stages=stages), like=numbered)


def test_an_unknown_category_has_its_bucket(data):
    other = datasets.from_dataframe(frame("Z"), like=data, **WHOLE)
    x = pd.DataFrame(other.arrays()[0], columns=other.input_names)
    assert (x["city: other"] == 1).all()
    assert not x[["city=A", "city=B"]].any().any()


def test_standardization_is_that_of_the_training_part():
    table = frame(rows=50)
    data = datasets.from_dataframe(table, ["stage"], seed=4)
    train = table["size"].to_numpy()[data.indices["train"]]
    expected = (table["size"] - train.mean()) / train.std()
    place = data.input_names.index("size")
    for part, rows in data.indices.items():
        found = data.arrays(part)[0][:, place]
        np.testing.assert_allclose(found, expected[rows], atol=1e-6)
        stream = getattr(data, part)
        streamed = np.concatenate([x[:, place] for x, _ in stream])
        np.testing.assert_allclose(np.sort(streamed), np.sort(found))


def test_rows_without_labels_are_predicted(data, write):
    table = frame().drop(columns="stage")
    read = datasets.from_csv(write(table), like=data, labels=False)
    x, y = read.arrays()
    assert y == {} and list(read.indices) == ["train"]
    np.testing.assert_array_equal(x, data.arrays()[0])
    with pytest.raises(ValueError, match=r"`labels=False`.*`like`"):
        datasets.from_csv(write(table), ["stage"], labels=False)


def test_it_is_saved_and_loaded(data, tmp_path):
    data.encoding.save(tmp_path / "run")
    again = datasets.TableEncoding.load(tmp_path / "run")
    table = frame("AZB")
    np.testing.assert_array_equal(
        again.encode(table), data.encoding.encode(table)
    )
    assert again.input_names == data.input_names
    assert [task.class_names for task in again.tasks] == [("low", "mid")]
    read = datasets.from_dataframe(table, like=again, **WHOLE)
    np.testing.assert_array_equal(read.arrays()[0], again.encode(table))
    text = json.loads((tmp_path / "run" / "encoding.json").read_text())
    assert text["columns"] == {"stage": ["stage"]}
    with pytest.raises(FileNotFoundError, match=r"no 'encoding\.json'"):
        datasets.TableEncoding.load(tmp_path)


def test_cells_are_read_as_those_of_the_first_file(write):
    table = frame().astype({"size": str})
    table["size"] = table["size"].str.replace(".", ",").replace("1,0", "NA")
    path = write(table, sep=";")
    how = {"delimiter": ";", "decimal": ",", "missing_values": ["NA"]}
    first = datasets.from_csv(path, ["stage"], **how, **WHOLE)
    assert "size: missing" in first.input_names
    again = datasets.from_csv(path, like=first, **WHOLE)
    np.testing.assert_array_equal(again.arrays()[0], first.arrays()[0])
    comma = write(frame(), "comma.csv")
    again = datasets.from_csv(comma, like=first, delimiter=",", decimal=".")
    assert again.input_names == first.input_names


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"like": 3}, TypeError, "found a int"),
        ({"inputs": ["size"]}, ValueError, "come from the data of `like`"),
        ({"exclude": ["size"]}, ValueError, "come from the data of `like`"),
        (
            {"tasks": ["size"]},
            ValueError,
            "`tasks` names 'size', which the dat",
        ),
    ],
)
def test_what_does_not_go_with_like(data, arguments, error, message):
    with pytest.raises(error, match=message):
        datasets.from_dataframe(frame(), **{"like": data, **arguments})


def test_a_column_that_is_missing_is_named(data):
    with pytest.raises(
        ValueError, match="does not have the input column 'city'"
    ):
        datasets.from_dataframe(frame().drop(columns="city"), like=data)


def test_only_a_table_has_an_encoding(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((9, 2)), y=np.arange(9) % 2)
    data = datasets.from_npz(tmp_path / "a.npz", ["y"])
    with pytest.raises(ValueError, match="`like` must come from a table"):
        datasets.from_dataframe(frame(), like=data)
    with pytest.raises(ValueError, match="do not come from a table"):
        data.serving_model(None)


def test_any_header_goes_from_file_to_request(write, tmp_path):
    table = frame().rename(
        columns={"city": "城市 (main)", "size": "größe: %", "stage": "阶段"}
    )
    data = datasets.from_csv(write(table), ["阶段"], **WHOLE)
    assert data.input_names == (
        *("größe: %", "城市 (main): other", "城市 (main)=A", "城市 (main)=B"),
    )
    model = mtl_keras.build_mlp(data.input_shape, data.tasks, hidden_units=(3,))
    x, _ = data.arrays()
    (task,) = data.tasks
    expected = model(x)[task.name].numpy()
    raw = data.serving_model(model)
    raw.run_eagerly = True  # a graph would take longer to trace
    columns = {
        name: table[name].to_numpy(object if name[0] == "城" else "float32")
        for name in data.encoding.inputs
    }
    found = raw.predict(columns, verbose=0)[task.name]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    raw.export(tmp_path / "served", verbose=False)
    serve = tf.saved_model.load(tmp_path / "served").signatures
    safe = mtl_keras.tables.safe_names(columns)
    request = {
        safe[name]: tf.constant(values[:, None].tolist())
        for name, values in columns.items()
    }
    found = serve["serving_default"](**request)[task.name]
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("of_arrays", [True, False])
def test_an_export_of_codes_is_told(data, tmp_path, of_arrays):
    model = mtl_keras.build_mlp(data.input_shape, data.tasks, hidden_units=(2,))
    model.run_eagerly = True
    x, y = data.arrays()
    if of_arrays:
        model.fit(x, y, epochs=1, verbose=0)
    else:
        model.fit(data.train, shuffle=False, epochs=1, verbose=0)
    with pytest.warns(
        UserWarning, match=r"export data\.serving_model\(model\)"
    ):
        model.export(tmp_path / "codes", verbose=False)
    data.serving_model(model).export(tmp_path / "raw", verbose=False)
    model.fit(x.copy(), y, epochs=1, verbose=0)
    model.export(tmp_path / "numbers", verbose=False)


def test_only_tables_of_the_same_codes_are_mixed(data, tmp_path):
    other = datasets.from_dataframe(frame("AB", rows=20), ["stage"], **WHOLE)
    with pytest.raises(ValueError, match="encode the same columns"):
        datasets.mix({"a": data, "b": other})
    same = datasets.from_dataframe(frame(rows=20), like=data, **WHOLE)
    x, _ = next(iter(datasets.mix({"a": data, "b": same}, batch_size=4)))
    assert x.shape == (4, 4)
    data.encoding.save(tmp_path)
    again = datasets.TableEncoding.load(tmp_path)
    assert again.codes_as(data.encoding)
    assert not other.encoding.codes_as(data.encoding)


@pytest.mark.parametrize("storage", ["python", "pyarrow"])
def test_texts_are_read_alike_however_pandas_keeps_them(write, storage):
    if storage == "pyarrow":
        pytest.importorskip("pyarrow")
    table = frame(stages=("01", "1"))
    table.loc[3, "city"] = None
    path = write(table)
    with pd.option_context("mode.string_storage", storage):
        data = datasets.from_csv(path, ["stage"], **WHOLE)
    assert data.input_names == (
        *("city: other", "city: missing", "city=A", "city=B", "size"),
    )
    assert data.tasks[0].class_names == ("01", "1")
    np.testing.assert_array_equal(data.arrays()[0][3, :4], [0, 1, 0, 0])


def test_rows_to_predict_keep_their_order(data):
    rows = datasets.from_dataframe(frame(rows=50), like=data, labels=False)
    streamed = np.concatenate([x for x, _ in rows.train])
    np.testing.assert_array_equal(streamed, rows.arrays()[0])


@pytest.mark.parametrize(
    "words", [("Yes", "No"), ("YES", "no", "Yes"), ("Yes", "No", "Maybe")]
)
def test_inputs_keep_their_text(words):
    table = frame(cities=words)
    data = datasets.from_dataframe(table, ["stage"], **WHOLE)
    x, _ = data.arrays()
    np.testing.assert_array_equal(data.encoding.encode(table), x)
    few = table[table["city"].isin(words[:2])]
    again = datasets.from_dataframe(few, like=data, **WHOLE)
    place = data.input_names.index("city: other")
    assert not again.arrays()[0][:, place].any()


def test_booleans_are_alike_with_holes_and_without(write):
    full = frame().assign(flag=[row % 3 > 0 for row in range(40)])
    holes = full.astype({"flag": object})
    holes.loc[5, "flag"] = None
    for first, second in ((full, holes), (holes, full)):
        data = datasets.from_csv(write(first), ["stage"], **WHOLE)
        again = datasets.from_csv(write(second, "b.csv"), like=data, **WHOLE)
        kept = np.arange(40) != 5
        np.testing.assert_array_equal(
            again.arrays()[0][kept], data.arrays()[0][kept]
        )
        assert {"flag=True", "flag=False"} <= set(data.input_names)


@pytest.mark.parametrize(
    ("first", "other"),
    [((3, 5, 7), (1, 0, 2)), ((1, 2), (0, 0)), (("a", "b", "c"), (0, 2))],
)
def test_numbers_are_no_classes_of_other_names(first, other):
    tasks = {"stage": "Classification"}
    data = datasets.from_dataframe(frame(stages=first), tasks)
    with pytest.raises(ValueError, match="not in its class_names"):
        datasets.from_dataframe(frame(stages=other), like=data)


def test_holes_stay_refused(data):
    table = frame()
    strict = datasets.from_dataframe(table, ["stage"], missing_inputs="error")
    table.loc[3, "city"] = None
    with pytest.raises(ValueError, match=r"no value in row 3, column 'city'"):
        datasets.from_dataframe(table, like=strict)
    datasets.from_dataframe(table, like=strict, missing_inputs="encode")


@pytest.mark.parametrize("codes", [(-1, 0, 1), (-2, -1), ("[UNK]", "a")])
def test_no_category_is_that_of_unknown_ones(codes):
    table = frame(cities=codes)
    data = datasets.from_dataframe(
        table, ["stage"], inputs=["city"], categories=["city"], **WHOLE
    )
    assert [n for n in data.input_names if "=" in n] == [
        f"city={code}" for code in codes
    ]
    assert not data.arrays()[0][:, 0].any()


def test_columns_are_found_by_their_own_name_first():
    table = frame().rename(columns={"size": "a.b"}).assign(a_b=-1.0)
    data = datasets.from_dataframe(table, ["stage"], exclude=["a_b"], **WHOLE)
    np.testing.assert_array_equal(data.encoding.encode(table), data.arrays()[0])


def test_codes_are_texts_whatever_another_file_holds(write):
    table = frame(cities=("01234", "90210"))
    data = datasets.from_csv(
        write(table), ["stage"], categories=["city"], **WHOLE
    )
    other = write(frame(cities=("90210",)), "other.csv")
    again = datasets.from_csv(other, like=data, **WHOLE)
    place = data.input_names.index("city=90210")
    np.testing.assert_array_equal(again.arrays()[0][:, place], 1)


@pytest.mark.parametrize("cell", ["abc", "NA", "1,5"])
def test_a_cell_that_is_no_number_later_is_named(data, write, cell):
    table = frame(rows=5).astype({"size": object})
    table.loc[2, "size"] = cell
    with pytest.raises(ValueError, match=f"'{cell}' in line 4, column 'size'"):
        datasets.from_csv(write(table), like=data)


def test_raw_columns_are_evaluated_with_holes_and_large_numbers():
    table = frame().assign(
        seen=1.6e9 + np.arange(40.0),
        age=np.where(np.arange(40) % 3, np.arange(40) * 1.5, np.nan),
    )
    data = datasets.from_dataframe(table, ["stage"], **WHOLE)
    model = mtl_keras.build_mlp(data.input_shape, data.tasks, hidden_units=(3,))
    x, y = data.arrays()
    raw = data.serving_model(model)
    for one in (model, raw):
        one.run_eagerly = True
    expected = model.evaluate(x, y, verbose=0, return_dict=True)
    columns = {
        name: table[name].to_numpy(object if name == "city" else None)
        for name in data.encoding.inputs
    }
    found = raw.predict(columns, verbose=0)["stage"]
    np.testing.assert_allclose(found, model(x)["stage"], atol=1e-6)
    with pytest.raises(ValueError, match=r"'seen'.*rounds its large numbers"):
        raw.evaluate(columns, y, verbose=0)
    arrays = {name: values[:, None] for name, values in columns.items()}
    arrays["city"] = tf.constant(arrays["city"].tolist())
    stream = tf.data.Dataset.from_tensor_slices((arrays, y)).batch(32)
    found = raw.evaluate(stream, verbose=0, return_dict=True)
    assert found == pytest.approx(expected, abs=1e-5)
    del arrays["seen"]
    few = datasets.from_dataframe(table, ["stage"], exclude=["seen"], **WHOLE)
    model = mtl_keras.build_mlp(few.input_shape, few.tasks, hidden_units=(3,))
    raw = few.serving_model(model)
    for one in (model, raw):
        one.run_eagerly = True
    expected = model.evaluate(*few.arrays(), verbose=0, return_dict=True)
    columns = {name: columns[name] for name in few.encoding.inputs}
    found = raw.evaluate(columns, y, verbose=0, return_dict=True)
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", ["class", "self", "None", "lambda", "args"])
def test_columns_named_like_python_are_exported(name, tmp_path):
    table = frame().rename(columns={"size": name})
    data = datasets.from_dataframe(table, ["stage"], inputs=[name], **WHOLE)
    model = mtl_keras.build_mlp(data.input_shape, data.tasks, hidden_units=(2,))
    data.serving_model(model).export(tmp_path / "served", verbose=False)
    serve = tf.saved_model.load(tmp_path / "served").signatures
    request = {f"{name}_": tf.constant([[1.0]])}
    found = serve["serving_default"](**request)["stage"]
    x = data.encoding.encode({name: np.array([1.0])})
    np.testing.assert_allclose(found, model(x)["stage"], atol=1e-6)


def test_names_that_differ_in_case_alone_are_refused():
    table = frame().assign(Size=1.5)
    with pytest.raises(
        ValueError, match=r"'size' and 'Size'|'Size' and 'size'"
    ):
        datasets.from_dataframe(table, ["stage"])


def test_holes_of_pandas_are_encoded(data):
    table = frame(rows=4).astype({"city": "string"})
    table.loc[1, "city"] = pd.NA
    found = data.encoding.encode(table)
    as_objects = data.encoding.encode(table.astype({"city": object}))
    np.testing.assert_array_equal(found, as_objects)
    assert found[1, 0] == 1  # other


@pytest.mark.parametrize("holes", [False, True])
def test_nullable_booleans_are_categories_with_holes_and_without(holes):
    flags = pd.array([row % 3 > 0 for row in range(40)], "boolean")
    if holes:
        flags[4] = pd.NA
    table = frame().assign(flag=flags)
    data = datasets.from_dataframe(table, ["stage"], inputs=["flag"], **WHOLE)
    missing = ("flag: missing",) if holes else ()
    assert data.input_names == (
        *("flag: other", *missing, "flag=False", "flag=True"),
    )
    x, _ = data.arrays()
    expected = flags.to_numpy("float32", na_value=0)
    np.testing.assert_array_equal(x[:, -1], expected)
