"""Task gradients against plain automatic differentiation, on all factories."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import SHARING, build_small, mostly_slow, random_data
from holes import make_holes

import mtl_keras
from mtl_keras.tasks import Classification, Regression
from mtl_keras.training.gradients.shared_graph import split_shared_graph
from mtl_keras.weighting import Weighting

# Of as many tasks as a model has.
WEIGHTS = (0.3, 1.7, 0.6)


@keras.saving.register_keras_serializable("tests")
class FixedWeights(Weighting):
    """Weights that are given, and a Gramian that is kept."""

    def __init__(self, values=(), name=None):
        super().__init__(name=name)
        self.values = tuple(values)

    def build(self, task_names):
        super().build(task_names)
        count = len(task_names)
        self.gramian = self.add_state("gramian", (count, count))
        self.losses = self.add_state("losses", (count,))

    def weights(self, losses, gramian):
        self.gramian.assign(gramian)
        self.losses.assign(losses)
        return tf.constant(self.values[: len(self.task_names)], "float32")

    def get_config(self):
        return {**super().get_config(), "values": self.values}


@keras.saving.register_keras_serializable("tests")
class SumOfRows(Weighting):
    """The Jacobian's rows, summed."""

    def aggregate(self, losses, jacobian):
        return tf.reduce_sum(jacobian, axis=0), tf.ones_like(losses)


def plain_gradients(model, x, y):
    """Computes each task's gradients with a separate tape."""
    rows = {}
    for task in model.tasks:
        with tf.GradientTape() as tape:
            y_pred = model(x, training=True)[task.name]
            weight = model.loss_weights[task.name]
            loss = weight * task.loss(y[task.name], y_pred)
        variables = [v.value for v in model.trainable_variables]
        rows[task.name] = [
            # Of an embedding it is some rows.
            None if gradient is None else tf.convert_to_tensor(gradient)
            for gradient in tape.gradient(loss, variables)
        ]
    return rows


def shared_and_own(model, rows):
    """Returns the shared variables, and those of each task."""
    owners = [
        [name for name, row in rows.items() if row[index] is not None]
        for index in range(len(model.trainable_variables))
    ]
    return owners


def descend(model, x, y):
    """Returns the gradients that a step of SGD at rate 1 went along."""
    before = [v.numpy() for v in model.trainable_variables]
    model.train_on_batch(x, y)
    pairs = zip(before, model.trainable_variables, strict=True)
    return [old - v.numpy() for old, v in pairs]


def build_compiled(
    name, weighting, *, gradients="parameters", eager=False, **arguments
):
    """Returns a small model that descends at rate 1 without other losses."""
    model = build_small(name, normalization=None, **arguments)
    model.compile(
        keras.optimizers.SGD(1.0),
        weighting=weighting,
        gradients=gradients,
        loss_weights={model.tasks[0].name: 0.5},
        run_eagerly=eager,
    )
    return model


def test_the_graph_parts_where_plain_gradients_do(graph_factory, rng):
    model = build_small(graph_factory, compile=False)
    model.compile(metrics={task.name: [] for task in model.tasks})
    x, y = random_data(model, 4, rng)
    graph = split_shared_graph(model)
    owners = shared_and_own(model, plain_gradients(model, x, y))
    for variable, names in zip(model.trainable_variables, owners, strict=True):
        assert (len(names) > 1) == any(variable is v for v in graph.shared)
        for name in graph.task_variables:
            own = any(variable is v for v in graph.task_variables[name])
            assert own == (names == [name])


@pytest.mark.parametrize(
    "normalization", mostly_slow([None, "batch"], ["batch"])
)
@pytest.mark.parametrize(
    "sharing_factory",
    mostly_slow(SHARING, ["build_esmm", "build_mlp", "build_ple"]),
)
def test_the_parts_compute_what_the_model_does(
    sharing_factory, normalization, rng
):
    model = build_small(sharing_factory, normalization=normalization)
    x, _ = random_data(model, 4, rng)
    graph = split_shared_graph(model)
    found = graph.outputs(keras.tree.flatten(graph.trunk(x)))
    for name, values in model(x).items():
        np.testing.assert_allclose(found[name], values, atol=1e-6)


