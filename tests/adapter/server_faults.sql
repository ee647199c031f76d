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
