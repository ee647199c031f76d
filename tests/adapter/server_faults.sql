-- One statement a line, each refused by the server in words that the adapter must know.
INSERT INTO t VALUES (1, 1, 1)
INSERT INTO t VALUES (9, 1, 1, '[2,3)')
INSERT INTO f VALUES (99)
DELETE FROM t WHERE id = 1
INSERT INTO t VALUES (5, NULL, 1)
INSERT INTO t VALUES (5, 1, -1)
SELECT (-1)::posint
INSERT INTO part VALUES (1)
CREATE UNIQUE INDEX ON t (a)
INSERT INTO gen (id) VALUES (1)
SELECT 'x'::int
SELECT 'x'::mood
SELECT 'x'::uuid
SELECT '2020-13-45'::date
SELECT 'xx'::timestamptz
SELECT '{'::int[]
SELECT '{'::jsonb
SELECT '[1,2'::int4range
SELECT '(1'::point
SELECT 'z'::bit(3)
SELECT B'1' | B'11'
INSERT INTO b3 VALUES (B'11')
SELECT '\x0'::bytea
SELECT 1 / 0
SELECT 99999999999::int
SELECT 100000::int2
SELECT 9223372036854775807 + 1
SELECT 1e400::float8
SELECT 10::numeric(2, 2)
INSERT INTO short VALUES ('abc')
SELECT ln(0)
SELECT sqrt(-1)
SELECT substring('a' FROM 1 FOR -1)
SELECT int4range(5, 1)
SELECT 'a' ~ '('
SELECT generate_series(1, 2, 0)
SELECT 1 LIMIT -1
SELECT convert_from('\xff', 'UTF8')
SELECT convert_to('€', 'LATIN1')
SELECT '99:99:99'::time
SELECT interval '1 foo'
SELECT '100000-01-01'::timestamp + interval '300000 years'
SELECT '[1,2]'::vector <=> '[1,2,3]'::vector
SELECT '[1,a]'::vector
INSERT INTO v3 VALUES ('[1,2]')
SELECT * FROM nope
SELECT nope FROM t
SELECT t.nope FROM t
SELECT nope.a FROM t
SELECT nope(1)
SELECT 1 + 'a'::text
SELECT 1::nope
SELECT t::int FROM t
INSERT INTO t (nope) VALUES (1)
INSERT INTO t (id, a) VALUES ('a'::text, 1)
INSERT INTO t VALUES (1, 2, 3, NULL, 5)
INSERT INTO t (a, a) VALUES (1, 2)
CREATE TABLE t (i int)
CREATE TYPE mood AS ENUM ('x')
CREATE FUNCTION fn(int) RETURNS int LANGUAGE sql AS 'SELECT 1'
ALTER TABLE t ADD COLUMN a int
ALTER TABLE t ADD PRIMARY KEY (a)
ALTER TABLE t DROP CONSTRAINT nope
ALTER TABLE t ALTER COLUMN a TYPE uuid
DROP TABLE nope
DROP TABLE t
DROP VIEW t
DROP SCHEMA nope
DROP ROLE nope
INSERT INTO vw VALUES (1)
SELEC 1
SELECT (1
SELECT 'abc
SELECT a, count(*) FROM t
SELECT count(*) FROM t WHERE count(*) > 1
SELECT id FROM t, f
SELECT id FROM t a, t a
SELECT 1 UNION SELECT 1, 2
VALUES (1), (1, 2)
SELECT 1 WHERE 1
SELECT (SELECT 1 UNION SELECT 2)
INSERT INTO t VALUES (1, 1, 1) ON CONFLICT (a) DO NOTHING
INSERT INTO t VALUES (8, 1, 1), (8, 1, 1) ON CONFLICT (id) DO UPDATE SET a = 2
SET nope = 1
SET work_mem = 'abc'
SET statement_timeout = '10ms'; SELECT pg_sleep(1)
SET lock_timeout = '10ms'; LOCK TABLE locked
SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(1)
BEGIN READ ONLY; INSERT INTO t VALUES (7, 1, 1)
BEGIN; SAVEPOINT a; ROLLBACK TO nope
BEGIN; CREATE INDEX CONCURRENTLY ON t (a)
BEGIN; SELECT 1; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE
SAVEPOINT x
FETCH nope
EXECUTE nope
PREPARE p1 AS SELECT 1; PREPARE p1 AS SELECT 1
SELECT pg_notify('x', repeat('x', 9000))
SET ROLE nobody_special; SELECT * FROM pg_authid
SET ROLE nobody_special; CREATE ROLE another
SET ROLE nobody_special; DROP TABLE t
TRUNCATE t
-- Values, JSON, types and names, mostly of classes 22 and 42.
SELECT '{"a":"\u0000"}'::jsonb
SELECT '"\ud800"'::jsonb
SELECT '"\u12"'::json
SELECT '300.1.1.1'::cidr
SELECT '10.0.0.1/8'::cidr
SELECT 'x'::macaddr
SELECT 'zz'::macaddr8
SELECT '{1,2'::int[]
SELECT '{{1},{1,2}}'::int[]
SELECT ARRAY[1,2] || ARRAY[[[1]]]
SELECT array_fill(1, ARRAY[-1])
SELECT ARRAY[[1],[2,3]]
SELECT lower('empty'::int4range) + int4range(5,1)
SELECT jsonb_path_query('{}', 'strict $.a')
SELECT jsonb_path_query('[1]', 'strict $[5]')
SELECT '$.'::jsonpath
SELECT '{}'::jsonb::int
SELECT jsonb_set('[]', '{x}', '1')
SELECT '1'::jsonb || '{"a":1}'::jsonb -> 'x' - 'y'
SELECT jsonb_object(ARRAY['a'])
SELECT jsonb_object_agg(null, 1)
SELECT json_object_agg(null, 1)
SELECT chr(0)
SELECT chr(-1)
SELECT repeat('x', 2000000000)
SELECT lpad('x', 2000000000)
SELECT decode('x', 'base64')
SELECT decode('x', 'hex')
SELECT decode('zz', 'hex')
SELECT decode('x', 'nonsense')
SELECT encode('x', 'nonsense')
SELECT convert('x', 'nonsense', 'UTF8')
SELECT 'x'::tsquery || '&'::tsquery
SELECT to_timestamp('x', 'YYYY')
SELECT to_date('2020-13-01', 'YYYY-MM-DD')
SELECT to_number('x', '9')
SELECT make_date(2020, 13, 1)
SELECT make_time(25, 0, 0)
SELECT make_interval(years => 2147483647, months => 2147483647)
SELECT '2020-01-01'::date + 2147483647
SELECT 'infinity'::timestamp - 'infinity'::timestamp
SELECT extract(nonsense FROM now())
SELECT date_trunc('nonsense', now())
SELECT date_bin('0 s', now(), now())
SELECT now() AT TIME ZONE 'Nowhere/Land'
SELECT '2020-01-01 00:00 Nowhere/Land'::timestamptz
SELECT 10.0::float8 ^ 1000
SELECT exp(1000::float8)
SELECT 0::numeric ^ -1
SELECT (-1)::numeric ^ 0.5
SELECT (-1)::float8 ^ 0.5
SELECT 2147483647 + 1
SELECT 40000::int2
SELECT 1e300::numeric::float4
SELECT 'NaN'::numeric::int
SELECT 'NaN'::float8::int
SELECT 1e10::float8::int
SELECT factorial(-1)
SELECT width_bucket(1, 2, 2, 3)
SELECT width_bucket(1, 2, 3, 0)
SELECT acos(2)
SELECT ntile(0) OVER ()
SELECT nth_value(1, 0) OVER ()
SELECT percentile_cont(2) WITHIN GROUP (ORDER BY x) FROM (VALUES (1.0)) v(x)
SELECT * FROM t TABLESAMPLE bernoulli (200)
SELECT regexp_replace('a', '(', '')
SELECT regexp_split_to_array('a', 'x', 'nonsense')
SELECT 'a' SIMILAR TO 'a' ESCAPE 'xx'
SELECT 'a' LIKE 'a' ESCAPE 'xx'
SELECT substring('abc' FROM 1 FOR -1)
SELECT overlay('abc' PLACING 'x' FROM 0)
SELECT set_bit('\x00'::bytea, 9, 1)
SELECT get_byte('\x00'::bytea, 9)
SELECT B'101'::bit(2) & B'1'::bit(1)
SELECT set_config('work_mem', 'x', false)
SELECT set_config('nonsense', 'x', false)
SELECT current_setting('nonsense.x')
SELECT current_setting('nonsense')
SELECT xmlparse(DOCUMENT '<a')
SELECT '<a'::xml
SELECT nextval('nonsense')
SELECT lo_open(99999, 1)
SELECT 'nonsense'::regclass
SELECT 'nonsense'::regtype
SELECT 'nonsense()'::regprocedure
SELECT 'x'::bool
SELECT 'x'::oid
SELECT '(1,2,3)'::box
SELECT '1'::money + 'x'::money
SELECT 'x'::pg_lsn
SELECT 'x'::tid
SELECT 'x'::bytea || '\x1'::bytea
SELECT '\x1'::bytea
SELECT E'\\xz'::bytea
SELECT row(1,2)::nonsense
SELECT (row(1)::t).nonsense
SELECT ROW(1,2) = ROW(1,2,3)
SELECT '[1,2]'::vector(3)
SELECT '[1'::vector
SELECT '[]'::vector
SELECT '[NaN]'::vector
SELECT '[1,2]'::vector <-> '[1]'::vector
SELECT '{1:1}/0'::sparsevec
SELECT '{5:1}/3'::sparsevec
SELECT '[99999]'::halfvec
SELECT array[1,null]::vector
SELECT '[1e400]'::vector
SELECT pg_sleep('x')
SELECT generate_series(1, 10, 0)
SELECT generate_series(now(), now(), '0 s')
SELECT * FROM json_to_record('[1]') AS x(a int)
SELECT * FROM jsonb_to_recordset('1') AS x(a int)
SELECT jsonb_array_length('{}')
SELECT jsonb_each('[]')
SELECT jsonb_array_elements('{}')
SELECT jsonb_array_elements('1')
SELECT unistr('\zzzz')
SELECT normalize('x', nonsense)
SELECT string_to_table('a', 'b', 'c', 'd')
SELECT to_tsvector('nonsense', 'x')
SELECT (SELECT 1, 2)
SELECT count(*) FILTER (WHERE 1) FROM t
SELECT sum(x) OVER w FROM t
SELECT id FROM t FOR UPDATE OF nonsense
SELECT DISTINCT id FROM t FOR UPDATE
SELECT id, count(*) FROM t
SELECT id FROM t UNION SELECT 'x'::text
SELECT a.id FROM t a, t b WHERE id = 1
SELECT max(max(id)) FROM t
SELECT id FROM t WHERE max(id) > 1
SELECT row_number() FROM t
SELECT * FROM generate_series(1,2) WITH ORDINALITY AS (x int)
SELECT * FROM f(1) AS x
SELECT '(1,2)'::record
SELECT E'\xff'
INSERT INTO t VALUES (1,2,3,4,5,6)
INSERT INTO t (id, id) VALUES (1, 2)
INSERT INTO t (nonsense) VALUES (1)
UPDATE t SET a = DEFAULT WHERE id = 1
UPDATE t SET nonsense = 1
UPDATE t SET id = 3 WHERE id = 1
DELETE FROM nonsense
INSERT INTO t (id, a) VALUES (1, 1) ON CONFLICT (a) DO NOTHING
INSERT INTO t (id, a) VALUES (1, 1) ON CONFLICT DO UPDATE SET a = 1
CREATE TABLE x1 (i int, i int)
CREATE TABLE x1 (i nonsense)
CREATE INDEX ON t (nonsense)
CREATE TYPE t AS ENUM ('a')
CREATE TYPE en AS ENUM ('a', 'a')
CREATE FUNCTION f1() RETURNS int LANGUAGE nonsense AS ''
CREATE FUNCTION f1() RETURNS int LANGUAGE sql AS 'SELECT nonsense'
CREATE EXTENSION nonsense
CREATE ROLE postgres
DROP TABLE nonsense
DROP TYPE nonsense
DROP ROLE nonsense
DROP FUNCTION nonsense()
DROP SCHEMA nonsense
ALTER TABLE t DROP COLUMN nonsense
ALTER TABLE t ALTER COLUMN a TYPE int4range
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 5)
ALTER TABLE t ADD CONSTRAINT c2 UNIQUE (nonsense)
SET nonsense = 1
SET work_mem = 'x'
SET TIME ZONE 'Nowhere'
SET TRANSACTION ISOLATION LEVEL nonsense
SHOW nonsense
GRANT SELECT ON nonsense TO public
LISTEN ""
EXECUTE nonsense
DEALLOCATE nonsense
CLOSE nonsense
FETCH nonsense
VACUUM nonsense
COMMENT ON TABLE nonsense IS 'x'
REFRESH MATERIALIZED VIEW nonsense
CALL nonsense()
EXPLAIN (nonsense) SELECT 1
LOCK TABLE nonsense
NOTIFY ""
