"""CSV and TSV."""

from __future__ import annotations

import csv
import io
import json
import time

import pytest
from format_helpers import Write, fails, lines, values
from hypothesis import given
from hypothesis import strategies as st

from ratsnlp_like.corpora.formats.tabular import quoted_records
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.text import TextExample


def test_csv_quoting(write: Write) -> None:
    path = write("a.csv", 'Q,A,label\r\n"안녕, 너","그는 ""좋다""고\r\n했다",0\r\n"",b,1')
    assert values(path) == [
        {"Q": "안녕, 너", "A": '그는 "좋다"고\n했다', "label": "0"},
        {"Q": "", "A": "b", "label": "1"},
    ]
    assert lines(path) == [2, 4]


def test_cells_are_kept_as_written(write: Write) -> None:
    assert values(write("a.csv", " Q , label\n 안녕,2   \n")) == [{"Q": " 안녕", "label": "2   "}]


def test_quote_inside_a_plain_cell_is_a_character(write: Write) -> None:
    assert values(write("a.csv", 'a,b\n12" 피자,"x"\n')) == [{"a": '12" 피자', "b": "x"}]


def test_lines_end_at_newlines_only(write: Write) -> None:
    text = "가\u2028나\x85다\x0b라\x0c마\r바\x1c사"
    for name, content, options in [
        ("a.csv", f'text,n\n{text},1\n"{text}",2\n', {}),
        ("a.tsv", f"text\tn\n{text}\t1\n{text}\t2\n", {}),
        ("a.jsonl", f'{{"text": "{text}"}}\n'.replace("\x0b", "").replace("\x0c", "").replace("\r", "") * 2, {}),
        ("a.txt", f"{text}\n{text}\n", {"format": "text"}),
    ]:
        path = write(name, content)
        if name == "a.jsonl":
            path.write_text(json.dumps({"text": text}, ensure_ascii=False) + "\r\n" + json.dumps({"text": text}))
        assert [row["text"] for row in values(path, **options)] == [text, text], name


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_csv_delimiter_is_found_in_the_header(write: Write, delimiter: str) -> None:
    content = f'text{delimiter}label\n"가{delimiter}나"{delimiter}1\n'
    options = {"quoting": "csv"} if delimiter == "\t" else {}
    assert values(write("a.csv", content), **options) == [{"text": f"가{delimiter}나", "label": "1"}]


def test_delimiter_inside_aquoted_records_name_does_not_count(write: Write) -> None:
    assert values(write("a.csv", '"a;b;c",d\n1,2\n')) == [{"a;b;c": "1", "d": "2"}]


@pytest.mark.parametrize("delimiter", ["tab", "\\t", "\t"])
def test_forced_delimiter(write: Write, delimiter: str) -> None:
    assert values(write("a.csv", "a,b\tc\n1\t2\n"), delimiter=delimiter) == [{"a,b": "1", "c": "2"}]


def test_forced_delimiter_of_several_characters(write: Write) -> None:
    assert values(write("a.csv", 'a||b\n"1||1"||2\n'), delimiter="||") == [{"a": "1||1", "b": "2"}]


def test_impossible_delimiter(write: Write) -> None:
    fails(write("a.csv", "a,b\n1,2\n"), "--delimiter", "cannot separate", delimiter='"')


def test_lines_without_content_are_no_rows(write: Write) -> None:
    path = write("a.csv", "\na,b\n\n1,2\n,\n\n3,4\n,\n")
    assert values(path) == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    assert lines(path) == [4, 7]


