"""Loads the fixtures of all tests in the processes that run tests."""


def pytest_configure(config):
    """Skips them in xdist's controller: TensorFlow takes long to import."""
    hands_out = getattr(config.option, "numprocesses", None)
    if not hands_out or hasattr(config, "workerinput"):
        config.pluginmanager.import_plugin("shared_fixtures")
