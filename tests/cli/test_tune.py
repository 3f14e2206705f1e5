"""`mtl-keras tune`, in this process."""

import csv
import socket

import pytest
from small_studies import write_study

from mtl_keras import tuning


def test_a_study_is_searched_and_resumed(run_command, tmp_path):
    path = write_study(tmp_path / "quick")
    done = run_command("tune", path.parent, "--max-trials", 1)
    assert done.exit_code == 0, done.output
    assert "The best of 1 trials" in done.stdout
    assert "Best: trial " in done.stdout
    assert f"Written to {path.parent}" in done.stdout
    assert (path.parent / "history.png").is_file()
    more = run_command("tune", path)
    assert more.exit_code == 0, more.output
    assert "The best of 2 trials" in more.stdout
    with (path.parent / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    # The best comes first.
    best = max(float(row["classification_accuracy"]) for row in rows)
    table = more.stdout[more.stdout.index("The best of") :]
    assert f"{best:.4g}" in table.splitlines()[4]


@pytest.mark.slow
def test_output_and_front(run_command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write_study(
        tmp_path / "quick",
        search={"objective": ["classification_accuracy", "parameters"]},
    )
    alone = path.rename(tmp_path / "alone.toml")
    done = run_command("tune", alone, "--epochs", 1)
    assert done.exit_code == 0, done.output
    assert "Pareto front of 2 trials" in done.stdout and "*" in done.stdout
    assert (tmp_path / "searches" / "alone" / "trials.csv").is_file()
    output = tmp_path / "elsewhere"
    assert run_command("tune", alone, "--output", output).exit_code == 0
    assert tuning.load_study_recipe(output).name == "alone"


@pytest.mark.slow
def test_two_replicas_score_as_one(run_command, tmp_path, two_replicas):
    study = write_study(tmp_path / "quick")
    rows = {}
    for name, options in (
        ("one", ["--distribution", "none"]),
        ("two", ["--distribution", "mirrored", "--replicas", 2]),
    ):
        output = tmp_path / name
        done = run_command("tune", study, "--output", output, *options)
        assert done.exit_code == 0, done.output
        with (output / "trials.csv").open() as file:
            rows[name] = list(csv.DictReader(file))
    assert len(rows["two"]) == 2
    for found, expected in zip(rows["two"], rows["one"], strict=True):
        assert found["status"] == "completed"
        losses = [key for key in expected if key.endswith("loss")]
        assert losses
        for key in losses:
            value = float(expected[key])
            assert float(found[key]) == pytest.approx(value, rel=1e-4), key


@pytest.mark.parametrize(
    ("command", "tables", "said"),
    [
        ("", {"search": {"tuner": "baysian"}}, "Did you mean 'bayesian'"),
        ("", {"space": {"learning_rat": [1e-3, 1e-2]}}, "'learning_rate'"),
        (
            "",
            {"space": {"learning_rate": {"low": 1.0, "high": 0.1}}},
            "begins above its end",
        ),
        ("", {"space": {"weighting": ["pcgrad", "pcgrid"]}}, "'pcgrad'"),
        ("", {"space": {"hidden_units": [4]}}, "leave one of the two out"),
        pytest.param(
            *("", {"space": {"dropout": [0.0, 0.5]}}, None),
            marks=pytest.mark.slow,
        ),
        ("--max-trials 3", {"space": {"dropout": [0.0, 0.5]}}, "only 2 points"),
        ("--max-trials 0", {}, "'search.max_trials' is 0"),
        ("--workers 0", {}, "--workers"),
        ("--data-argument x=1", {}, "'data.arguments.x'"),
        ("", {"search": {"objective": "val_los"}}, "Did you mean"),
        ("", {"search": {"objective": 3}}, "expected a name such as"),
        ("", {"data": {"name": "energy"}, "tasks": None}, "num_train"),
    ],
)
def test_errors_are_one_line(run_command, tmp_path, command, tables, said):
    path = write_study(tmp_path / "wrong", **tables)
    result = run_command("tune", path, *command.split())
    if said is None:
        assert result.exit_code == 0, result.output
        return
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert [each.name for each in path.parent.iterdir()] == ["study.toml"]


def test_no_study(run_command, tmp_path):
    result = run_command("tune", tmp_path / "nothing")
    assert result.exit_code == 2 and "There is no study file" in result.stderr


def test_when_all_trials_fail_it_ends_with_1(run_command, tmp_path):
    path = write_study(tmp_path / "fails", space={"learning_rate": [1e38]})
    text = path.read_text().replace("max_trials = 2", "max_trials = 1")
    path.write_text(text.replace("epochs = 2", "epochs = 9"))
    result = run_command("tune", path)
    assert result.exit_code == 1, result.output
    assert "All 1 trials failed" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--oracle localhost:5000", "the role of this"),
        ("--role chief", "needs --oracle HOST:PORT"),
        ("--role worker --oracle localhost", "HOST:PORT"),
        ("--role chief --oracle localhost:99999", "from 1 to 65535"),
        ("--role chief --oracle 192.0.2.1:5000", "not an address of this host"),
        ("--role worker --oracle a:1 --workers 2", "once for each worker"),
        ("--role boss --oracle localhost:5000", "--role"),
    ],
)
def test_roles_that_cannot_be_are_one_line(
    run_command, tmp_path, options, said
):
    path = write_study(tmp_path / "quick")
    result = run_command("tune", path, *options.split())
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_port_in_use_and_a_chief_that_is_not_there(run_command, tmp_path):
    path = write_study(tmp_path / "quick")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        oracle = "{}:{}".format(*held.getsockname())
        chief = ("tune", path, "--role", "chief", "--oracle", oracle)
        worker = ("tune", path, "--role", "worker", "--oracle", oracle)
        # Bound, and nobody listens.
        lost = run_command(*worker, "--wait-seconds", 0)
        assert lost.exit_code == 1
        assert "could not be reached" in lost.stderr
        held.listen()
        refused = run_command(*chief)
        assert refused.exit_code == 2 and "is in use" in refused.stderr
    alone = run_command(*chief, "--wait-seconds", 0.1)
    assert alone.exit_code == 1
    assert "No worker has been at" in alone.stderr
    assert (path.parent / "oracle.key").is_file()


@pytest.mark.parametrize("option", ["retry_failed", "overwrite"])
def test_ways_out_of_a_search_that_differs(
    run_command, tmp_path, monkeypatch, option
):
    calls = []

    def run_study(recipe, folder, **how):
        calls.append(how)
        raise ValueError("stopped here")

    monkeypatch.setattr(tuning, "run_study", run_study)
    path = write_study(tmp_path / "quick")
    run_command("tune", path)
    run_command("tune", path, f"--{option.replace('_', '-')}")
    assert [call[option] for call in calls] == [False, True]
