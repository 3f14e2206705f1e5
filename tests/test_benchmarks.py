"""Benchmarks are run by `make bench`, and studies are quoted by a document."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"
STUDIES = BENCHMARKS / "studies"
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "models").rglob("*.md")),
    *sorted((ROOT / "tuning").rglob("*.md")),
]
TEXTS = {path: path.read_text(encoding="utf-8") for path in DOCUMENTS}


def reached(folder, scripts):
    """Adds the files of a folder that scripts import or run."""
    found = set()
    while scripts:
        name = scripts.pop()
        found.add(name)
        text = (folder / f"{name}.py").read_text(encoding="utf-8")
        named = re.findall(r"^(?:import|from) (\w+)|\"(\w+)\.py\"", text, re.M)
        names = {module or file for module, file in named}
        scripts |= {n for n in names - found if (folder / f"{n}.py").is_file()}
    return found


def test_make_bench_runs_every_benchmark():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    scripts = set(re.findall(r"python benchmarks/(\w+)\.py", text))
    assert {path.stem for path in BENCHMARKS.glob("*.py")} == reached(
        BENCHMARKS, scripts
    )


def test_a_document_names_every_study():
    text = "\n".join(TEXTS.values())
    scripts = set(re.findall(r"benchmarks/studies/(\w+)\.py", text))
    assert {path.stem for path in STUDIES.glob("*.py")} == reached(
        STUDIES, scripts
    )


def test_documents_name_files_that_exist():
    files = [*ROOT.glob("mtl_keras/**/*.py"), *BENCHMARKS.glob("**/*.py")]
    texts = TEXTS | {path: path.read_text(encoding="utf-8") for path in files}
    for path, text in texts.items():
        for name in re.findall(r"benchmarks/[\w/]+\.py", text):
            assert (ROOT / name).is_file(), f"{path.name} names {name}"


def test_links_to_results_work():
    for path, text in TEXTS.items():
        for link in re.findall(r"\]\(([^)]*benchmarks/[^)]*)\)", text):
            assert (path.parent / link).exists(), f"{path.name} links {link}"


@pytest.mark.parametrize("folder", [BENCHMARKS, STUDIES])
def test_results_lie_beside_the_script_that_writes_them(folder):
    scripts = [p.read_text(encoding="utf-8") for p in folder.glob("*.py")]
    for path in (folder / "results").glob("*.csv"):
        # `single_tasks_<entry>` is named after what was measured.
        name = path.stem.removesuffix("_sequence_spoken_digits")
        assert any(name in text for text in scripts), path.name
