"""The zoo: recipes, and what becomes of them.

A recipe is a TOML file that says everything about a training: factory, data,
optimizer, epochs, seeds. `train` runs it once, `reproduce` with all its seeds.

```python
recipe = mtl_keras.zoo.load_recipe("cnn_cls_seg_digit_scenes")
metrics = mtl_keras.zoo.train(recipe, "runs/first", seed=0)
```
"""

from mtl_keras.zoo.change import change_recipe
from mtl_keras.zoo.data import RecipeData, load_data
from mtl_keras.zoo.model import build_model
from mtl_keras.zoo.read import load_recipe, make_recipe
from mtl_keras.zoo.recipe import Recipe
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
