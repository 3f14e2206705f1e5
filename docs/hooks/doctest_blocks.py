"""Shows the examples of docstrings as code.

Markdown takes `>>>` for a quotation. This Griffe extension puts a fence around
each example before mkdocstrings renders the docstring.
"""

import griffe


def fence_examples(text):
    """Puts a fence around each run of lines that begins with `>>>`."""
    lines, inside, indent = [], False, ""
    for line in text.splitlines():
        stripped = line.lstrip()
        if not inside and stripped.startswith(">>>"):
            indent = line[: len(line) - len(stripped)]
            lines.append(f"{indent}```pycon")
            inside = True
        elif inside and not stripped:
            lines.append(f"{indent}```")
            inside = False
        lines.append(line)
    if inside:
        lines.append(f"{indent}```")
    return "\n".join(lines)


class DoctestBlocks(griffe.Extension):
    """Fences the examples of every docstring."""

    def on_object(self, *, obj, **kwargs):
        if obj.docstring:
            obj.docstring.value = fence_examples(obj.docstring.value)
