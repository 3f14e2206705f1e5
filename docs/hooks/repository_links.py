"""Brings the files outside `docs/` that pages link to into the site.

In the repository, a guide links to `../benchmarks/studies/results/tox21.csv` or
to `../models/mlp_energy/README.md`. The site holds these files under their path
in the repository, the README as its start page, and the links follow. A link to
source code becomes plain text, because the site has no copy of it.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(?P<text>!?\[[^\]]*\])\((?P<target>[^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
# Pages that no guide needs to link to.
PAGES = ["README.md", "README.zh.md", "CONTRIBUTING.md", "CHANGELOG.md"]
SITE_PATHS = {"README.md": "index.md", "README.zh.md": "index.zh.md"}
SOURCE_CODE = {".py", ""}


def site_path(path):
    """Returns the path in the site of a file of the repository."""
    if path in SITE_PATHS:
        return SITE_PATHS[path]
    return path.removeprefix("docs/")


def repository_path(page):
    """Returns the path in the repository of a page of the site."""
    for path, site_page in SITE_PATHS.items():
        if page == site_page:
            return path
    inside = f"docs/{page}"
    return inside if (ROOT / inside).exists() else page


def resolve(source, target):
    """Returns the linked file and its anchor, or `None` for other links.

    Args:
        source: Path in the repository of the Markdown file with the link.
        target: The link, such as `../models#results`.
    """
    if re.match(r"[a-z]+:", target) or target.startswith("#"):
        return None
    path, _, anchor = target.partition("#")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    if (ROOT / path / "README.md").is_file():
        path = f"{path}/README.md"
    return path, anchor


def is_source_code(path):
    return Path(path).suffix in SOURCE_CODE


def linked_files(pages):
    """Lists the files that pages link to, and those that these link to."""
    found, queue = set(), list(pages)
    while queue:
        path = queue.pop()
        if path in found or is_source_code(path):
            continue
        if not (ROOT / path).is_file():
            continue  # The strict build reports the link.
        found.add(path)
        if path.endswith(".md"):
            text = FENCE.sub("", (ROOT / path).read_text(encoding="utf-8"))
            links = [resolve(path, m["target"]) for m in LINK.finditer(text)]
            queue += [link[0] for link in links if link]
    return found


def on_files(files, config):
    """Adds the linked files of the repository to those of the site."""
    guides = [f"docs/{file.src_uri}" for file in files.documentation_pages()]
    for path in sorted(linked_files(PAGES + guides)):
        if not path.startswith("docs/"):
            files.append(
                File.generated(
                    config, site_path(path), abs_src_path=str(ROOT / path)
                )
            )
    return files


def on_page_markdown(markdown, page, **_):
    """Rewrites the links of a page to paths in the site."""
    source = repository_path(page.file.src_uri)
    folder = posixpath.dirname(page.file.src_uri)

    def rewrite(match):
        link = resolve(source, match["target"])
        if link is None:
            return match[0]
        path, anchor = link
        if is_source_code(path):
            return match["text"][1:-1]
        target = posixpath.relpath(site_path(path), folder or ".")
        return f"{match['text']}({target}{'#' + anchor if anchor else ''})"

    parts, end = [], 0
    for fence in FENCE.finditer(markdown):
        parts += [LINK.sub(rewrite, markdown[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, LINK.sub(rewrite, markdown[end:])])