def test_header_with_a_byte_order_mark_and_a_spare_column(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    path = write("a.csv", "id,q,\r\n1,가,\r\n2,나\r\n", encoding="utf-8-sig")
    assert values(path) == [{"id": "1", "q": "가"}, {"id": "2", "q": "나"}]
    assert not caplog.records


def test_what_stands_in_a_spare_column_is_left_out_with_a_warning(
    write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    path = write("a.csv", "id,q,\n1,가,\n2,나,1\n3,다,1\n")
    assert values(path)[1] == {"id": "2", "q": "나"}
    (record,) = caplog.records
    assert "no name" in record.getMessage()
    assert "a.csv" in record.getMessage()


def test_header_with_an_empty_name(write: Write) -> None:
    assert values(write("i.csv", ",text,label\n0,가,1\n")) == [{"Unnamed: 0": "0", "text": "가", "label": "1"}]
    fails(write("a.csv", "a,,b\n0,가,1\n"), "column 2", "no name", "give that column a name", line=1)
    fails(write("a.csv", "a,b,,\n0,가,,\n"), "column 3", "no name", line=1)


def test_header_with_a_double_name(write: Write) -> None:
    fails(write("a.csv", "text, text\n가,나\n"), "2 columns", "'text'", "rename", line=1)


def test_too_many_cells_in_csv(write: Write) -> None:
    fails(write("a.csv", "text,label\n가,1\n나, 다,0\n"), "3 cells", "나, 다,0", "2 (text, label)", "quotes", line=3)


def test_missing_cells_in_csv(write: Write) -> None:
    fails(write("a.csv", "text,label\n가\n"), "1 cell in", "2 (text, label)", "missing cells", line=2)


def test_long_lines_are_shortened_in_messages(write: Write) -> None:
    assert len(fails(write("a.csv", "text,label\n" + "가" * 5000 + "\n"), "...")) < 500


def test_quote_that_is_never_closed(write: Write) -> None:
    fails(write("a.csv", 'a,b\n1,2\n3,"4\n5,6\n'), "cell 2 is never closed", "--quoting none", line=3)


def test_text_after_a_closing_quote(write: Write) -> None:
    path = write("a.csv", 'a,b\n1,2\n"안녕" 하세요,1\n')
    fails(path, "after the closing quote of cell 1", "twice", "--quoting none", line=3)
    assert values(path, quoting="none")[1] == {"a": '"안녕" 하세요', "b": "1"}


def test_a_cell_may_be_longer_than_the_csv_module_allows(write: Write) -> None:
    text = "가," * 100_000
    assert values(write("a.csv", f'text,label\n"{text}",1\n')) == [{"text": text, "label": "1"}]


@given(st.lists(st.lists(st.text('가",\n a'), min_size=2, max_size=4), min_size=1, max_size=5))
def test_what_the_csv_module_writes_is_read_back(rows: list[list[str]]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    numbered = enumerate(buffer.getvalue().removesuffix("\n").split("\n"), start=1)
    assert [cells for _, cells, _ in quoted_records(numbered, ",", "")] == rows


def test_quotes_are_characters_in_tsv(write: Write) -> None:
    content = 'id\ttext\tlabel\n1\t"좋다\t1\n2\t"나쁘다"\t0\n3\t\t1\n4\t""\t0\n'
    path = write("a.tsv", content)
    assert [row["text"] for row in values(path)] == ['"좋다', '"나쁘다"', "", '""']
    assert lines(path) == [2, 3, 4, 5]


def test_tsv_is_unquoted_only_where_plain_reading_is_ragged(write: Write) -> None:
    path = write("a.tsv", 'text\tlabel\n"가\t나"\t1\n"다\n라 ""마"""\t0\n')
    assert values(path) == [{"text": "가\t나", "label": "1"}, {"text": '다\n라 "마"', "label": "0"}]
    assert lines(path) == [2, 3]


def test_where_no_reading_of_tsv_is_even_the_plain_one_speaks(write: Write) -> None:
    fails(write("a.tsv", 'a\tb\n"가\t1\n나\t2\t3\n'), "3 cells", "replace the tabs", line=3)
    fails(write("a.tsv", "a\tb\n가\t1\n나\n"), "1 cell", "separated by 'tab'", "line break", line=3)


def test_forced_quoting_in_tsv(write: Write) -> None:
    path = write("a.tsv", 'a\tb\n"가"\t1\n')
    assert values(path, quoting="csv") == [{"a": "가", "b": "1"}]
    assert values(path, quoting="none") == [{"a": '"가"', "b": "1"}]


def test_tsv_with_windows_line_ends_and_no_last_one(write: Write) -> None:
    assert values(write("a.tsv", "a\tb\r\n1\t2\r\n3\t")) == [{"a": "1", "b": "2"}, {"a": "3", "b": ""}]


def test_tsv_of_pandas_and_excel_is_unquoted(write: Write) -> None:
    """Cells with quotes are quoted and their quotes doubled; Excel quotes cells with commas as well."""
    path = write("a.tsv", 'text\tlabel\n"그는 ""최고""라 했다"\t가\n그냥 그랬다\t나\n')
    assert [row["text"] for row in values(path)] == ['그는 "최고"라 했다', "그냥 그랬다"]
    excel = write("b.tsv", 'text\tlabel\n"값은 1,000원"\t가\n싸다\t나\n')
    assert [row["text"] for row in values(excel)] == ["값은 1,000원", "싸다"]
    lone = write("c.tsv", 'text\tlabel\n"그는 ""최고""라 했다"\t가\n"그냥 그랬다\t나\n')
    assert [row["text"] for row in values(lone)] == ['"그는 ""최고""라 했다"', '"그냥 그랬다']


@pytest.mark.parametrize("name", ["a.tsv", "a.txt"])
def test_a_table_without_header(write: Write, name: str) -> None:
    path = write(name, "5\t빨리 왔다\n1\t늦게 왔다\n")
    expected = [{"label": "5", "text": "빨리 왔다"}, {"label": "1", "text": "늦게 왔다"}]
    assert values(path, columns=("label", "text")) == expected
    assert lines(path, columns=("label", "text")) == [1, 2]
    fails(path, "2 cells", "expected: 3 (a, b, c)", line=1, columns=("a", "b", "c"))


def test_a_first_row_of_numbers_is_reported_as_header(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    values(write("numbers.csv", "5,빨리 왔다\n1,늦게 왔다\n"))
    assert "line 1 is taken for the header" in caplog.text
    assert "--columns" in caplog.text


@pytest.mark.parametrize("declaration", ["sep=;", '"sep=;"', "SEP=;"])
def test_the_delimiter_that_excel_declares(write: Write, declaration: str) -> None:
    assert values(write("a.csv", f"{declaration}\ntext;label\n가, 나;1\n")) == [{"text": "가, 나", "label": "1"}]


def test_a_header_in_the_middle_is_skipped_and_reported(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    path = write("joined.csv", "text,label\n가,1\ntext,label\n나,0\n")
    assert [row["text"] for row in values(path)] == ["가", "나"]
    assert "joined.csv, line 3: the header is repeated" in caplog.text


def test_many_columns_take_linear_time(write: Write) -> None:
    names = [f"c{n}" for n in range(20_000)]
    path = write("a.csv", ",".join(names) + "\n" + ",".join("1" for _ in names) + "\n")
    start = time.process_time()
    corpus = open_corpus(path, TextExample, "classification")
    with pytest.raises(InputError) as caught:
        list(corpus.examples(path.parent, "train"))
    assert time.process_time() - start < 2
    assert len(str(caught.value)) < 1000
    assert "and 19,988 more" in str(caught.value)
