"""Parts of a table, tasks in rows, codes and disguises."""

import warnings

import numpy as np
import pandas as pd
import pytest

from mtl_keras import datasets
from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    MultiLabelClassification,
    Regression,
)

WHOLE = {"validation": 0, "test": 0}


def table(**columns):
    rows = 40
    base = {
        "a": np.random.default_rng(0).normal(size=rows),
        "y": [row % 2 for row in range(rows)],
    }
    made = {
        name: [cells[row % len(cells)] for row in range(rows)]
        if isinstance(cells, list)
        else cells
        for name, cells in columns.items()
    }
    return pd.DataFrame({**base, **made})


def labels(cells, task="y", how=None, **arguments):
    """Returns the task and the targets of a column of repeated cells."""
    data = datasets.from_dataframe(
        table(y=cells), how or [task], **WHOLE, **arguments
    )
    return data.tasks[0], data.arrays()[1]["y"]


@pytest.fixture
def write(tmp_path):
    """Writes lines as a file and returns its path."""

    def write(text, name="t.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def test_a_column_says_the_parts():
    words = ["train", "Training", "val", "test", "dev", "train"]
    data = datasets.from_dataframe(table(part=words), ["y"], split="part")
    rows = np.arange(40)
    for part, those in (
        ("train", (0, 1, 5)),
        ("validation", (2, 4)),
        ("test", (3,)),
    ):
        np.testing.assert_array_equal(
            data.indices[part], rows[np.isin(rows % 6, those)]
        )
    assert data.input_names == ("a",)
    with pytest.raises(ValueError, match="'holdout' in row 1, column 'part'"):
        datasets.from_dataframe(
            table(part=["train", "holdout"]), ["y"], split="part"
        )
    with pytest.raises(ValueError, match="rows to train on"):
        datasets.from_dataframe(table(part=["test"]), ["y"], split="part")


def test_rows_of_the_test_alone_are_read_by_the_codes_of_others(write):
    first = datasets.from_dataframe(
        table(part=["train", "train", "test"]), ["y"], split="part"
    )
    frame = table(part=["test"])
    data = datasets.from_dataframe(frame, ["y"], split="part", like=first)
    sizes = {part: len(rows) for part, rows in data.indices.items()}
    assert sizes == {"train": 0, "test": 40}
    assert list(data.train) == [] and data.validation is None
    assert data.arrays("train")[0].shape == (0, *data.input_shape)
    np.testing.assert_array_equal(
        data.arrays("test")[0], first.encoding.encode(frame[["a"]])
    )
    np.testing.assert_array_equal(data.arrays("test")[1]["y"], frame["y"])
    assert "40 samples" in str(datasets.describe(data))
    path = write("")
    frame.assign(part="val").to_csv(path, index=False)
    data = datasets.from_csv(path, ["y"], split="part", like=first)
    assert len(data.indices["validation"]) == 40
    for files in ({"path": {"test": path}}, {"test": path}):
        data = datasets.from_csv(**files, tasks=["y"], like=first)
        sizes = {part: len(rows) for part, rows in data.indices.items()}
        assert sizes == {"train": 0, "test": 40}
        with pytest.raises((TypeError, ValueError), match=r"'train'|`train`"):
            datasets.from_csv(**files, tasks=["y"])


@pytest.mark.parametrize("as_dict", [True, False])
def test_files_are_the_parts(tmp_path, as_dict):
    frames = {
        part: table(city=list(cities)).assign(row=first + np.arange(40))
        for part, first, cities in (
            ("train", 0, "AB"),
            ("validation", 100, "BA"),
            ("test", 200, "C"),
        )
    }
    files = {}
    for part, frame in frames.items():
        columns = list(frame)[:: -1 if part == "test" else 1]
        files[part] = tmp_path / f"{part}.csv"
        frame[columns].to_csv(files[part], index=False)
    say = {"path": files} if as_dict else files
    with pytest.warns(UserWarning, match=r"input 'city': 'C' \(40 rows\)"):
        data = datasets.from_csv(**say, tasks={"row": "Regression"})
    for part, frame in frames.items():
        x, y = data.arrays(part)
        np.testing.assert_array_equal(y["row"], frame["row"])
        x = pd.DataFrame(x, columns=data.input_names)
        np.testing.assert_array_equal(x["city=A"], frame["city"] == "A")
        np.testing.assert_array_equal(x["city: other"], frame["city"] == "C")


def test_a_share_and_a_file(tmp_path):
    for name in ("a", "b"):
        table().to_csv(tmp_path / f"{name}.csv", index=False)
    data = datasets.from_csv(
        tmp_path / "a.csv", ["y"], validation=0.25, test=tmp_path / "b.csv"
    )
    assert {p: len(rows) for p, rows in data.indices.items()} == {
        "train": 30,
        "validation": 10,
        "test": 40,
    }
    assert data.indices["test"].min() == 40
    assert data.indices["train"].max() < 40


def test_a_number_here_and_a_text_there_are_texts(write):
    first = write("z,y\n" + "1,0\n2,1\n" * 5)
    second = write("z,y\n" + "1,0\nx,1\nq,0\nx,0\n" * 5, "s.csv")
    with pytest.warns(UserWarning, match="2 values in 15 rows, such as 'x'"):
        data = datasets.from_csv(
            first, {"y": "BinaryClassification"}, test=second, validation=0
        )
    assert data.input_names == ("z: other", "z=1", "z=2")
    np.testing.assert_array_equal(
        data.arrays("test")[0][:2], [[0, 1, 0], [1, 0, 0]]
    )


def test_errors_name_the_file_and_line_of_a_part(write):
    first = write("z,y\n" + "1,0\n2,1\n" * 5)
    second = write("z,y\n1,0\n2,nine\n", "s.csv")
    with pytest.raises(ValueError, match=r"'nine' in line 3, .* of '.*s\.csv'"):
        datasets.from_csv(first, {"y": "Regression"}, test=second)
    other = write("z,w\n1,0\n", "o.csv")
    with pytest.raises(ValueError, match=r"same columns, but \['w', 'y'\]"):
        datasets.from_csv(first, ["y"], test=other)


def test_groups_must_be_apart_in_parts_that_are_said():
    frame = table(part=["train", "test"], who=["p", "q"], y=[0, 0, 1, 1])
    datasets.from_dataframe(frame, ["y"], split="part", group="who")
    frame = table(part=["train", "test"], who=["p", "q", "r"])
    with pytest.raises(ValueError, match="'p' are in train and in test"):
        datasets.from_dataframe(frame, ["y"], split="part", group="who")


def test_tasks_in_rows():
    rng = np.random.default_rng(0)
    frame = table(school=["north", "south east", "west"]).assign(
        y=rng.normal(size=40)
    )
    data = datasets.from_dataframe(frame, ["y"], task_column="school", **WHOLE)
    assert [task.name for task in data.tasks] == ["north", "south_east", "west"]
    assert all(isinstance(task, Regression) for task in data.tasks)
    _, y = data.arrays()
    schools = frame["school"].str.replace(" ", "_")
    for name, found in y.items():
        expected = np.where(schools == name, frame["y"], np.nan)
        np.testing.assert_array_equal(found, expected.astype("float32"))
    assert data.input_names == ("a",)
    again = datasets.from_dataframe(frame[:2], like=data, **WHOLE).arrays()[1]
    for name, found in again.items():
        np.testing.assert_array_equal(found, y[name][:2])
    with pytest.raises(ValueError, match="the task 'east' in row 0"):
        datasets.from_dataframe(frame.assign(school="east"), like=data)
    with pytest.raises(ValueError, match="the one column of labels"):
        frame["b"] = frame["a"]
        datasets.from_dataframe(frame, ["y", "a"], task_column="school")


def test_files_without_a_header(write):
    path = write("".join(f"{row},{row % 2}\n" for row in range(40)))
    with pytest.raises(ValueError, match=r"No header\? Pass .*names="):
        datasets.from_csv(path, ["y"])
    data = datasets.from_csv(
        path, ["y"], names=["x", "y"], numbers="float", **WHOLE
    )
    np.testing.assert_array_equal(data.arrays()[0][:, 0], np.arange(40))
    with pytest.raises(ValueError, match="must name the 2 columns"):
        datasets.from_csv(path, ["y"], names=["x"])
    headed = write("x,y\n1,2\n")
    with pytest.raises(ValueError, match=r"line 1 of .* holds these names"):
        datasets.from_csv(headed, ["y"], names=["x", "y"])


@pytest.mark.parametrize(
    ("cells", "names", "first"),
    [
        (["00", "01"], ("00", "01"), [0, 1]),
        (["01", "1"], ("01", "1"), [0, 1]),
        (["1234567890123456789", "1234567890123456790", "9"], None, [1, 2, 0]),
        ([1234567890123456789, 1234567890123456790, 9], None, [1, 2, 0]),
        (["TRUE", "False", "true", "FALSE"], ("false", "true"), [1, 0, 1, 0]),
        (["Yes", "no", "yes"], ("no", "yes"), [1, 0, 1]),
        (["1.0", "2", "", "2.0"], ("1", "2"), [0, 1, -1, 1]),
        ([3.0, np.nan, 5.0], ("3", "5"), [0, -1, 1]),
        ([True, False], None, [1, 0]),
        (pd.array([7, None, 9, 7] * 10, "Int64"), ("7", "9"), [0, -1, 1, 0]),
        (pd.Categorical(["b", "a", None, "b"] * 10), ("a", "b"), [1, 0, -1]),
    ],
)
def test_classes_are_told_apart_by_their_text(cells, names, first):
    task, found = labels(cells)
    kind = (
        Classification if len(set(first) - {-1}) > 2 else BinaryClassification
    )
    assert type(task) is kind
    if names is not None:
        assert task.class_names == names
    np.testing.assert_array_equal(found[: len(first)], first)


def test_class_names_match_cells_by_their_text():
    how = {"y": {"kind": "BinaryClassification", "class_names": ["01", "00"]}}
    _, found = labels(["00", "01"], how=how)
    np.testing.assert_array_equal(found[:2], [1, 0])
    how = {"y": {"kind": "BinaryClassification", "class_names": ["Yes", "No"]}}
    _, found = labels(["yes", "NO", "Yes"], how=how)
    np.testing.assert_array_equal(found[:3], [0, 1, 0])


def test_groups_of_many_digits_stay_apart():
    who = [str(10**18 + row // 2) for row in range(40)]
    data = datasets.from_dataframe(table(who=who), ["y"], group="who")
    assert len(np.unique(data.groups)) == 20
    np.testing.assert_array_equal(data.groups, np.arange(40) // 2)


@pytest.mark.parametrize("mark", ["-999", "-999.0", "-9.99e2"])
@pytest.mark.parametrize("cell", ["-999", "-999.0"])
def test_missing_numbers_are_compared_as_numbers(write, mark, cell):
    lines = [
        f"{cell if r % 4 == 0 else r},{cell if r % 5 == 0 else r / 3}"
        for r in range(40)
    ]
    path = write("a,y\n" + "\n".join(lines))
    data = datasets.from_csv(path, ["y"], missing_values=[mark], **WHOLE)
    x, y = data.arrays()
    np.testing.assert_array_equal(np.isnan(y["y"]), np.arange(40) % 5 == 0)
    place = data.input_names.index("a: missing")
    np.testing.assert_array_equal(x[:, place], np.arange(40) % 4 == 0)


def test_several_labels_in_a_cell():
    cells = ["Action; Drama", "Drama", "", "Comedy"]
    how = {"y": {"kind": "MultiLabelClassification", "separator": ";"}}
    task, found = labels(cells, how=how)
    assert isinstance(task, MultiLabelClassification)
    assert task.class_names == ("Action", "Comedy", "Drama")
    np.testing.assert_array_equal(
        found[:4], [[1, 0, 1], [0, 0, 1], [-1, -1, -1], [0, 1, 0]]
    )
    data = datasets.from_dataframe(table(y=cells), {"y": {"separator": ";"}})
    again = datasets.from_dataframe(table(y=["Comedy"]), like=data, **WHOLE)
    np.testing.assert_array_equal(again.arrays()[1]["y"][0], [0, 1, 0])
    with pytest.raises(ValueError, match=r"'Horror' in row 0.*not in its"):
        datasets.from_dataframe(table(y=["Horror;Drama"]), like=data)
    for wrong, message in (
        ({"separator": ""}, "expected a string such as ';'"),
        ({"separator": ";", "kind": "Regression"}, "MultiLabelClassification"),
        ({"separator": ";", "columns": ["y", "a"]}, "expected one column"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            labels(cells, how={"y": wrong})


@pytest.mark.parametrize(
    ("cells", "said", "expected"),
    [
        (["1,5", "2,25"], {"decimal": ","}, [1.5, 2.25]),
        (["1.234,5", "2"], {"decimal": ",", "thousands": "."}, [1234.5, 2]),
        (["1,234.5", "2"], {"thousands": ","}, [1234.5, 2]),
    ],
)
def test_numbers_of_other_countries(write, cells, said, expected):
    lines = [f"{row};{cells[row % 2]};{cells[row % 2]}" for row in range(40)]
    path = write("n;a;y\n" + "\n".join(lines))
    tasks = {"y": "Regression"}
    say = {"delimiter": ";", "numbers": "float", **WHOLE}
    with pytest.raises(ValueError, match=r"pass|Pass"):
        datasets.from_csv(path, tasks, inputs=["a"], **say)
    data = datasets.from_csv(path, tasks, inputs=["a"], **say, **said)
    x, y = data.arrays()
    np.testing.assert_allclose(x[:2, 0], expected)
    np.testing.assert_allclose(y["y"][:2], expected)


def test_dates_become_seconds(write):
    dates = pd.date_range("2021-01-01", periods=40, freq="36h")
    lines = [
        f"{d:%Y-%m-%d %H:%M},{d:%H:%M},{i % 2}" for i, d in enumerate(dates)
    ]
    lines[3] = ",,1"
    path = write("seen,hour,y\n" + "\n".join(lines))
    say = {"numbers": "float_normalized", **WHOLE}
    with pytest.raises(ValueError, match=r"dates or times.*parse_dates="):
        datasets.from_csv(path, ["y"], **say)
    data = datasets.from_csv(path, ["y"], parse_dates=["seen", "hour"], **say)
    x = pd.DataFrame(data.arrays()[0], columns=data.input_names)
    there = np.arange(40) != 3
    seconds = (dates - dates[0]).total_seconds().to_numpy()
    expected = (seconds - seconds[there].mean()) / seconds[there].std()
    np.testing.assert_allclose(x["seen"][there], expected[there], atol=1e-4)
    assert x["hour"][there].round(4).nunique() == 2
    assert x["seen: missing"][3] == x["hour: missing"][3] == 1
    frame = pd.DataFrame({"seen": dates, "y": np.arange(40) % 2})
    with pytest.raises(ValueError, match="parse_dates"):
        datasets.from_dataframe(frame, ["y"])
    data = datasets.from_dataframe(frame, ["y"], parse_dates=["seen"], **WHOLE)
    expected = (seconds - seconds.mean()) / seconds.std()
    np.testing.assert_allclose(data.arrays()[0][:, 0], expected, atol=1e-4)


def test_categories_of_integers(write):
    lines = [f"{'' if r == 6 else r % 3 + 7},{r % 2}" for r in range(40)]
    path = write("hour,y\n" + "\n".join(lines))
    data = datasets.from_csv(path, ["y"], categories=["hour"], **WHOLE)
    assert data.input_names == (
        *("hour: other", "hour: missing", "hour=7", "hour=8", "hour=9"),
    )
    x = data.arrays()[0]
    np.testing.assert_array_equal(x[0], [0, 0, 1, 0, 0])
    np.testing.assert_array_equal(x[6], [0, 1, 0, 0, 0])
    frame = pd.read_csv(path)
    same = datasets.from_dataframe(frame, ["y"], categories=["hour"], **WHOLE)
    np.testing.assert_array_equal(same.arrays()[0], x)


def leaks(frame, tasks, **arguments):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        datasets.from_dataframe(frame, tasks, **WHOLE, **arguments)
    return [
        str(t.message) for t in told if "determine a label" in str(t.message)
    ]


def test_an_input_that_determines_a_label_is_told():
    rng = np.random.default_rng(0)
    motor, x = rng.normal(size=(2, 200))
    classes = rng.integers(0, 3, 200)
    frame = pd.DataFrame(
        {
            "x": x,
            "total": np.exp(motor),
            "code": np.array([2.5, -1, 7])[classes] + 0.01 * x,
            "word": np.array(["p", "q", "r"])[classes],
            "motor": motor,
            "kind": classes,
        }
    )
    (told,) = leaks(frame, ["motor", "kind"])
    for column, task in (
        ("total", "motor"),
        ("code", "kind"),
        ("word", "kind"),
    ):
        assert f"{column!r} of task {task!r}" in told
    assert "'x'" not in told
    assert "exclude=['total', 'code', 'word']" in told
    assert not leaks(frame, ["motor", "kind"], inputs=["x"])
    assert not leaks(frame, ["motor"], exclude=["total"])


def test_noise_and_rare_classes_are_no_leak():
    rng = np.random.default_rng(1)
    rare = (rng.random(400) < 0.03).astype(int)
    rare[:2] = 0, 1
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=400),
            "id": [f"p{row % 97}" for row in range(400)],
            "row": np.arange(400),
            "rare": rare,
        }
    )
    assert not leaks(frame, ["rare"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"exclude": ["b"]}, "`exclude` names the column 'b'"),
        ({"exclude": ["a"], "inputs": ["a"]}, "`exclude` names too"),
        ({"exclude": ["a"]}, "`inputs` must name at least one column"),
        ({"split": "part"}, "`split` names the column 'part'"),
        ({"task_column": "who"}, "`task_column` names the column 'who'"),
        ({"categories": ["b"]}, "`categories` and `embed` name 'b'"),
        ({"parse_dates": ["b"]}, "`parse_dates` names 'b'"),
        ({"numbers": "raw"}, "numbers='raw'"),
    ],
)
def test_what_does_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        datasets.from_dataframe(table(), ["y"], **arguments)


@pytest.mark.parametrize(
    ("frame", "error", "message"),
    [
        ([[1, 2]], TypeError, "`frame` is a list"),
        (pd.DataFrame({0: [1], "y": [1]}), TypeError, "column named 0"),
        (pd.DataFrame([[1, 2]], columns=["y", "y"]), ValueError, "two columns"),
        (pd.DataFrame({"y": []}), ValueError, "no rows"),
    ],
)
def test_what_is_no_frame(frame, error, message):
    with pytest.raises(error, match=message):
        datasets.from_dataframe(frame, ["y"])


def test_a_short_line_is_no_hole(write):
    path = write("a,b,y\n" + "1,2,0\n" * 5 + "1,2\n" + "1,2,1\n" * 5)
    with pytest.raises(ValueError, match="found 2 in line 7"):
        datasets.from_csv(path, ["y"])
    path = write("a,b,y\n" + "1,2,0,9\n" * 5)
    with pytest.raises(ValueError, match="found 4 in line 2"):
        datasets.from_csv(path, ["y"])


def test_lines_are_counted_past_blanks_and_breaks(write):
    path = write('a,y\n\n"x\nz",1\n\n  \nx,2\n,\nx,nine\n')
    with pytest.raises(ValueError, match="'nine' in line 9"):
        datasets.from_csv(path, {"y": "Regression"}, **WHOLE)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"PK\x03\x04", r"Excel file or a zip archive.*read_excel"),
        (b"\xd0\xcf\x11\xe0", r"an Excel file.*read_excel"),
        (b"PAR1", r"a Parquet file.*read_parquet"),
    ],
)
def test_tables_of_other_programs(tmp_path, start, message):
    (tmp_path / "t.csv").write_bytes(start + bytes(50))
    with pytest.raises(ValueError, match=message):
        datasets.from_csv(tmp_path / "t.csv", ["y"])


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([[1, 2]], r"found \[1, 2\] of type list in row 0"),
        ([pd.Timestamp("2021-01-01").date()], "of type date in row 0"),
        (pd.period_range("2021", periods=40, freq="M"), "of type Period"),
        (np.arange(40) * 1j, "complex128"),
    ],
)
def test_objects_that_are_no_cells(cells, message):
    with pytest.raises(ValueError, match=message):
        datasets.from_dataframe(table(z=cells), ["y"])


