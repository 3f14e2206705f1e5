"""Nodes in the graph of a functional model."""

from __future__ import annotations

from collections.abc import Iterable

from mtl_keras.keras_compat import node_of


def nodes_behind(tensors: Iterable) -> list:
    """Lists the nodes that lead to tensors, including input nodes.

    Args:
        tensors: Keras tensors.

    Returns:
        A list of nodes without duplicates, the nearest nodes first.
    """
    found, waiting = {}, [node_of(tensor) for tensor in tensors]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found[node] = None
            waiting.extend(map(node_of, node.input_tensors))
    return list(found)


def variables_of(node) -> Iterable:
    """Lists the trainable variables that a node reads.

    Args:
        node: A node.

    Returns:
        The trainable variables of its layer. If the layer has a method
        `variables_of_call`, only those that this call reads.
    """
    operation, arguments = node.operation, node.arguments
    call_variables = getattr(operation, "variables_of_call", None)
    if call_variables is not None:
        return call_variables(*arguments.args, **arguments.kwargs)
    return getattr(operation, "trainable_variables", ())
