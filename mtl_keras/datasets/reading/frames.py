"""Where a table that pandas reads goes, for the way out of an error."""


def to_frame(argument: str) -> str:
    """Describes where a DataFrame goes in place of a csv file.

    Args:
        argument: String, the argument that names the file.
    """
    return "as `labels`" if argument == "labels" else "to from_dataframe"