def test_integers_beyond_64_bits_are_categories_by_their_text(write):
    ids = [2**64 - 6 + row % 3 for row in range(40)]
    path = write(
        "id,y\n" + "".join(f"{i},{n % 2}\n" for n, i in enumerate(ids))
    )
    data = datasets.from_csv(path, ["y"], categories=["id"], **WHOLE)
    assert data.input_names[1:] == tuple(f"id={i}" for i in sorted(set(ids)))


def test_an_input_and_a_task_of_one_safe_name():
    frame = table().rename(columns={"a": "q%", "y": "q_"})
    with pytest.raises(ValueError, match="'q%' and task 'q_' would both"):
        datasets.from_dataframe(frame, ["q_"])


def test_thousands_come_in_threes(write):
    lines = [
        f"{['1.000', '1', '2.000'][row % 3]};{row % 2}" for row in range(40)
    ]
    path = write("p;y\n" + "\n".join(lines))
    how = {"delimiter": ";", "decimal": ",", "thousands": "."}
    data = datasets.from_csv(path, ["p"], inputs=["y"], **how, **WHOLE)
    assert data.tasks[0].class_names == ("1", "1000", "2000")
    data = datasets.from_csv(path, ["y"], categories=["p"], **how, **WHOLE)
    assert data.input_names == ("p: other", "p=1", "p=1000", "p=2000")
    path = write("x;y\n" + "\n".join(["1,5;0", "1,25;1", "2,75;1"] * 9))
    for arguments, message in (
        ({"thousands": ","}, "decimal comma|thousands"),
        ({"thousands": "."}, "both '.'"),
        ({"decimal": "ab"}, "`decimal` must be one character"),
    ):
        with pytest.raises(ValueError, match=message):
            datasets.from_csv(path, ["y"], delimiter=";", **arguments)


