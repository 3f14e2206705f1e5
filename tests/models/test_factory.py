"""The decorator of factories: signature, documentation and unknown names."""

import ast
import inspect
import json
import re
from typing import Unpack, get_type_hints

import keras
import pytest

import mtl_keras
from mtl_keras import models
from mtl_keras.models.build_model import ModelOptions, build_model
from mtl_keras.models.factory import factory


def documented_arguments(build):
    """Returns the text of each argument in the docstring of a factory."""
    (block,) = re.findall(r"^Args:\n((?: .*\n)+)", build.__doc__, re.M)
    entries = re.split(r"^ {4}(\w+): ", block, flags=re.M)[1:]
    texts = (" ".join(text.split()) for text in entries[1::2])
    return dict(zip(entries[::2], texts, strict=True))


def test_help_shows_every_argument_in_the_order_of_the_signature():
    for name in models.names():
        build = models.get(name)
        arguments = documented_arguments(build)
        assert list(arguments) == list(inspect.signature(build).parameters)
        assert all(len(text) > 15 for text in arguments.values()), name
        sections = re.findall(r"^([A-Z]\w+):$", build.__doc__, re.M)
        assert sections[:3] == ["Args", "Returns", "Raises"], name
        assert "Example" in sections
        assert max(map(len, build.__doc__.splitlines())) <= 80


def test_documented_defaults_are_those_of_the_signature():
    compared = 0
    for name in models.names():
        build = models.get(name)
        arguments = documented_arguments(build)
        for parameter in inspect.signature(build).parameters.values():
            text = arguments[parameter.name]
            # None often stands for a default that the body computes.
            if parameter.default is None:
                assert "Defaults to" in text, (name, parameter.name)
                continue
            (value,) = re.findall(r"Defaults to `([^`]+)`", text)
            found = (
                json.loads(value)
                if value[0] == '"'
                else ast.literal_eval(value)
            )
            assert found == parameter.default, (name, parameter.name)
            compared += 1
    assert compared > 200


def test_all_factories_begin_with_the_same_arguments_and_take_all_options():
    options = list(get_type_hints(ModelOptions))
    keywords = inspect.signature(build_model).parameters.values()
    assert options == [p.name for p in keywords if p.kind == p.KEYWORD_ONLY]
    for name in models.names():
        parameters = list(inspect.signature(models.get(name)).parameters)
        assert parameters[:2] == ["input_shape", "tasks"]
        assert parameters[-len(options) - 1 :] == ["name", *options]


def test_an_unknown_argument_is_named_with_the_nearest_one():
    message = (
        r"build_mlp\(\) got an unexpected keyword argument 'hiden_units'. "
        "Did you mean 'hidden_units'"
    )
    with pytest.raises(TypeError, match=message):
        mtl_keras.build_mlp(hiden_units=(4,))


def test_a_docstring_may_explain_a_shared_argument_itself():
    @factory("images", search_space={"name": ["a", "b"]})
    def build_small(
        input_shape=(8, 8, 3), name="small", **options: Unpack[ModelOptions]
    ):
        """Builds a small network.

        It is small.

        Args:
            input_shape: Shape of one image,
                always square. Defaults to
                `(8, 8, 3)`.

        Reference:
            Nobody, 2026.
        """
        return input_shape, name, options

    lines = build_small.__doc__.splitlines()
    assert lines[:6] == [
        "Builds a small network.",
        "",
        "It is small.",
        "",
        "Args:",
        "    input_shape: Shape of one image, always square. Defaults to "
        "`(8, 8, 3)`.",
    ]
    assert '    name: Name of the model. Defaults to `"small"`.' in lines
    assert lines[-2:] == ["Reference:", "    Nobody, 2026."]
    assert build_small.search_space == {"name": ["a", "b"]}
    assert build_small.inputs == "images"
    found = build_small((4, 4, 1), compile=False)
    assert found == ((4, 4, 1), "small", {"compile": False})


def test_an_argument_without_documentation_is_refused():
    def build_secret(input_shape=(8,), secret=1, **options):
        """Builds a network.

        Args:
            input_shape: Shape of one sample.
        """

    with pytest.raises(ValueError, match=r"build_secret: argument 'secret'"):
        factory("vectors")(build_secret)
    with pytest.raises(ValueError, match="Did you mean 'vectors'"):
        factory("vector")


def test_a_docstring_without_arguments_gets_the_shared_ones():
    @factory("vectors")
    def build_plain(input_shape=(8,)):
        """Builds a plain network."""

    assert list(documented_arguments(build_plain)) == ["input_shape"]
    assert build_plain.__doc__.startswith("Builds a plain network.\n\nArgs:\n")


def test_factories_work_without_docstrings():
    def build_plain(input_shape=(8,), **options):
        return options

    build = factory("vectors")(build_plain)
    assert build.__doc__ is None
    assert "optimizer" in inspect.signature(build).parameters
    assert build(optimizer="sgd") == {"optimizer": "sgd"}


def test_an_input_that_is_not_a_shape():
    network = keras.Sequential([keras.Input((8,)), keras.layers.Dense(2)])
    for wrong in ("MobileNet", network, 0.5):
        with pytest.raises(TypeError, match="is not a shape"):
            mtl_keras.build_from_backbone(wrong)
    with pytest.raises(TypeError, match="is not a shape"):
        mtl_keras.build_mlp("784")


def test_tasks_in_the_place_of_the_shape_are_told():
    with pytest.raises(TypeError, match=r"holds tasks.*tasks=\[\.\.\.\]"):
        mtl_keras.build_mlp([mtl_keras.Regression("a")])
