"""Writes the reference pages: one section for each public name of a room.

A page in `docs/reference` has the line `::: mtl_keras.tasks`. Before
mkdocstrings renders it, this hook replaces the line by the names that
`mtl_keras.tasks.__all__` lists. The names come from the imported package,
because some rooms fill `__all__` from a registry, and some functions have the
name of their module.
"""

import importlib
import inspect
import re
import sys

ROOM = re.compile(r"^::: (?P<room>[\w.]+)$", re.MULTILINE)
# Methods that Keras calls by itself.
CALLED_BY_KERAS = {
    "add_state",
    "build",
    "build_from_config",
    "build_optimizer",
    "call",
    "compile_from_config",
    "compute_mask",
    "compute_output_shape",
    "compute_output_spec",
    "from_config",
    "get_compile_config",
    "get_config",
    "load_own_variables",
    "make_test_function",
    "make_train_function",
    "reset_state",
    "result",
    "save_own_variables",
    "update_state",
}


def public_names(module):
    """Lists the public names of a module, sorted."""
    names = getattr(module, "__all__", None)
    if names is None:
        names = [
            name
            for name, value in vars(module).items()
            if not name.startswith("_")
            and getattr(value, "__module__", None) == module.__name__
        ]
    return sorted(names, key=str.lower)


def members(cls):
    """Lists the public methods and properties that a class documents."""
    return sorted(
        name
        for name, value in vars(cls).items()
        if not name.startswith("_")
        and name not in CALLED_BY_KERAS
        and not (name.startswith("on_") and hasattr(cls, "set_model"))
        and isinstance(
            value, (property, staticmethod, classmethod, type(members))
        )
        and value.__doc__
    )


def section(name, value, level=2):
    """Returns the Markdown of one public name."""
    if inspect.ismodule(value):
        inside = [
            section(inner, getattr(value, inner), level + 1)
            for inner in public_names(value)
        ]
        return "\n".join([f"## {name}\n\n{value.__doc__}\n", *inside])
    if not hasattr(value, "__qualname__"):
        return f"## {name}\n\n{inspect.getdoc(value)}\n"
    path = f"{value.__module__}.{value.__qualname__}"
    if path in sys.modules:
        raise ValueError(
            f"{path!r} is a {type(value).__name__} and a module, and the "
            "reference would show the module. Rename the module."
        )
    lines = [
        f"::: {path}",
        "    options:",
        f"      heading_level: {level}",
    ]
    if inspect.isclass(value):
        listed = "".join(f"\n        - {name}" for name in members(value))
        lines.append(f"      members:{listed or ' false'}")
    return "\n".join(lines) + "\n"


def expand(match):
    module = importlib.import_module(match["room"])
    return "\n".join(
        section(name, getattr(module, name)) for name in public_names(module)
    )


def on_page_markdown(markdown, page, **_):
    """Replaces the room of a reference page by its public names."""
    if not page.file.src_uri.startswith("reference/"):
        return markdown
    return ROOM.sub(expand, markdown)
