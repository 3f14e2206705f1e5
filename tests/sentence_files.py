"""Small folders in the format of SNIPS."""

ROWS = {
    "train": [
        ("play  some jazz ", "O O B-genre ", "PlayMusic"),
        ("rate this 5 of 6", "O O B-rating_value O O", "RateBook"),
    ],
    "valid": [("weather in new york", "O O B-city I-city", "GetWeather")],
    "test": [("play clásicos", "O B-playlist", "PlayMusic")],
}


def write_sentences(folder, **changes):
    """Writes the rows of every part; arguments replace some of them."""
    for part, rows in {**ROWS, **changes}.items():
        (folder / part).mkdir(exist_ok=True)
        for place, name in enumerate(("seq.in", "seq.out", "label")):
            text = "".join(f"{row[place]}\n" for row in rows)
            (folder / part / name).write_text(text, encoding="utf-8")
    return folder
