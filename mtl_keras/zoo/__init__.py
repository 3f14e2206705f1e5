"""The zoo: recipes and their results.

A recipe is a TOML file that describes a training completely: factory, data,
optimizer, epochs and seeds. `train` runs it once, `reproduce` with all seeds.

```python
recipe = mtl_keras.zoo.load_recipe("cnn_cls_seg_digit_scenes")
metrics = mtl_keras.zoo.train(recipe, "runs/first", seed=0)
```
"""

from mtl_keras.zoo.change import change_recipe
from mtl_keras.zoo.data import load_data
from mtl_keras.zoo.model import build_model
from mtl_keras.zoo.read import load_recipe, make_recipe
from mtl_keras.zoo.recipe import Recipe
from mtl_keras.zoo.recipe_data import RecipeData
from mtl_keras.zoo.reproduce import reproduce
from mtl_keras.zoo.train import train
from mtl_keras.zoo_index import Entry, entries, results, write_results

__all__ = [
    "Entry",
    "Recipe",
    "RecipeData",
    "build_model",
    "change_recipe",
    "entries",
    "load_data",
    "load_recipe",
    "make_recipe",
    "reproduce",
    "results",
    "train",
    "write_results",
]
