"""Describes the code of a factory."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import inspect
import types

from mtl_keras import models
from mtl_keras.tuning.best_recipe import is_plain


def describe_factory(factory) -> dict[str, str | None]:
    """Describes the code of a factory, to recognize that it changed.

    Args:
        factory: The factory: one of `mtl_keras.models`, a function, or an
            object such as a `keras_tuner.HyperModel`.

    Returns:
        Dict of `name`, and of `version` for a factory of this library or
        `source`, a digest, for other code. `source` is `None` where Python
        has no source.
    """
    name = getattr(factory, "__name__", type(factory).__name__)
    if name in models.names() and models.get(name) is factory:
        version = importlib.metadata.version("mtl-keras")
        return {"name": name, "version": version}
    if isinstance(factory, functools.partial):
        arguments = {
            **{str(at): value for at, value in enumerate(factory.args)},
            **factory.keywords,
        }
        return {
            **describe_factory(factory.func),
            "arguments": _plain(arguments),
        }
    if inspect.isroutine(factory) or inspect.isclass(factory):
        return {"name": name, "source": _source(factory)}
    return {
        "name": name,
        "source": _source(type(factory)),
        "attributes": _plain(getattr(factory, "__dict__", {})),
    }


def _plain(values: dict) -> str:
    return repr({n: v for n, v in sorted(values.items()) if is_plain(v)})


def _source(code) -> str | None:
    if getattr(code, "__name__", "") == "<lambda>":
        # The source of a lambda has the whole call that it is a part of.
        text = repr(_instructions(code.__code__))
    else:
        try:
            text = inspect.getsource(code)
        except (OSError, TypeError):
            return None
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _instructions(code: types.CodeType) -> list:
    constants = [
        _instructions(each) if isinstance(each, types.CodeType) else repr(each)
        for each in code.co_consts
    ]
    return [code.co_code, code.co_names, code.co_varnames, constants]
