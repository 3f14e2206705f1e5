"""Tests CoNLL files, and errors that name the line."""

import numpy as np
import pytest
from conll_files import SENTENCES, write_conll

import mtl_keras
from mtl_keras import SequenceTagging
from mtl_keras.datasets import from_conll

COLUMNS = ["token", "pos", "ner"]
ALL = {"validation": 0, "test": 0}
NAMES = ("O", "B-LOC", "B-ORG", "B-PER", "I-PER")


@pytest.fixture
def write(tmp_path):
    """Writes a text as a file of that name."""

    def write(text, name="train.txt", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write


def read(path, tasks=("ner",), **arguments):
    """Reads all sentences as rows of tokens and tag names."""
    data = from_conll(path, list(tasks), **{**ALL, **arguments})
    x, y = data.arrays()
    rows = []
    for row, sentence in enumerate(x):
        tags = [
            tuple(
                task.class_names[number] if number >= 0 else "-"
                for task in data.tasks
                for number in [y[task.name][row, step]]
            )
            for step in range(len(sentence.split(" ")))
        ]
        tokens = sentence.split(" ")
        rows.append(
            [(token, *found) for token, found in zip(tokens, tags, strict=True)]
        )
        for task in data.tasks:
            assert (y[task.name][row, len(tags) :] == -1).all()
    return rows


def test_every_column_of_tags_is_a_task(tmp_path):
    path = write_conll(tmp_path / "train.txt")
    data = from_conll(path, ["pos", "ner"], columns=COLUMNS, **ALL)
    assert read(path, ["pos", "ner"], columns=COLUMNS) == SENTENCES
    pos, ner = data.tasks
    assert pos.class_names == ("#", "CD", "NNP", "VBZ")
    assert ner.class_names == NAMES and ner.num_classes == 5
    assert tuple(ner.metrics) == ("decoded_span_f1", "span_f1", "accuracy")
    assert tuple(pos.metrics) == ("accuracy",)
    assert data.input_shape == (None,)
    _, y = data.arrays()
    assert y["ner"].dtype == np.int32 and y["ner"].shape == (4, 3)


def test_columns_have_names_in_any_order(tmp_path):
    path = write_conll(tmp_path / "train.txt")
    short = {"entities": ["ner"]}
    data = from_conll(path, short, columns=COLUMNS, **ALL)
    assert [task.name for task in data.tasks] == ["entities"]
    turned = from_conll(
        path, ["a"], inputs="b", columns=["a", "c", "b"], scheme="plain", **ALL
    )
    assert turned.arrays()[0][0] == "B-ORG O"
    assert turned.tasks[0].class_names[:2] == ("#", "1")
    two = write_conll(
        tmp_path / "two", [[(t, n) for t, _, n in rows] for rows in SENTENCES]
    )
    assert read(two) == [[(t, n) for t, _, n in rows] for rows in SENTENCES]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [" ", "\t", "  \t "])
def test_any_whitespace_and_line_endings(tmp_path, end, delimiter):
    path = write_conll(tmp_path / "f", SENTENCES, delimiter, end)
    assert read(path, ["pos", "ner"], columns=COLUMNS) == SENTENCES
    # Without a last empty line, and without the end of the last line.
    data = path.read_bytes()
    for cut in (1, 2):
        path.write_bytes(data[: -cut * len(end)])
        assert read(path, ["pos", "ner"], columns=COLUMNS) == SENTENCES


def test_headers_and_document_lines_are_ignored(write):
    text = "-DOCSTART- -X- O\n\nEU NNP B-ORG\n \t\n\n-DOCSTART- O\nsays VBZ O\n"
    found = read(write("\ufeff" + text), columns=COLUMNS)
    assert found == [[("EU", "B-ORG")], [("says", "O")]]


@pytest.mark.parametrize(
    "comments",
    [
        ["# sent_id = 1\n# text = EU", "# sent_id = 2", "# sent_id = 3"],
        ["#begin document (x); part 000\n", "#end document\n", "# a b c d"],
        ["# id 1", "# id 2", "# id 3"],  # as many columns as tokens have
    ],
)
def test_comments_are_ignored_but_not_the_token(write, comments):
    rows = ["EU NNP B-ORG", "# NN O", "a NN O\n# NN B-ORG"]
    blocks = [
        f"{comment}\n{row}\n"
        for comment, row in zip(comments, rows, strict=True)
    ]
    found = read(write("\n".join(blocks)), columns=COLUMNS)
    assert found == [
        [("EU", "B-ORG")],
        [("#", "O")],
        [("a", "O"), ("#", "B-ORG")],
    ]


