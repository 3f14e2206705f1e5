"""Decorator of factories: completes their signature and documentation."""

from __future__ import annotations

import functools
import inspect
import json
import re
import textwrap
from collections.abc import Callable, Mapping
from typing import ParamSpec

from mtl_keras.models.build_model import ModelOptions, build_model
from mtl_keras.models.shared_arguments import SHARED_ARGUMENTS
from mtl_keras.spelling import did_you_mean
from mtl_keras.training import MultiTaskModel

P = ParamSpec("P")

_RESULT = """\
Returns:
    A compiled `MultiTaskModel` whose outputs are named after the tasks.

Raises:
    TypeError: If an argument has the wrong type.
    ValueError: If an argument is out of range, or contradicts another.
"""
_ARGS = re.compile(r"^Args:\n((?: {4}.*\n|\n(?= ))*)", re.M)
_NAME = re.compile(r"^(\w+): ", re.M)


def factory(
    inputs: str, *, search_space: Mapping | None = None
) -> Callable[[Callable[P, MultiTaskModel]], Callable[P, MultiTaskModel]]:
    """Marks a function as a factory and completes its documentation.

    A factory ends in `**options: Unpack[ModelOptions]`, which it passes on to
    `build_model`. Its docstring explains only the arguments that are special
    to it. `help()` and `inspect.signature()` show all of them: the options one
    by one, and the text of shared arguments, `Returns` and `Raises`. A type
    checker reads the options from `ModelOptions`.

    Args:
        inputs: What one sample is: `"vectors"`, `"images"`, `"sequences"` or
            `"text"`. Selects the text of `input_shape` and of other shared
            arguments (see `shared_arguments.py`).
        search_space: Dict of the values that `mtl_keras.tuning` searches in
            addition to its usual choices, or in place of them. Defaults to
            `None`.

    Returns:
        A decorator.

    Raises:
        ValueError: If `inputs` is unknown, or an argument has no documentation.
    """
    if inputs not in SHARED_ARGUMENTS:
        raise ValueError(
            f"factory: unknown inputs {inputs!r}. "
            f"{did_you_mean(inputs, SHARED_ARGUMENTS)}"
        )

    def decorate(build: Callable[P, MultiTaskModel]):
        signature = _signature(build)
        if build.__doc__:  # python -OO removes docstrings
            build.__doc__ = _documentation(build, signature, inputs)
        build.__signature__ = signature
        build.inputs = inputs
        build.search_space = dict(search_space or {})

        @functools.wraps(build)
        def checked(*args: P.args, **kwargs: P.kwargs) -> MultiTaskModel:
            for name in kwargs:
                if name not in signature.parameters:
                    raise TypeError(
                        f"{build.__name__}() got an unexpected keyword "
                        f"argument {name!r}. "
                        f"{did_you_mean(name, signature.parameters)}"
                    )
            return build(*args, **kwargs)

        return checked

    return decorate


def _signature(build: Callable) -> inspect.Signature:
    """Returns the signature of a factory with each option in it."""
    signature = inspect.signature(build)
    own = [p for p in signature.parameters.values() if p.kind != p.VAR_KEYWORD]
    if len(own) == len(signature.parameters):
        return signature
    passed_on = inspect.signature(build_model).parameters.values()
    options = [p for p in passed_on if p.kind == p.KEYWORD_ONLY]
    return signature.replace(parameters=[*own, *options])


def _documentation(
    build: Callable, signature: inspect.Signature, inputs: str
) -> str:
    """Returns the docstring of a factory with the text of each argument."""
    before, own, after = _split(build.__doc__)
    _, options, _ = _split(ModelOptions.__doc__)
    shared = SHARED_ARGUMENTS[inputs] | options
    entries = []
    for name, parameter in signature.parameters.items():
        if name not in own and name not in shared:
            raise ValueError(
                f"{build.__name__}: argument {name!r} has no documentation. "
                "Explain it in the Args of the docstring."
            )
        text = own.get(name) or f"{shared[name]} {_default(parameter)}"
        entries.append(_entry(name, text))
    return "\n".join([f"{before}Args:", *entries, "", _RESULT, after])


def _split(docstring: str) -> tuple[str, dict[str, str], str]:
    """Returns the text of each argument, and the docstring around them."""
    docstring = inspect.cleandoc(docstring) + "\n"
    if not _ARGS.search(docstring):
        return f"{docstring}\n", {}, ""
    before, block, after = _ARGS.split(docstring, maxsplit=1)
    _, *parts = _NAME.split(textwrap.dedent(block))
    texts = (" ".join(text.split()) for text in parts[1::2])
    arguments = dict(zip(parts[::2], texts, strict=True))
    return before, arguments, after.lstrip()


def _default(parameter: inspect.Parameter) -> str:
    default = parameter.default
    text = json.dumps(default) if isinstance(default, str) else repr(default)
    return f"Defaults to `{text}`."


def _entry(name: str, text: str) -> str:
    return textwrap.fill(
        f"{name}: {text}",
        width=80,
        initial_indent=" " * 4,
        subsequent_indent=" " * 8,
        break_long_words=False,
        break_on_hyphens=False,
    )
