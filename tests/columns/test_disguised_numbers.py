"""Texts that are numbers, dates or holes in disguise."""

import pytest

from mtl_keras.columns.disguised_numbers import find_disguise


@pytest.mark.parametrize(
    ("texts", "what", "way_out"),
    [
        (["1,5", "2,25", "3"], "decimal comma", "decimal=','"),
        (["0,1", "12,345678"], "decimal comma", "decimal=','"),
        (["1,234", "2,345"], "thousands separators or a dec", "thousands=','"),
        (["1,234.5", "12,345,678.0"], "thousands", "thousands=','"),
        (["1.234,5", "2.345.678,0"], "decimal comma and", "thousands='.'"),
        (["1 234", "12 345 678"], "thousands", "blanks"),
        (["1'234.50"], "thousands", "blanks"),
        (["5%", "7.5 %"], "percent", "% sign"),
        (["$5", "$1,200.00"], "currency", "currency"),
        (["5 €", "1.200,00 EUR"], "currency", "currency"),
        (["2021-01-31", "2021-02-01"], "dates", "parse_dates=['seen']"),
        (["31.01.2021", "1.2.2021"], "dates", "parse_dates"),
        (["01/31/2021 12:30"], "dates", "parse_dates"),
        (["2021-01-31T12:30:05Z"], "dates", "parse_dates"),
        (["12:30", "7:05:59"], "dates", "parse_dates"),
        (["Jan 5, 2021", "March 6 2021"], "dates", "parse_dates"),
        (["5 Jan 2021"], "dates", "parse_dates"),
        (["1", "2.5", "NA"], "words for missing", "missing_values=('NA',)"),
        (["1", "?", "n/a"], "words for missing", "('?', 'n/a')"),
        (["2021-01-31", "NA"], "dates", "parse_dates"),
        (["(5)", "$1,200.00", "7 %"], "signs around", "plain numbers"),
        (["5-", "7-"], "signs around", "plain numbers"),
        ([f"{n} kg" for n in range(9)], "unit (kg)", "Remove the unit"),
        ([f"{n}e5 kg" for n in range(9)], "unit (kg)", "Remove the unit"),
        ([f"\u2212{n} kg" for n in range(9)], "unit (kg)", "Remove the unit"),
        ([f"{n}.5 m2" for n in range(9)], "unit (m2)", "Remove the unit"),
        ([f"{n} \u00b0C" for n in range(9)], "unit (\u00b0C)", "Remove the"),
        (["\u22125", "\u22127.5", "3"], "minus sign (U+2212)", "hyphen"),
        (["\u20135", "2"], "minus sign (U+2013)", "hyphen"),
        (["\u22121,5", "2,5"], "decimal comma", "decimal=','"),
        (["R$5", "R$7,50"], "currency", "currency"),
        (["US$ 5", "NZ$7"], "currency", "currency"),
        (["\u20aa5", "\u20ba7"], "currency", "currency"),
        (["PLN 500", "20 SEK"], "currency", "currency"),
        (["5 kr", "Rs. 500", "500 z\u0142"], "currency", "currency"),
        (["-5 chf", "eur 7"], "currency", "currency"),
        (["5k", "3M", "700"], "thousands or millions", "5000 for 5k"),
        (["1.2k", "7k"], "thousands or millions", "5000 for 5k"),
        ([f"{n}M" for n in range(9)], "thousands or millions", "5000"),
        (["1.5 million", "3 bn"], "thousands or millions", "5000 for 5k"),
        (["45.5N", "12.25S"], "coordinates", "signed degrees"),
        (["45\u00b030'15\"N", "7\u00b0 E"], "coordinates", "signed degrees"),
        (["N 45.5", "W7.25"], "coordinates", "signed degrees"),
        ([f"{n}{'NS'[n % 2]}" for n in range(9)], "coordinates", "signed"),
    ],
)
def test_disguises_are_found(texts, what, way_out):
    found = find_disguise("seen", iter(texts))
    assert found is not None
    assert what in found[0] and found[1] in texts and way_out in found[2]


@pytest.mark.parametrize(
    "texts",
    [
        ["1", "2.5", "-3e4", ".5"],
        ["a", "b"],
        ["low", "NA"],
        ["none", "some"],
        ["1", "2", "big"],
        ["1.5", "3,5"],  # either may be the decimal
        ["10-20", "20-30", ">30"],
        ["v1.2", "v1.3"],
        ["1st", "2nd", "3rd"],
        ["1a", "2a", "3a"],
        [f"{n}{'ab'[n % 2]}" for n in range(20)],
        ["5k", "10k"],
        ["3M", "5M"],
        ["5N", "3E"],
        [f"s{n}" for n in range(20)],
        [f"E{n}" for n in range(20)],
        ["TRY 5a", "ALL 5"],
        ["ABC 123", "USA 5"],
        ["-", "low"],
        [],
    ],
)
def test_texts_and_numbers_are_none(texts):
    assert find_disguise("seen", texts) is None


def test_a_few_other_texts_do_not_hide_it():
    texts = [f"{number}%" for number in range(40)] + ["all"]
    assert "percent" in find_disguise("share", texts)[0]
