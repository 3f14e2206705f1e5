"""Several workers of one command."""

import pytest

SCRIPT = """
import json, os, sys
task = json.loads(os.environ["TF_CONFIG"])["task"]
print("I am", task["index"], *sys.argv[1:])
raise SystemExit(3 * (task["index"] == 1 and "fail" in sys.argv))
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return path


def test_each_worker_runs_the_command(run_command, script, tmp_path):
    logs = tmp_path / "logs"
    done = run_command(
        *("launch", "--workers", 2, "--logs", logs),
        *("--", script, "--epochs", 3),
    )
    assert done.exit_code == 0, done.output
    assert "I am 0 --epochs 3" in done.stdout
    assert "I am 1" not in done.stdout
    assert (logs / "worker-1.log").read_text() == "I am 1 --epochs 3\n"


def test_a_lost_worker_is_named(run_command, script, tmp_path):
    logs = tmp_path / "logs"
    done = run_command(
        *("launch", "--workers", 2, "--logs", logs, "--grace", 5),
        *("--", script, "fail"),
    )
    assert done.exit_code == 1
    assert "worker-1 was lost (ended with exit code 3)" in done.stderr
    assert str(logs / "worker-1.log") in done.stderr


def test_logs_of_another_start_stay(run_command, script, tmp_path):
    (tmp_path / "worker-0.log").write_text("precious")
    done = run_command(
        *("launch", "--workers", 1, "--logs", tmp_path, "--", script)
    )
    assert isinstance(done.exception, FileExistsError) or done.exit_code == 2
    assert (tmp_path / "worker-0.log").read_text() == "precious"
