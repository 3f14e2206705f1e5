"""The script of docs/cluster.md, as far as it goes without a cluster."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from mtl_keras.cli import app

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs" / "cluster" / "train.sbatch"
SRUN = ROOT / "tests" / "fake_srun.py"
BASH = shutil.which("bash")

pytestmark = pytest.mark.skipif(BASH is None, reason="there is no bash")


def words_of_command():
    """Returns the words of the line that starts the tasks."""
    text = SCRIPT.read_text().replace("\\\n", " ")
    (line,) = re.findall(r"^srun .*$", text, re.MULTILINE)
    return shlex.split(line)


def options_of_job():
    """Returns the #SBATCH options by name."""
    text = SCRIPT.read_text()
    found = re.findall(r"^#SBATCH --([a-z-]+)(?:=(\S+))?$", text, re.MULTILINE)
    assert len(found) == text.count("#SBATCH")
    return dict(found)


def test_it_is_bash():
    subprocess.run([BASH, "-n", SCRIPT], check=True)


def test_its_command_and_options_exist():
    words = words_of_command()
    command, *arguments = words[words.index("mtl-keras") + 1 :]
    known = typer.main.get_command(app).commands[command]
    names = {name for option in known.params for name in option.opts}
    used = {word for word in arguments if word.startswith("--")}
    assert {"--distribution", "--output", "--resume"} <= used <= names
    assert arguments[arguments.index("--distribution") + 1] == "multi_worker"


def test_tasks_match_the_resolver():
    options = options_of_job()
    srun = words_of_command()
    assert int(options["nodes"]) > 1
    # One task sees all GPUs of its host; more would have to share them out.
    assert options["ntasks-per-node"] == "1"
    assert int(options["gpus-per-node"]) >= 1
    assert "gpus-per-task" not in options
    # Tasks are numbered host by host.
    assert "--distribution=block" in srun
    # A task that has lost another one must not be left waiting.
    assert "--kill-on-bad-exit=1" in srun
    assert {"requeue", "signal"} <= options.keys()


def test_the_guide_shows_it():
    assert SCRIPT.read_text() in (ROOT / "docs" / "cluster.md").read_text()


def tool(folder, name, body):
    path = folder / name
    path.write_text(f"#!{BASH}\n{body}\n")
    path.chmod(0o755)


def run_script(folder, *arguments, **variables):
    """Runs the script with `srun`, `scontrol` and `mtl-keras` in a folder."""
    return subprocess.run(
        [BASH, SCRIPT, *map(str, arguments)],
        env={
            **os.environ,
            "PATH": f"{folder}:{os.environ['PATH']}",
            "SLURM_JOB_ID": "4711",
            **variables,
        },
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=400,
    )


@pytest.mark.parametrize(
    ("status", "count", "again"),
    [
        ("0", "0", False),
        ("1", "0", True),
        ("137", "4", True),
        ("2", "0", False),
        ("1", "5", False),
    ],
)
def test_queued_again(tmp_path, status, count, again):
    tool(tmp_path, "srun", f"exit {status}")
    tool(tmp_path, "scontrol", 'echo "scontrol $@"')
    done = run_script(
        tmp_path, "recipe.toml", "runs/a", SLURM_RESTART_COUNT=count
    )
    assert done.returncode == int(status)
    assert ("scontrol requeue 4711" in done.stdout) == again


def test_without_arguments(tmp_path):
    tool(tmp_path, "srun", "exit 0")
    done = run_script(tmp_path)
    assert done.returncode != 0
    assert "path of a recipe" in done.stderr


@pytest.mark.slow
def test_two_tasks_on_this_host(tmp_path, recipe_path):
    """The whole script: `srun` starts two tasks, which train together."""
    try:
        socket.getaddrinfo("localhost", None)
    except OSError:
        pytest.skip("this host does not know localhost")
    command = Path(sys.executable).parent / "mtl-keras"
    tool(tmp_path, "srun", f'exec "{sys.executable}" "{SRUN}" "$@"')
    tool(tmp_path, "mtl-keras", f'exec "{command}" "$@"')
    tool(tmp_path, "scontrol", 'echo "scontrol $@"')
    variables = {
        "FAKE_SRUN_TASKS": "2",
        "SLURM_JOB_ID": str(os.getpid()),  # for ports of its own
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CONFIG": "",
        "MTL_KERAS_DEBUG": "1",
    }
    output = tmp_path / "shared" / "run"
    done = run_script(tmp_path, recipe_path, output, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["seeds"] == [0, 1]
    # One task speaks, one writes.
    assert done.stdout.count("Written to") == 1
    before = {p: p.stat().st_mtime_ns for p in output.rglob("model.keras")}
    assert len(before) == 2
    # Queued again after it was complete: nothing is trained again.
    again = run_script(tmp_path, recipe_path, output, **variables)
    assert again.returncode == 0, again.stdout + again.stderr
    assert before == {p: p.stat().st_mtime_ns for p in before}