def test_non_words_of_conllu_are_ignored(write):
    text = "1-2\tau\t_\n1\tà\tADP\n2\tle\tDET\n2.1\tx\t_\n3\t.\tPUNCT\n"
    columns = ["id", "form", "upos"]
    found = read(write(text), ["upos"], inputs="form", columns=columns)
    assert found == [[("à", "ADP"), ("le", "DET"), (".", "PUNCT")]]


@pytest.mark.parametrize("after", ["", "\n"])
def test_a_line_of_column_names_is_ignored(write, after):
    text = f"Word POS NER\n{after}EU NNP O\n\npos pos O\n"
    columns = ["token", "pos", "ner"]
    found = read(write(text), ["pos"], columns=columns)
    assert found == [[("EU", "NNP")], [("pos", "pos")]]
    spec = {"a": ["pos"], "b": {"kind": "SequenceTagging", "columns": ["ner"]}}
    with pytest.raises(ValueError, match=r"all labels .* are 'O'"):
        from_conll(write(text), spec, columns=columns, **ALL)
    with pytest.raises(ValueError, match="column names but no sentence"):
        from_conll(write("Word POS NER\n"), ["pos"], columns=columns)


def test_only_ascii_whitespace_splits_tokens(write):
    text = "a\u00a0b O\n\u2028 B-x\n\u0085 O\n"
    data = from_conll(write(text), ["ner"], **ALL)
    x, y = data.arrays()
    assert x.tolist() == ["a\u00a0b \u2028 \u0085"]
    assert y["ner"].tolist() == [[0, 1, 0]]


def test_other_encodings_on_request(write):
    path = write("café O\nParis B-LOC\n", encoding="latin-1")
    with pytest.raises(ValueError, match=r"Line 1 of .*utf-8.*'latin-1'"):
        from_conll(path, ["ner"])
    found = read(path, encoding="latin-1")
    assert found == [[("café", "O"), ("Paris", "B-LOC")]]
    path = write("a O\nb B-x\n", encoding="utf-16")
    with pytest.raises(ValueError, match="encoding='utf-16'"):
        from_conll(path, ["ner"])
    assert len(read(path, encoding="utf-16")) == 1


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("iob1", "I-a I-a B-a O I-b"),
        ("bioes", "B-a E-a S-a O S-b"),
        ("bilou", "B-a L-a U-a O U-b"),
        ({"ner": "bilou"}, "B-a L-a U-a O U-b"),
        ("iob2", "B-a I-a B-a O B-b"),
    ],
)
def test_every_scheme_is_converted_to_iob2(write, scheme, tags):
    text = "".join(f"w X {tag}\n" for tag in tags.split())
    path = write(text + "\ny Y O\n")
    found = read(path, ["pos", "ner"], columns=COLUMNS, scheme=scheme)
    tags = [tag for _, _, tag in found[0]]
    assert tags == ["B-a", "I-a", "B-a", "O", "B-b"]
    assert found[1] == [("y", "Y", "O")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("w O\nw I-a\n", r"line 2 of '.*train.txt'.*'I-a' after 'O'.*'iob1'"),
        ("w O\n\nw B-a\nw L-a\n", r"line 4 of .*'L-a'.*scheme='bilou'"),
        ("w O\nw S-a\n", r"line 2 of .*'S-a'.*scheme='bioes'"),
        ("w O\nw B_a\n", r"line 2 of .*'B_a'.*another spelling.*'plain'"),
        ("w O\nw B-a\nw x\n", r"line 3 of .*'x', which does not.*missing_val"),
        ("w *\nw (A*\nw *)\n", r"line 2 of .*'\(A\*'.*another spelling"),
        ("w O\nw\n", r"Line 2 of .* has 1 column, 'w', but line 1 has 2"),
        ("w\tO\nw\ta\tO\n", r"Line 2 .*3 columns.*delimiter='\\t'"),
        ("w O\n# a b\n", r"Line 2 .*3 columns.*Comments must precede"),
        ("w O\nw O\n", r"all labels of the training part are 'O'"),
        ("", r"'.*train.txt' holds no sentence"),
        ("\n \n-DOCSTART-\n", "holds no sentence"),
        ("w a O\n", r"Line 1 of .*3 columns, \['w', 'a', 'O'\].*columns=\["),
        ("w,O\nw,B-a\n", r"has 1 column, .*delimiter=','"),
        ("w O\0\n", "Line 1 of .*zero byte"),
    ],
)
def test_errors_name_the_line(write, text, message):
    with pytest.raises(ValueError, match=message):
        from_conll(write(text), ["ner"], **ALL)