def test_a_decimal_point_where_a_comma_is_said(write):
    path = write("x;y\n" + "\n".join(["1.5;0", "2.25;1", "10.125;1"] * 9))
    with pytest.raises(ValueError, match=r"another form.*'1\.5' in line 2"):
        datasets.from_csv(path, ["y"], delimiter=";", decimal=",")
    with pytest.raises(ValueError, match=r"another form.*'1\.5' in line 2"):
        datasets.from_csv(path, ["x"], inputs=["y"], delimiter=";", decimal=",")


@pytest.mark.parametrize("cells", [["1e3", "1000", "2"], ["1000.0", "2", "2"]])
def test_integers_in_other_forms_are_classes(write, cells):
    lines = [f"{row},{cells[row % 3]}" for row in range(40)]
    data = datasets.from_csv(write("x,y\n" + "\n".join(lines)), ["y"], **WHOLE)
    assert data.tasks[0].class_names == ("2", "1000")


def test_rows_of_holes_are_rows(write):
    path = write("x,c,y\n1,u,0\n,,\n3,u,1\n" + "2,u,1\n" * 9 + ",,\n\n,,\n")
    data = datasets.from_csv(path, ["y"], **WHOLE)
    assert len(data.indices["train"]) == 12
    np.testing.assert_array_equal(data.arrays()[1]["y"][:3], [0, -1, 1])


