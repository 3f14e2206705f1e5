"""The documentation site builds without warnings and without network."""

import re
import runpy
import subprocess
import sys

import pytest
from markdown_files import ROOT

pytest.importorskip("mkdocs")
pytest.importorskip("mkdocstrings")

# URLs that a browser fetches by itself; links may lead to other sites.
FETCHED = re.compile(
    r"<(?:script|img|iframe)[^>]*\ssrc=\"?(https?:[^\s\">]+)"
    r"|<link[^>]*rel=\"?(?:stylesheet|preconnect|icon)[^>]*"
    r"href=\"?(https?:[^\s\">]+)"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    built = subprocess.run(
        [*command, "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr.replace("WARNING: All log", "")
    return folder


def test_examples_of_docstrings_become_code():
    path = ROOT / "docs" / "hooks" / "doctest_blocks.py"
    hook = runpy.run_path(str(path))
    text = "Adds.\n\n>>> a = [\n...     1\n... ]\n>>> a\n[1]\n\nMore."
    assert hook["fence_examples"](text) == (
        "Adds.\n\n```pycon\n>>> a = [\n...     1\n... ]\n>>> a\n[1]\n```\n\n"
        "More."
    )
    at_the_end = "Example:\n    >>> 1\n    1"
    assert hook["fence_examples"](at_the_end) == (
        "Example:\n    ```pycon\n    >>> 1\n    1\n    ```"
    )


@pytest.mark.slow
def test_pages_fetch_nothing_from_the_network(site):
    for page in site.rglob("*.html"):
        assert not FETCHED.findall(page.read_text(encoding="utf-8")), page


@pytest.mark.slow
def test_reference_shows_every_argument(site):
    import inspect

    import mtl_keras

    page = (site / "reference" / "factories.html").read_text(encoding="utf-8")
    for name in mtl_keras.models.names():
        factory = mtl_keras.models.get(name)
        start = page.index(f'id="{factory.__module__}.{factory.__qualname__}"')
        section = page[start : page.find("<h2", start)]
        for argument in inspect.signature(factory).parameters:
            assert f"<code>{argument}</code>" in section, (name, argument)


@pytest.mark.slow
def test_readme_is_the_first_page(site):
    page = (site / "index.html").read_text(encoding="utf-8")
    assert "make demo" in page
    assert 'href="sharing.html"' in page
