"""Loss weight schedules, called as `fit` calls them."""

import mtl_keras
from mtl_keras import LossWeightSchedule, Regression


def test_a_schedule_of_weights_gets_the_epoch_from_0():
    model = mtl_keras.build_mlp(
        (4,), [Regression("a"), Regression("b")], hidden_units=()
    )
    schedule = LossWeightSchedule(
        lambda epoch, weights: {"a": weights["a"] + epoch}
    )
    schedule.set_model(model)
    found = []
    for epoch in range(3):
        schedule.on_epoch_begin(epoch)
        found.append(dict(model.loss_weights))
    assert found == [{"a": a, "b": 1.0} for a in (1.0, 2.0, 4.0)]
