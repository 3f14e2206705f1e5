"""The graph behind a tensor; the tests say when Keras keeps it elsewhere."""

import keras

from mtl_keras.graph_nodes import node_of, nodes_behind


def test_a_node_knows_its_layer_arguments_and_tensors():
    first, second = keras.Input((3,)), keras.Input((3,))
    add = keras.layers.Add()
    total = add([first, second])
    node = node_of(total)
    assert node.operation is add
    assert not node.is_input
    assert [id(x) for x in node.input_tensors] == [id(first), id(second)]
    assert [id(x) for x in node.outputs] == [id(total)]
    assert node_of(first).is_input


def test_a_layer_that_is_called_twice_has_two_nodes():
    x = keras.Input((3,))
    dense = keras.layers.Dense(3)
    once = dense(x)
    twice = dense(once, training=False)
    assert node_of(once) is not node_of(twice)
    assert node_of(twice).arguments.kwargs == {"training": False}


def test_all_nodes_behind_tensors_are_found_once_and_no_others():
    x = keras.Input((3,), name="data")
    trunk = keras.layers.Dense(3, name="trunk")(x)
    a = keras.layers.Dense(1, name="a")(trunk)
    b = keras.layers.Dense(1, name="b")(trunk)
    keras.layers.Dense(1, name="c")(trunk)
    found = [node.operation.name for node in nodes_behind([a, b])]
    assert sorted(found) == sorted(["a", "b", "trunk", "data"])
