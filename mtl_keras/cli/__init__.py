"""The command line, `mtl-keras`: every command calls the public functions.

Nothing here imports TensorFlow before a command needs it.
"""

from mtl_keras.cli.app import app


def main() -> None:
    """Runs the command line."""
    app(prog_name="mtl-keras")


__all__ = ["app", "main"]

if __name__ == "__main__":
    main()
