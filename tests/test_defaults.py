"""Docstrings and signatures state the same defaults."""

import ast
import re
from pathlib import Path

import mtl_keras

PACKAGE = Path(mtl_keras.__file__).parent


def documented_functions(tree):
    """Functions of a module with the docstring that explains their arguments.

    That of a class explains those of its `__init__`.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node, ast.get_docstring(node) or ""
        elif isinstance(node, ast.ClassDef):
            for child in node.body:
                if getattr(child, "name", None) == "__init__":
                    yield child, ast.get_docstring(node) or ""


def find_defaults(function):
    """Yields each argument with a default that can be compared.

    What is computed, such as a function, is left out.
    """
    arguments = function.args
    places = [*arguments.posonlyargs, *arguments.args]
    places = places[len(places) - len(arguments.defaults) :]
    found = [
        *zip(places, arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    for argument, default in found:
        try:
            yield argument.arg, ast.literal_eval(default)
        except (ValueError, TypeError):
            continue


def documented_default(argument, docstring):
    """Returns the default that a docstring states, or `None`."""
    _, _, arguments = docstring.partition("Args:")
    text = re.search(
        rf"^ +{argument}: (.*?)(?=^ *\w+:|^\S|\Z)", arguments, re.M | re.S
    )
    said = text and re.search(r"Defaults\s+to\s+`([^`]+)`", text[1])
    try:
        return said and ast.literal_eval(said[1])
    except (ValueError, SyntaxError):
        return None


def test_defaults_are_those_of_the_docstrings():
    compared, wrong = 0, []
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        for function, docstring in documented_functions(tree):
            for argument, default in find_defaults(function):
                said = documented_default(argument, docstring)
                # None stands for a default that is found in the function.
                if said is None or default is None:
                    continue
                compared += 1
                if said != default:
                    where = f"{path.name}:{function.lineno}"
                    wrong.append(f"{where} {argument}={default}, said {said}")
    assert not wrong
    assert compared > 250
