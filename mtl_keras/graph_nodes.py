"""Nodes in the graph of a functional model."""

from __future__ import annotations

from collections.abc import Iterable

from mtl_keras.keras_compat import get_node


def find_ancestor_nodes(tensors: Iterable) -> list:
    """Lists the nodes that lead to tensors, including input nodes.

    Args:
        tensors: Keras tensors.

    Returns:
        A list of nodes without duplicates, the nearest nodes first.
    """
    found, waiting = {}, [get_node(tensor) for tensor in tensors]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found[node] = None
            waiting.extend(map(get_node, node.input_tensors))
    return list(found)


def get_node_variables(node) -> Iterable:
    """Lists the trainable variables that a node reads.

    Args:
        node: A node.

    Returns:
        The trainable variables of its layer. If the layer has a method
        `call_variables`, only those that this call reads.
    """
    operation, arguments = node.operation, node.arguments
    call = getattr(operation, "call_variables", None)
    if call is not None:
        return call(*arguments.args, **arguments.kwargs)
    return getattr(operation, "trainable_variables", ())