def test_integers_that_floats_cannot_hold():
    frame = table(id=[2**60 + row for row in range(40)])
    with pytest.raises(ValueError, match=r"'id' holds integers.*categories="):
        datasets.from_dataframe(frame, ["y"])


def test_labels_that_float32_cannot_tell_apart():
    seconds = pd.date_range("2021-01-01", periods=40, freq="s")
    with pytest.raises(ValueError, match=r"cannot tell apart.*Subtract"):
        datasets.from_dataframe(
            table(y=list(seconds)), ["y"], parse_dates=["y"]
        )
    days = pd.date_range("2021-01-01", periods=40, freq="30D")
    datasets.from_dataframe(table(y=list(days)), ["y"], parse_dates=["y"])


def test_names_of_columns_stay_where_people_read_them(tmp_path):
    path = tmp_path / "table.csv"
    rows = [f"{n},{'xy'[n % 2]},{n / 2}" for n in range(40)]
    path.write_text("\n".join(["n,病 (%),w %", *rows]), encoding="utf-8")
    data = datasets.from_csv(path, ["病 (%)", "w %"])
    assert [task.title for task in data.tasks] == ["病 (%)", "w %"]
    assert data.tasks[0].class_names == ("x", "y")
    described = str(datasets.describe(data))
    assert "病 (%)" in described and "w %" in described
    assert data.tasks[0].name not in described


def test_two_tasks_of_one_safe_name_are_both_named(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("n,y %,y_%\n1,2,3\n2,3,4\n")
    with pytest.raises(ValueError, match=r"'y %' and 'y_%'.*'y__' in the mod"):
        datasets.from_csv(path, ["y %", "y_%"])
