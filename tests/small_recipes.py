"""Recipes that train in seconds, as values of a TOML file."""

SMALL = {
    "name": "small",
    "factory": {
        "name": "build_cnn_cls_seg",
        "arguments": {"filters": [2, 4], "dropout": 0.2},
    },
    "data": {
        "name": "digit_scenes",
        "arguments": {"num_train": 48, "num_test": 8},
    },
    "optimizer": {
        "name": "adam",
        "learning_rate": {
            "name": "CosineDecay",
            "warmup_epochs": 1,
            "arguments": {
                "initial_learning_rate": 0.001,
                "warmup_target": 0.01,
            },
        },
    },
    "fit": {"epochs": 3, "batch_size": 16, "num_validation": 8},
}

# An MLP is traced in a fraction of the time.
QUICK = SMALL | {
    "factory": {"name": "build_mlp", "arguments": {"hidden_units": [4]}},
    "tasks": [
        {
            "kind": "Classification",
            "name": "classification",
            "arguments": {"num_classes": 10},
        }
    ],
}
