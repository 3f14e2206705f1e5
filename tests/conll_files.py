"""Files with one token per line."""

SENTENCES = [
    [("EU", "NNP", "B-ORG"), ("rejects", "VBZ", "O")],
    [("Peter", "NNP", "B-PER"), ("Blackburn", "NNP", "I-PER")],
    [("#", "#", "O"), ("1", "CD", "O"), ("Bonn", "NNP", "B-LOC")],
    [("Bonn", "NNP", "B-LOC"), ("Union", "NNP", "B-ORG")],
]


def write_conll(path, sentences=SENTENCES, delimiter=" ", end="\n"):
    """Writes sentences, an empty line after each, and returns the path."""
    text = "".join(
        "".join(delimiter.join(row) + end for row in rows) + end
        for rows in sentences
    )
    path.write_bytes(text.encode())
    return path