def test_tokens_with_whitespace_and_empty_tokens(write):
    text = "New York\tB-LOC\n"
    with pytest.raises(
        ValueError, match=r"Line 1 .*'New York'.*Replace it by '_'"
    ):
        from_conll(write(text), ["ner"], delimiter="\t", **ALL)
    with pytest.raises(ValueError, match=r"Line 2 .*token ''"):
        from_conll(write("a\tO\n\tO\n"), ["ner"], delimiter="\t", **ALL)


def test_a_missing_tag_is_a_missing_label(write):
    path = write("a\tB-x\nb\t\nc\tO\nd\t?\ne\tI-x\n")
    found = read(path, delimiter="\t", missing_values=["?"])
    assert [tag for _, tag in found[0]] == ["B-x", "-", "O", "-", "I-x"]


def test_classes_are_those_of_the_training_part(write):
    train = write("a B-x\nb I-x\nc O\n")
    test = write("a B-y\nb I-y\nc B-x\nd I-x\ne O\n", "test.txt")
    files = {"test": test, "train": train}
    with pytest.raises(ValueError, match=r"'B-y' in line 1 of '.*test.txt'.*n"):
        from_conll(files, ["ner"])
    data = from_conll(files, ["ner"], unknown_classes="missing")
    assert data.tasks[0].class_names == ("O", "B-x", "I-x")
    assert list(data.indices) == ["train", "test"] and data.validation is None
    assert data.arrays("test")[1]["ner"].tolist() == [[-1, -1, 1, 2, 0]]
    assert data.arrays()[1]["ner"].tolist() == [[1, 2, 0, -1, -1]]


def test_a_span_with_an_unknown_tag_is_missing(write):
    files = {
        "train": write("a B-x\nb O\n"),
        "test": write("a B-x\nb I-x\nc I-x\nd B-x\ne O\n", "test.txt"),
    }
    data = from_conll(files, ["ner"], unknown_classes="missing")
    assert data.arrays("test")[1]["ner"].tolist() == [[-1, -1, -1, 1, 0]]
    plain = from_conll(
        files, ["ner"], unknown_classes="missing", scheme="plain"
    )
    assert plain.arrays("test")[1]["ner"].tolist() == [[0, -1, -1, 0, 1]]


def test_class_names_of_a_task_are_used(write):
    path = write("a B-x\nb O\n")
    task = SequenceTagging("ner", 3, class_names=["O", "B-y", "B-x"])
    data = from_conll(path, [task], **ALL)
    assert data.tasks == (task,)
    assert data.arrays()[1]["ner"].tolist() == [[2, 0]]
    task = SequenceTagging("ner", 2, class_names=["O", "B-y"])
    with pytest.raises(
        ValueError, match=r"'B-x' in line 1 .*class_names.*'B-y'"
    ):
        from_conll(path, [task], **ALL)
    spec = {"ner": {"kind": "SequenceTagging", "metrics": ["span_f1"]}}
    data = from_conll(path, spec, **ALL)
    assert tuple(data.tasks[0].metrics) == ("span_f1",)
    named = from_conll(path, [SequenceTagging("ner", 2)], **ALL).tasks[0]
    assert named.class_names == ("O", "B-x")
    with pytest.raises(ValueError, match=r"found 2 classes.*num_classes=5"):
        from_conll(path, [SequenceTagging("ner", 5)], **ALL)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"columns": "token"}, TypeError, "`columns` must be a list"),
        ({"columns": ["a", "a", "ner"]}, ValueError, "names 'a' twice"),
        ({"columns": ["a", "ner"]}, ValueError, "3 columns.*names 2"),
        ({"columns": ["a", "b", "c"]}, ValueError, "'ner', which is not in"),
        ({"inputs": "tok"}, ValueError, "`inputs`.*'tok'.*mean 'token'"),
        ({"inputs": "ner"}, ValueError, "which task 'ner' predicts"),
        ({"scheme": "io"}, ValueError, "`scheme`.*'io'"),
        ({"scheme": {"nre": "iob1"}}, ValueError, "'nre'.*mean 'ner'"),
        ({"unknown_classes": "drop"}, ValueError, "'error', 'missing'"),
        ({"missing_values": "_"}, TypeError, r"Pass \['_'\]"),
        ({"group": "doc"}, ValueError, "'document' or None"),
        ({"group": "document"}, ValueError, "several documents, found one"),
        ({"delimiter": ""}, ValueError, "`delimiter`"),
        ({"encoding": "utf9"}, ValueError, "`encoding`"),
        ({"tasks": {"ner": "Classification"}}, ValueError, "SequenceTagging"),
        (
            {"tasks": {"x": ["pos", "ner"]}},
            ValueError,
            "Make one task per column",
        ),
        ({"batch_size": 0}, ValueError, "`batch_size`"),
    ],
)
def test_invalid_arguments(tmp_path, arguments, error, message):
    path = write_conll(tmp_path / "train.txt")
    given = {"tasks": ["ner"], "columns": COLUMNS, **ALL, **arguments}
    with pytest.raises(error, match=message):
        from_conll(path, **given)


