"""The graph behind a tensor; the tests fail if Keras moves it."""

import keras

from mtl_keras.graph_nodes import find_ancestor_nodes, get_node


def test_a_node_knows_its_layer_arguments_and_tensors():
    first, second = keras.Input((3,)), keras.Input((3,))
    add = keras.layers.Add()
    total = add([first, second])
    node = get_node(total)
    assert node.operation is add
    assert not node.is_input
    assert [id(x) for x in node.input_tensors] == [id(first), id(second)]
    assert [id(x) for x in node.outputs] == [id(total)]
    assert get_node(first).is_input


def test_a_layer_that_is_called_twice_has_two_nodes():
    x = keras.Input((3,))
    dense = keras.layers.Dense(3)
    once = dense(x)
    twice = dense(once, training=False)
    assert get_node(once) is not get_node(twice)
    assert get_node(twice).arguments.kwargs == {"training": False}


def test_all_nodes_behind_tensors_are_found_once_and_no_others():
    x = keras.Input((3,), name="data")
    trunk = keras.layers.Dense(3, name="trunk")(x)
    a = keras.layers.Dense(1, name="a")(trunk)
    b = keras.layers.Dense(1, name="b")(trunk)
    keras.layers.Dense(1, name="c")(trunk)
    found = [node.operation.name for node in find_ancestor_nodes([a, b])]
    assert sorted(found) == sorted(["a", "b", "trunk", "data"])
