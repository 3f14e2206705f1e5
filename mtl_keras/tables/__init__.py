"""Tables of numbers and categories, encoded by `keras.utils.FeatureSpace`.

A network trains on encoded vectors, and is exported with the encoding inside,
so that the served model takes raw columns:

1. `fit_feature_space` fits the encoding to the columns of the training part,
2. `encode_columns` encodes them as vectors, for any factory on vectors,
3. `with_raw_columns` puts the encoding in front of the trained model.
"""

from mtl_keras.safe_name import safe_names
from mtl_keras.tables.encode_columns import embedding_layer, encode_columns
from mtl_keras.tables.feature_space import fit_feature_space
from mtl_keras.tables.raw_columns import with_raw_columns

__all__ = [
    "embedding_layer",
    "encode_columns",
    "fit_feature_space",
    "safe_names",
    "with_raw_columns",
]
