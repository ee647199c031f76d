"""The scanner of SQL text: what is code, what is a placeholder, what a statement is made of."""

import pytest
from psqlpy_adapter.counts import counting, verb
from psqlpy_adapter.numbering import Placeholders, as_written, chosen, for_sqlspec, placeholders
from psqlpy_adapter.sql_text import cast_placeholders, command, tokens


def test_tokens_are_the_code_without_comments_and_space():
    found = tokens("SELECT a.\"B\"\"c\", $1::int /* /* x */ */ -- y\n FROM t WHERE b<=>'it''s';")
    assert [(token.kind, token.text) for token in found] == [
        ("word", "select"), ("word", "a"), ("symbol", "."), ("quoted", 'B"c'), ("symbol", ","),
        ("placeholder", "$1"), ("symbol", "::"), ("word", "int"), ("word", "from"), ("word", "t"),
        ("word", "where"), ("word", "b"), ("symbol", "<=>"), ("string", "'it''s'"), ("symbol", ";"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", [
    "'$1'", "E'\\' $1'", "U&'$1'", "$$ $1 $$", "$tag$ $1 $$ $1 $tag$", '"$1"', "-- $1",
    "/* $1 /* $1 */ */",
])  # fmt: skip
def test_a_placeholder_in_a_string_a_name_or_a_comment_is_none(text):
    assert placeholders(f"SELECT {text}\n") == Placeholders(f"SELECT {text}\n", 0, None)


@pytest.mark.parametrize(("text", "sql", "count", "names"), [
    ("a=$1 AND b=$2", "a=$1 AND b=$2", 2, None),
    ("$2,$2", "$2,$2", 2, None),
    ("a=:x AND b=:y::int", "a=$1 AND b=$2::int", 2, ("x", "y")),
    (":x+:y+:x", "$1+$2+$1", 2, ("x", "y")),
    ("?,?", "$1,$2", 2, None),
    ("d @? ? AND ?||'b' = d", "d @? $1 AND $2||'b' = d", 2, None),
    ("%(x)s,%(y)s", "$1,$2", 2, ("x", "y")),
    ("%s,%s", "$1,$2", 2, None),
    ("$(x)p,$(y)p", "$1,$2", 2, ("x", "y")),
    ("x LIKE :p ESCAPE '\\' AND z = :q", "x LIKE $1 ESCAPE '\\' AND z = $2", 2, ("p", "q")),
    ("d->'a' ? 'b' AND x=$1", "d->'a' ? 'b' AND x=$1", 1, None),
    ("x[1:2], '12:30'::time, y::text", "x[1:2], '12:30'::time, y::text", 0, None),
])  # fmt: skip
def test_placeholders_are_numbered(text, sql, count, names):
    assert placeholders(text) == Placeholders(sql, count, names)


def test_a_name_that_occurs_twice_can_be_numbered_apart():
    assert placeholders(":x+:y+:x").apart == Placeholders("$1+$2+$3", 3, ("x", "y", "x"))
    assert placeholders(":x+:y").apart is None


@pytest.mark.parametrize("operator", ["@?", "?#", "?-", "?|", "?&", "?", "?-|", "?||"])
def test_a_question_mark_is_an_operator_where_no_values_are_given(operator):
    text = f"SELECT a {operator} b"
    assert as_written(text) == Placeholders(text, 0, None)


def test_other_styles_are_placeholders_where_no_values_are_given():
    assert as_written("a ? b = :x") == Placeholders("a ? b = $1", 1, ("x",))


@pytest.mark.parametrize("text", ["$1,:x", "@x", ":1", "$0"])
def test_other_placeholders_are_left_to_sqlspec(text):
    assert placeholders(text) is None


@pytest.mark.parametrize(("text", "expected"), [
    ("$1,$2", "$1 ,$2"), ("$1, $2", "$1, $2"), (":a,:b", ":a ,:b"), ("$1||$2", "$1 ||$2"),
    ("'$1,$2'", "'$1,$2'"),
])  # fmt: skip
def test_placeholders_are_spaced_where_sqlglot_needs_it(text, expected):
    assert for_sqlspec(text) == expected


