"""Loads the fixtures of all tests in the processes that run tests."""


def pytest_configure(config):
    """Leaves them out where xdist hands tests to others: TensorFlow is slow."""
    hands_out = getattr(config.option, "numprocesses", None)
    if not hands_out or hasattr(config, "workerinput"):
        config.pluginmanager.import_plugin("shared_fixtures")