def test_invalid_files(tmp_path):
    path = write_conll(tmp_path / "train.txt")
    with pytest.raises(FileNotFoundError, match=r"nothing at.*CoNLL"):
        from_conll(tmp_path / "none", ["ner"])
    with pytest.raises(ValueError, match="'dev'"):
        from_conll({"train": path, "dev": path}, ["ner"])
    with pytest.raises(ValueError, match="expected 'train' among them"):
        from_conll({"test": path}, ["ner"])
    both = {"train": path, "test": path}
    with pytest.raises(ValueError, match=r"`test=0\.5`.*a file for 'test'"):
        from_conll(both, ["ner"], columns=COLUMNS, test=0.5)
    held = from_conll(
        both,
        ["ner"],
        columns=COLUMNS,
        validation=0.25,
        unknown_classes="missing",
    )
    assert {part: len(held.indices[part]) for part in held.indices} == {
        "train": 3,
        "validation": 1,
        "test": 4,
    }


def test_documents_stay_in_one_part(tmp_path, rng):
    documents = []
    for number in range(10):
        rows = [
            [(f"d{number}", "O"), ("x", "B-a")]
            for _ in range(int(rng.integers(1, 4)))
        ]
        documents += [[("-DOCSTART-", "O")], *rows]
    path = write_conll(tmp_path / "f", documents)
    data = from_conll(path, ["ner"], group="document", test=0.3, seed=3)
    found = [
        {sentence.split()[0] for sentence in data.arrays(part)[0]}
        for part in data.indices
    ]
    assert [len(one) for one in found] == [6, 1, 3]
    assert len(set.union(*found)) == 10


def test_a_sentence_of_5000_tokens(tmp_path):
    long = [
        (f"w{step % 7}", "B-a" if step % 2 else "O") for step in range(5000)
    ]
    path = write_conll(tmp_path / "f", [long, long[:2], long[:3]])
    data = from_conll(path, ["ner"], batch_size=1, **ALL)
    widths = sorted(y["ner"].shape[1] for _, y in data.train)
    assert widths == [2, 3, 5000]
    assert (data.arrays()[1]["ner"][0] == np.arange(5000) % 2).all()


def test_it_is_described_and_found_by_name(tmp_path):
    path = write_conll(tmp_path / "train.txt")
    arguments = {"tasks": ["pos", "ner"], "columns": COLUMNS, **ALL}
    data = from_conll(path, **arguments)
    text = str(mtl_keras.datasets.describe(data))
    assert "4 samples" in text and "B-PER: 11.1 %" in text
    named = mtl_keras.datasets.get("from_conll")
    found = [task.class_names for task in named.tasks(path, **arguments)]
    assert found == [task.class_names for task in data.tasks]


def test_a_model_trains_on_it(tmp_path):
    path = write_conll(tmp_path / "train.txt", SENTENCES * 3)
    data = from_conll(
        path, ["pos", "ner"], columns=COLUMNS, batch_size=2, **ALL
    )
    model = mtl_keras.build_text_cls_tag(
        data.input_shape,
        data.tasks,
        vocabulary=mtl_keras.layers.token_ids.count_words(data.arrays()[0]),
        hidden_units=(4,),
        embedding_size=4,
    )
    history = model.fit(data.train, shuffle=False, epochs=2, verbose=0)
    assert history.history["loss"][1] < history.history["loss"][0]
    by_length = model.evaluate(data.train, return_dict=True, verbose=0)
    padded = model.evaluate(*data.arrays(), return_dict=True, verbose=0)
    for name, value in padded.items():
        assert by_length[name] == pytest.approx(value, abs=1e-5), name