@pytest.mark.parametrize(("text", "with_values", "without"), [
    ("a ? b", "a ? b", "a ?? b"), ("a @? b", "a @?? b", "a @?? b"), ("a @?? b",) * 3,
    ("a ?? b",) * 3,
    ("a ? $1", "a ?? $1", "a ?? $1"), ("a ?| b",) * 3, ("a ?& b",) * 3, ("'?'",) * 3,
    ("?||'x'", "? ||'x'", "??||'x'"), ("@x", "@x", "@ x"), ("@x + $1", "@ x + $1", "@ x + $1"),
    ("a[:2]", "a[:2]", "a[: 2]"), ("a[:2] = :x", "a[: 2] = :x", "a[: 2] = :x"),
    ("a @@b",) * 3, ("a[$1:2]", "a[$1 : 2]", "a[$1 : 2]"),
    ("a @? b AND c = ?", "a @?? b AND c = ?", "a @?? b AND c = ??"),
])  # fmt: skip
def test_the_question_mark_of_an_operator_is_written_so_that_sqlspec_sees_one(
    text, with_values, without
):
    assert for_sqlspec(text) == with_values
    assert for_sqlspec(text, has_values=False) == without


@pytest.mark.parametrize("text", ["a[:2]", "@x", "a <@x", "a[:2] ? 'b'"])
def test_slices_and_operators_are_no_placeholders_where_no_values_are_given(text):
    assert as_written(text) == Placeholders(text, 0, None)


@pytest.mark.parametrize("text", ["a[:2] = $1", "@x = $1", "a @@b = $1"])
def test_slices_and_operators_are_no_placeholders_beside_others(text):
    assert placeholders(text) == Placeholders(text, 1, None)


def test_the_parameters_that_are_left_are_numbered_anew():
    assert chosen("a = $3 AND b = $1 OR c = $3") == ("a = $2 AND b = $1 OR c = $2", (1, 3))


@pytest.mark.parametrize("text", ["a ?? b", "a ?? $1", "a ?? :x", "a ?? ?"])
def test_two_question_marks_stand_for_the_operator(text):
    assert placeholders(text).sql in ("a ? b", "a ? $1")


def test_two_question_marks_behind_an_at_sign_stand_for_the_operator_too():
    assert placeholders("a @?? b").sql == "a @? b"


def test_a_placeholder_is_cast_wherever_it_stands():
    assert cast_placeholders("$1 + $11 + '$1' + $1", {1: '"x"."y"'}) == (
        '($1::text)::"x"."y" + $11 + \'$1\' + ($1::text)::"x"."y"'
    )


@pytest.mark.parametrize(("text", "expected"), [
    ("select 1", "SELECT"), ("/* x */ (SELECT 1)", "SELECT"), ("", ""), ("-- x", ""),
])  # fmt: skip
def test_the_command_is_the_first_keyword(text, expected):
    assert command(text) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("WITH a AS (SELECT 1), b (c) AS NOT MATERIALIZED (SELECT ')') UPDATE t SET x = 1", "UPDATE"),
    ("WITH RECURSIVE a AS (SELECT 1) SEARCH DEPTH FIRST BY x, y SET z INSERT INTO t TABLE a",
     "INSERT"),
    ("WITH RECURSIVE a AS (SELECT 1) CYCLE x SET y USING z DELETE FROM t", "DELETE"),
    ("WITH delete AS (SELECT 1) SELECT * FROM delete", "SELECT"),
    ("VALUES (1)", "VALUES"),
])  # fmt: skip
def test_the_verb_stands_behind_the_common_table_expressions(text, expected):
    assert verb(text) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("DELETE FROM t;", "WITH _affected AS (DELETE FROM t RETURNING 1) SELECT count(*) AS count "
     "FROM _affected "),
    ("/* a */ DELETE FROM t -- b",
     "/* a */ WITH _affected AS (DELETE FROM t RETURNING 1) SELECT count(*) AS count FROM _affected"
     " -- b"),
    ("WITH a AS (SELECT 1) DELETE FROM _affected",
     "WITH a AS (SELECT 1), __affected AS (DELETE FROM _affected RETURNING 1) "
     "SELECT count(*) AS count FROM __affected"),
    ("SELECT 1", None),
])  # fmt: skip
def test_dml_is_put_into_a_form_that_counts_its_rows(text, expected):
    assert counting(text) == expected
