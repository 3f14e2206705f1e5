"""A factory is recognized by its version or its source."""

import functools
import importlib.metadata

import keras_tuner
from tuning_problem import build, build_eager

import mtl_keras
from mtl_keras.tuning.factory_source import describe_factory


def test_factories_of_the_library_have_a_version():
    assert describe_factory(mtl_keras.build_mlp) == {
        "name": "build_mlp",
        "version": importlib.metadata.version("mtl-keras"),
    }


def test_custom_factories_have_a_digest_of_their_source():
    first, again = describe_factory(build), describe_factory(build)
    assert first == again
    assert first["name"] == "build" and len(first["source"]) == 16
    assert first["source"] != describe_factory(build_eager)["source"]


def test_code_without_a_source_is_known_by_its_name():
    scope = {}
    exec("def made(width): pass", scope)
    assert describe_factory(scope["made"]) == {"name": "made", "source": None}


def test_a_lambda_does_not_depend_on_the_call_around_it():
    first = describe_factory(lambda width: width + 1)
    again = describe_factory(
        lambda width: width + 1  # in another place
    )
    other = describe_factory(lambda width: width + 2)
    assert first == again != other


class Model(keras_tuner.HyperModel):
    def __init__(self, width):
        super().__init__()
        self.width = width


def test_objects_and_partial_functions_have_their_arguments():
    assert describe_factory(Model(3)) == describe_factory(Model(3))
    assert describe_factory(Model(3)) != describe_factory(Model(4))
    first, again, other = (
        describe_factory(functools.partial(build, trunk_width=width))
        for width in (3, 3, 4)
    )
    assert first == again != other