@pytest.mark.parametrize(
    "sharing_factory",
    # One that is traced, and those whose graph is of another kind.
    mostly_slow(
        SHARING,
        [
            "build_hierarchical_mlp",
            "build_mlp",
            "build_ple",
        ],
    ),
)
def test_the_gramian_equals_plain_autodiff(sharing_factory, rng):
    weighting = FixedWeights(WEIGHTS)
    # What factories differ in is their graph, which is there without a trace.
    eager = sharing_factory != "build_mlp"
    model = build_compiled(sharing_factory, weighting, eager=eager)
    x, y = random_data(model, 6, rng)
    rows = plain_gradients(model, x, y)
    owners = shared_and_own(model, rows)
    weight_of = dict(zip(weighting.task_names, WEIGHTS, strict=False))
    expected = []
    jacobian = {name: [] for name in rows}
    for index, names in enumerate(owners):
        if len(names) == 1:
            expected.append(rows[names[0]][index].numpy())
            continue
        expected.append(sum(weight_of[n] * rows[n][index] for n in names))
        for name, row in rows.items():
            size = model.trainable_variables[index].shape.num_elements()
            gradient = row[index].numpy() if name in names else np.zeros(size)
            jacobian[name].append(gradient.ravel())
    matrix = np.stack([np.concatenate(j) for j in jacobian.values()])
    order = [list(jacobian).index(t) for t in weighting.task_names]
    moved = descend(model, x, y)
    for found, wanted in zip(moved, expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=2e-6)
    gramian = (matrix @ matrix.T)[np.ix_(order, order)]
    np.testing.assert_allclose(weighting.gramian, gramian, rtol=1e-4)


def test_features_give_the_inner_products_at_the_frontier(
    sharing_engine_factory, rng
):
    weighting = FixedWeights(WEIGHTS)
    model = build_compiled(
        sharing_engine_factory, weighting, gradients="features"
    )
    exact = build_compiled(sharing_engine_factory, FixedWeights(WEIGHTS))
    exact.set_weights(model.get_weights())
    x, y = random_data(model, 6, rng)
    graph = split_shared_graph(model)
    features = [tf.constant(z) for z in keras.tree.flatten(graph.trunk(x))]
    rows = []
    for name in weighting.task_names:
        (task,) = (task for task in model.tasks if task.name == name)
        with tf.GradientTape() as tape:
            tape.watch(features)
            y_pred = graph.outputs(features)[name]
            loss = model.loss_weights[name] * task.loss(y[name], y_pred)
        found = tape.gradient(loss, features)
        rows.append(
            np.concatenate(
                [
                    np.zeros(np.size(z)) if g is None else np.ravel(g)
                    for g, z in zip(found, features, strict=True)
                ]
            )
        )
    expected = np.array(rows) @ np.array(rows).T
    # With the same weights, the update is the same in both modes.
    for found, wanted in zip(
        descend(model, x, y), descend(exact, x, y), strict=True
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=2e-6)
    np.testing.assert_allclose(weighting.gramian, expected, rtol=1e-4)


