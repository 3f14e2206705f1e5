"""The job array of docs/cluster.md, as far as it goes without a cluster."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from small_studies import write_study

from mtl_keras.cli import app

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs" / "cluster" / "tune.sbatch"
BASH = shutil.which("bash")
COMMAND = Path(sys.executable).parent / "mtl-keras"

pytestmark = pytest.mark.skipif(BASH is None, reason="there is no bash")


def tool(folder, name, body):
    path = folder / name
    path.write_text(f"#!{BASH}\n{body}\n")
    path.chmod(0o755)


def start(folder, task, *arguments, **variables):
    """Starts a task of the array where SLURM's programs are in a folder."""
    return subprocess.Popen(
        [BASH, SCRIPT, *map(str, arguments)],
        env={
            **os.environ,
            "PATH": f"{folder}:{os.environ['PATH']}",
            "SLURM_ARRAY_JOB_ID": "4711",
            "SLURM_ARRAY_TASK_ID": str(task),
            **variables,
        },
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(*arguments, **variables):
    process = start(*arguments, **variables)
    output, _ = process.communicate(timeout=60)
    return process.returncode, output


@pytest.fixture
def tools(tmp_path):
    tool(tmp_path, "srun", 'echo "srun $@"; exit "${SRUN_STATUS:-0}"')
    tool(tmp_path, "scontrol", 'echo "scontrol $@"')
    tool(tmp_path, "hostname", "echo host7")
    return tmp_path


def test_it_is_bash_and_the_guide_shows_it():
    subprocess.run([BASH, "-n", SCRIPT], check=True)
    assert SCRIPT.read_text() in (ROOT / "docs" / "cluster.md").read_text()


def test_its_command_and_options_exist():
    text = SCRIPT.read_text().replace("\\\n", " ")
    (line,) = re.findall(r"^srun .*$", text, re.MULTILINE)
    words = shlex.split(line)
    command, *arguments = words[words.index("mtl-keras") + 1 :]
    known = typer.main.get_command(app).commands[command]
    names = {name for option in known.params for name in option.opts}
    used = {word for word in arguments if word.startswith("--")}
    assert used == {"--role", "--oracle", "--output", "--wait-seconds"}
    assert used <= names


def test_its_tasks_are_one_process_each():
    options = dict(
        re.findall(
            r"^#SBATCH --([a-z-]+)(?:=(\S+))?$", SCRIPT.read_text(), re.M
        )
    )
    assert options["ntasks"] == "1"
    assert options["array"].startswith("0-")
    assert {"requeue", "signal", "gpus-per-task"} <= options.keys()


def test_task_0_is_the_chief_and_the_others_find_it(tools):
    output = tools / "shared" / "search"
    oracle = output / "oracle-4711"
    code, said = run(tools, 3, "study", output)
    assert code == 0 and f"--role worker --oracle {oracle}" in said
    code, said = run(tools, 0, "study", output)
    assert code == 0 and f"--role chief --oracle {oracle}" in said
    assert f"--output {output}" in said
    assert oracle.read_text() == "host7:24711\n"
    assert [path.name for path in output.iterdir()] == ["oracle-4711"]


@pytest.mark.parametrize(
    ("status", "count", "again"),
    [("0", "0", False), ("1", "0", True), ("2", "0", False), ("1", "5", False)],
)
def test_queued_again(tools, status, count, again):
    code, said = run(
        *(tools, 2, "study", tools / "search"),
        SRUN_STATUS=status,
        SLURM_RESTART_COUNT=count,
    )
    assert code == int(status)
    assert ("scontrol requeue 4711_2" in said) == again


def test_without_arguments(tools):
    code, said = run(tools, 0)
    assert code != 0 and "path of a study" in said


@pytest.mark.slow
@pytest.mark.skipif(not COMMAND.is_file(), reason="not installed")
def test_an_array_on_this_host(tools):
    """The whole script: a chief and two workers search a study."""
    study = write_study(tools / "study", search={"max_trials": 4}).parent
    tool(tools, "srun", 'exec "$@"')
    tool(tools, "mtl-keras", f'exec "{COMMAND}" "$@"')
    tool(tools, "hostname", "echo 127.0.0.1")
    output = tools / "shared"
    job = {"SLURM_ARRAY_JOB_ID": str(os.getpid()), "CUDA_VISIBLE_DEVICES": "-1"}
    tasks = [start(tools, at, study, output, **job) for at in (2, 1, 0)]
    try:
        said = [task.communicate(timeout=300)[0] for task in tasks]
    finally:
        for task in tasks:
            if task.poll() is None:
                task.kill()
    assert [task.returncode for task in tasks] == [0, 0, 0], said
    assert "The best of 4 trials" in said[2]
    counts = [
        int(re.search(r"(\d+) trials trained", text)[1]) for text in said[:2]
    ]
    assert sum(counts) == 4
    assert (output / "trials.csv").is_file()
