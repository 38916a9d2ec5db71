"""Files as people have them: what is read alike, what is refused, and where the refusal points."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odestudy.errors import DataError
from odestudy.fit.observations import read_observations
from odestudy.points.read import read_points
from odestudy.userdata.columns import columns_of
from odestudy.userdata.rows import read_rows

GOOD = "trajectory,t,y1,y2\na,0,1,0\na,0.4,0.9,0.4\na,1.0,0.5,0.8\nb,0,2,0\nb,0.5,1.8,0.9\nb,0.7,1.5,1.3\n"


def written(folder, text, encoding="utf-8"):
    path = folder / "mine.csv"
    path.write_bytes(text.encode(encoding))
    return path


def refusal(read, path):
    with pytest.raises(DataError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["empty"]),
        ("\n\n", ["empty"]),
        (GOOD.replace("0.9,0.4", ",0.4"), ["line 3: y1 is missing", "leave out"]),
        (GOOD.replace("0.9,0.4", "NaN,0.4"), ["line 3: y1 is missing"]),
        (GOOD.replace("1.8,0.9", "1.8,high"), ["line 6: y2 is 'high'", "no finite number", "--columns"]),
        (GOOD.replace("1.8,0.9", "1.8,inf"), ["line 6: y2 is 'inf'"]),
        (GOOD.replace("1.8,0.9", "1.8,1_000"), ["line 6: y2 is '1_000'"]),
        (GOOD.replace("1.8,0.9", "1.8,1e200"), ["line 6: y2 is beyond", "another unit"]),
        (GOOD.replace("b,0.7", " ,0.7"), ["line 7", "no name"]),
        (GOOD.replace("b,0.7", "b,0.5"), ["lines 6 and 7", "'b' has the time 0.5 twice"]),
        (GOOD.replace("trajectory,t", "trajectory,s"), ["needed: a column t or time"]),
        (GOOD + "b,1,2\n", ["line 8: 3 fields where the header has 4"]),
        (GOOD + "b,1,2,3,4\n", ["line 8: 5 fields where the header has 4", "decimal"]),
        (GOOD + "b,1,2,3,,\n", ["line 8", "ends with 2 commas too many"]),
        (GOOD.replace("\n", ",\n"), ["line 1: the header ends with a comma"]),
        ("\n\n" + GOOD + "\nb,1,2\n", ["line 11: 3 fields"]),
        (GOOD + '"b\nis\nbroken",1,2,3\nb,2\n', ["line 11: 2 fields"]),
        (GOOD + '"b,1,2,3\nb,2,1,1\n', ["line 8", "never closed"]),
        (GOOD.replace("y1,y2", "y1,y1"), ["line 1", "two columns are called 'y1'"]),
        (GOOD.replace("y1,y2", "y1,"), ["line 1: the header ends with a comma"]),
        (GOOD.replace("y1,y2", ",y2"), ["line 1: column 3 has no name"]),
        ("# measured in May\n" + GOOD, ["line 1", "is no header"]),
        ("sep=,\n" + GOOD, ["line 1", "is no header"]),
        (GOOD.split("\n", 1)[1].replace("a", "1").replace("b", "2"), ["line 1: numbers where the names"]),
        (GOOD.replace("a,0.4", "a,2024-05-01 10:00"), ["line 3: t is '2024-05-01 10:00', a date", "to_datetime"]),
        (GOOD.replace("a,0.4", "a,1.5.2024"), ["line 3", "a date"]),
        (GOOD.replace("a,0.4", "a,10:30"), ["line 3", "a clock time"]),
        (GOOD.replace(",", ";").replace("0.9", "0,9"), ["line 3", "decimal commas and points"]),
        (GOOD.replace("0.9,0.4", '"0,9",0.4'), ["line 3: y1 is '0,9'", "decimal points", "semicolons"]),
        (GOOD.replace(",", ";").replace("1.5", "1.234,5"), ["line 7", "thousands"]),
        (GOOD.replace("1.5", '"1,234,567"'), ["line 7", "thousands"]),
        ("t y1 y2\n0 1 0\n", ["needed: a column t"]),
        ("trajectory,t,y1,y2\na 0 1 0\n", ["line 2: 1 field", "separated by blanks"]),
        ("trajectory,t,y1\n", ["no rows"]),
        ("trajectory,t,y1\na,0,1\na,1,1\na,2,1\n", ["nothing to learn"]),
        ("t,y1\n0,1\n1,2\n0,1\n1,3\n", ["lines 2 and 4", "the file has the time 0 twice", "column trajectory"]),
        (GOOD + "c,0,1,1\nc,1,1,1\n", ["'c' has 2 rows; needed: at least 3"]),
        ("t,y,y_low\n0,1,2\n1,2,3\n2,3,5\n", ["rename"]),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_one_line_that_names_the_line_of_the_file(tmp_path, text, words):
    message = refusal(read_observations, written(tmp_path, text))
    for word in words:
        assert word in message


def test_many_bad_rows_are_counted_and_not_all_listed(tmp_path):
    rows = "\n".join(f"a,{i},{'' if i % 2 else i}" for i in range(30))
    message = refusal(read_observations, written(tmp_path, "trajectory,t,y1\n" + rows))
    assert "lines 3, 5, 7, 9, 11 and 10 more: y1 is missing" in message


def test_other_encodings_are_refused_with_the_line_and_the_command_that_converts(tmp_path):
    latin = written(tmp_path, GOOD.replace("b,0,", "Zürich,0,"), "latin-1")
    assert "line 5 is not UTF-8" in refusal(read_rows, latin)
    wide = written(tmp_path, GOOD, "utf-16")
    assert "iconv -f UTF-16" in refusal(read_rows, wide)


def test_units_leave_the_names_and_stay_where_names_would_be_alike():
    columns = columns_of(["t [s]", "height (m)", "T [K]", "T [C]", "a(b)c"])
    assert [column.name for column in columns] == ["t", "height", "T [K]", "T [C]", "a(b)c"]
    assert [column.unit for column in columns] == ["s", "m", "", "", ""]
    assert columns[1].derived("dheight", "s") == "dheight [m/s]"


def test_columns_are_chosen_by_name_or_header_in_the_order_asked_for(tmp_path):
    path = written(
        tmp_path, "t,when,x [m],z,y\n" + "".join(f"{i},2024-01-0{i + 1},{i * i},{i},{-i}\n" for i in range(4))
    )
    table = read_observations(path, "z, x")
    assert [column.header for column in table.columns] == ["z", "x [m]"]
    assert table.y[0].tolist() == [[i, i * i] for i in range(4)]
    for wanted, words in (("x,w", "'w' is no column"), ("x,x", "listed twice"), ("", "no column is named")):
        with pytest.raises(DataError, match=words):
            read_observations(path, wanted)


def test_rows_may_be_interleaved_and_out_of_order_which_is_told(tmp_path):
    rows = GOOD.splitlines()
    mixed = "\n".join([rows[0], rows[4], rows[3], rows[5], rows[2], rows[1], rows[6]])
    table, plain = read_observations(written(tmp_path, mixed)), read_observations(written(tmp_path, GOOD))
    for mine, theirs in zip([*table.t, *table.y], [*plain.t, *plain.y], strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert any("lines 5, 6" in note and "sorted by time" in note for note in table.notes)
    assert not plain.notes


@pytest.mark.parametrize("value", [14.62, 0.1, -1e9, 0.0])
def test_constant_columns_are_named_and_left_out_of_a_fit_and_refused_for_a_density(tmp_path, value):
    rows = "".join(f"{i},{math.tanh(i / 60)!r},{value + 1e-15 * value * (i % 3)!r}\n" for i in range(120))
    table = read_observations(written(tmp_path, "t,y1,y2\n" + rows))
    assert [column.name for column in table.columns] == ["y1"]
    assert table.notes == ["left out, being constant: y2"]
    assert "constant column y2" in refusal(read_points, written(tmp_path, "t,y1,y2\n" + rows))


def test_one_wild_row_is_left_out_with_its_line_and_a_growing_state_is_not(tmp_path):
    t = np.linspace(0, 20, 60)
    rows = [f"{float(a)!r},{math.cos(a)!r}" for a in t]
    rows[30] = f"{float(t[30])!r},1e6"
    table = read_observations(written(tmp_path, "t,y\n" + "\n".join(rows)))
    assert len(table.t[0]) == 59
    assert "line 32: left out: y is 1e+06" in table.notes[0]
    growing = written(tmp_path, "t,y\n" + "\n".join(f"{float(a)!r},{math.exp(a)!r}" for a in t))
    assert len(read_observations(growing).t[0]) == 60


def test_states_that_depend_on_each_other_and_counts_are_told(tmp_path):
    rows = "".join(
        f"{i},{math.sin(i)!r},{math.cos(i)!r},{math.sin(i) - 2 * math.cos(i)!r},{i % 2}\n" for i in range(60)
    )
    notes = " ".join(read_observations(written(tmp_path, "t,a,b,c,d\n" + rows)).notes)
    assert "c = a - 2 b" in notes
    assert "few distinct values, as of a quantity that is not continuous: d (2)" in notes


numbers = st.integers(-9999, 9999).map(lambda i: i / 100)


@st.composite
def equivalents(draw):
    """A file, and the same in another order of rows and columns, separator, decimals, line ends, quotes and blanks."""
    d, n = draw(st.integers(1, 3)), draw(st.integers(6, 12))
    names = ["t [s]", "trajectory", *(f"y{i + 1} [m]" for i in range(d))]
    rows = [
        [
            f"{i / 4}",
            draw(st.sampled_from(["a", "b"])) if i > 5 else "ab"[i % 2],
            *(f"{draw(numbers)}" for _ in range(d)),
        ]
        for i in range(n)
    ]
    for k in range(2, 2 + d):  # no column is constant
        rows[0][k], rows[1][k] = "100.5", "-100.25"
    plain = [names, *rows]
    columns = draw(st.permutations(range(len(names))))
    other = [[row[k] for k in columns] for row in [names, *draw(st.permutations(rows))]]
    separator = draw(st.sampled_from(",;\t"))
    commas = separator != "," and draw(st.booleans())
    quoted, pad = draw(st.booleans()), draw(st.sampled_from(["", " "]))
    end, blank = draw(st.sampled_from(["\n", "\r\n", "\r"])), draw(st.integers(0, 2))

    def cell(text, head):
        text = text.replace(".", ",") if commas and not head else text
        return f'{pad}"{text}"' if quoted else f"{pad}{text}{pad}"

    lines = [separator.join(cell(text, i == 0) for text in row) for i, row in enumerate(other)]
    for _ in range(blank):
        lines.insert(draw(st.integers(0, len(lines))), "")
    mark = "\ufeff" if draw(st.booleans()) else ""
    return "\n".join(",".join(row) for row in plain), mark + end.join(lines) + end


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(equivalents())
def test_a_file_and_its_equivalent_are_read_as_the_same_numbers(tmp_path, pair):
    plain, other = (read_or_refused(tmp_path, text) for text in pair)
    assert type(plain) is type(other)
    if not isinstance(plain, DataError):
        assert plain.names == other.names
        assert [c.header for c in plain.columns] == [c.header for c in other.columns]
        for mine, theirs in zip([*plain.t, *plain.y], [*other.t, *other.y], strict=True):
            np.testing.assert_array_equal(mine, theirs)


def read_or_refused(folder, text):
    try:
        return read_observations(written(folder, text))
    except DataError as error:
        return error


# What is said of each of the files as people have them; those that are read as the plain one say nothing, or a note.
PEOPLES = {
    "fit_constant_14.62.csv": "note: left out, being constant: y3",
    "fit_constant_0.1.csv": "note: left out, being constant: y3",
    "fit_semicolon_decimal_comma.csv": "note: read as separated by semicolons, with decimal commas",
    "fit_tabs.csv": "note: read as separated by tabs, with decimal points",
    "fit_header_blanks.csv": "",
    "fit_units_in_header.csv": "",
    "fit_dates.csv": "t is '2024-01-01 00:00:00', a date",
    "fit_bad_cell_after_blank_lines.csv": "line 8: y1 is 'broken'",
    "density_outlier.csv": "note: line 402: left out: x1 is 1e+06",
    "density_collinear.csv": "x3 = x1 + x2",
    "density_constant_14.62.csv": "constant column x3",
}


@pytest.fixture(scope="module")
def peoples(root, tmp_path_factory):
    script = root.parent / "shared/cases/make_tables.py"
    if not script.is_file():
        pytest.skip(f"no {script}, which writes files as people have them")
    folder = tmp_path_factory.mktemp("tables")
    subprocess.run([sys.executable, str(script), str(folder)], check=True)
    return folder


@pytest.mark.parametrize(("name", "said"), PEOPLES.items())
def test_files_as_people_have_them_are_read_as_the_plain_one_or_refused(peoples, name, said):
    kind = name.split("_")[0]
    read = read_observations if kind == "fit" else read_points
    if said.startswith("note") or not said:
        mine, plain = read(peoples / name), read(peoples / f"{kind}_plain.csv")
        assert said.removeprefix("note: ") in " ".join(mine.notes)
        assert bool(said) == bool(mine.notes)
        pairs = zip(mine.y, plain.y, strict=True) if kind == "fit" else [(mine.values, plain.values)]
        for one, other in pairs:
            np.testing.assert_array_equal(one, other)
    else:
        assert said in refusal(read, peoples / name)