@pytest.mark.parametrize(
    "weighting",
    [
        pytest.param(lambda: "equal", id="combine"),
        pytest.param(
            lambda: FixedWeights((1.0, 1.0, 1.0)),
            id="weights",
            marks=pytest.mark.slow,
        ),
        pytest.param(SumOfRows, id="aggregate", marks=pytest.mark.slow),
        pytest.param(
            lambda: ("features", FixedWeights((1.0, 1.0, 1.0))),
            id="features",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_neutral_weightings_equal_the_plain_step(
    sharing_engine_factory, weighting, rng
):
    """With BatchNormalization, Dropout, regularization and missing labels."""
    weighting = weighting()
    gradients = "parameters"
    if isinstance(weighting, tuple):
        gradients, weighting = weighting
    options = {"normalization": "batch", "dropout": 0.3, "l2": 0.01}
    # Keras clips the gradient of an embedding by another norm, see below.
    embeds = sharing_engine_factory == "build_text_cls_tag"
    clipnorm = None if embeds else 1.0
    results = []
    data = None
    for choice in (None, weighting):
        keras.utils.set_random_seed(3)
        model = build_small(sharing_engine_factory, **options)
        model.compile(
            keras.optimizers.SGD(0.1, clipnorm=clipnorm, use_ema=True),
            weighting=choice,
            gradients=gradients if choice is not None else "parameters",
        )
        if data is None:
            x, y = random_data(model, 16, rng)
            y = {
                task.name: make_holes(
                    task, y[task.name], model.task_output_shapes[task.name], rng
                )
                for task in model.tasks
            }
            data = x, y
        history = model.fit(
            *data, batch_size=8, epochs=2, shuffle=False, verbose=0
        ).history
        results.append((history, model.get_weights()))
    (plain, theirs), (logged, ours) = results
    for key, values in plain.items():
        np.testing.assert_allclose(logged[key], values, rtol=1e-4, atol=1e-5)
    for name in (task.name for task in model.tasks):
        # A loss of 0 is that of a task without labels, which has no weight.
        weights = {1.0} if model.loss_weights[name] else {0.0, 1.0}
        assert set(logged[f"weight/{name}"]) <= weights
    for one, other in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-6)


@pytest.mark.slow
def test_the_gradient_of_an_embedding_is_clipped_by_its_own_norm():
    """Keras takes the norm of the parts that words add to it, which is another.

    When this fails for the plain step, Keras has changed, and the test above
    need not leave out clipping.
    """
    steps = {}
    for choice in (None, FixedWeights((1.0, 1.0))):
        for clipnorm in (None, 0.01):
            keras.utils.set_random_seed(3)
            model = build_small("build_text_cls_tag")
            model.compile(
                keras.optimizers.SGD(1.0, clipnorm=clipnorm),
                weighting=choice,
                run_eagerly=True,
            )
            x, y = random_data(model, 8, np.random.default_rng(0))
            embedding = model.get_layer("trunk_embedding").embeddings
            before = embedding.numpy()
            model.fit(x, y, batch_size=8, verbose=0)
            steps[choice is None, clipnorm] = embedding.numpy() - before
    free = steps[False, None]
    np.testing.assert_allclose(free, steps[True, None], atol=1e-6)
    expected = free / np.linalg.norm(free) * 0.01
    np.testing.assert_allclose(steps[False, 0.01], expected, atol=1e-6)
    assert abs(np.linalg.norm(steps[True, 0.01]) - 0.01) > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize(
    "gradients",
    ["parameters", "features"],
)
def test_two_replicas_equal_one(
    sharing_engine_factory, gradients, rng, two_replicas
):
    options = {"normalization": None, "l2": 0.01}

    def build():
        model = build_small(sharing_engine_factory, **options)
        weighting = FixedWeights(WEIGHTS)
        model.compile(
            keras.optimizers.SGD(0.1, global_clipnorm=0.5),
            weighting=weighting,
            gradients=gradients,
        )
        return model, weighting

    model, alone = build()
    with two_replicas.scope():
        twin, spread = build()
    twin.set_weights(model.get_weights())
    x, y = random_data(model, 16, rng)
    y = {
        task.name: make_holes(
            task, y[task.name], model.task_output_shapes[task.name], rng
        )
        for task in model.tasks
    }
    for copy in (model, twin):
        copy.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(spread.gramian, alone.gramian, rtol=2e-4)
    np.testing.assert_allclose(spread.losses, alone.losses, rtol=1e-4)
    for mine, theirs in zip(
        model.get_weights(), twin.get_weights(), strict=True
    ):
        np.testing.assert_allclose(theirs, mine, rtol=1e-4, atol=2e-6)


def test_a_layer_that_both_heads_call_is_shared(rng):
    """Its parameters lie beyond the frontier, and are shared all the same."""
    inputs = keras.Input((4,))
    trunk = keras.layers.Dense(5, "tanh")(inputs)
    siamese = keras.layers.Dense(5, "tanh", name="siamese")
    tasks = [Regression("a"), Classification("b", 3)]
    branches = [siamese(keras.layers.Dense(5, "tanh")(trunk)) for _ in tasks]
    outputs = {
        task.name: task.head(x) for task, x in zip(tasks, branches, strict=True)
    }
    model = mtl_keras.MultiTaskModel(inputs, outputs, tasks=tasks)
    model.compile("sgd")
    x, y = random_data(model, 6, rng)
    rows = plain_gradients(model, x, y)
    for gradients in ("parameters", "features"):
        model.compile(
            keras.optimizers.SGD(1.0),
            weighting=FixedWeights(WEIGHTS),
            gradients=gradients,
            run_eagerly=True,
        )
        start = model.get_weights()
        moved = descend(model, x, y)
        model.set_weights(start)
        paths = [v.path for v in model.trainable_variables]
        index = paths.index("siamese/kernel")
        expected = 0.3 * rows["a"][index] + 1.7 * rows["b"][index]
        np.testing.assert_allclose(moved[index], expected, atol=1e-6)


@pytest.mark.parametrize("gradients", ["parameters", "features"])
@pytest.mark.parametrize("method", [FixedWeights((0.3, 1.7)), SumOfRows()])
def test_tasks_that_share_nothing_are_refused(gradients, method):
    inputs = keras.Input((4,))
    tasks = [Regression("a"), Regression("b")]
    outputs = {t.name: t.head(inputs) for t in tasks}
    model = mtl_keras.MultiTaskModel(inputs, outputs, tasks=tasks)
    with pytest.raises(ValueError, match="share no trainable parameters"):
        model.compile("sgd", weighting=method, gradients=gradients)


def test_an_unknown_way_to_the_gramian_is_refused():
    with pytest.raises(ValueError, match="gradients='feature'"):
        mtl_keras.build_mlp((4,)).compile(
            weighting="equal", gradients="feature"
        )
