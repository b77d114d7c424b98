-- One of everything that a copy of a database can lose. @owner and @reader are roles.
CREATE SCHEMA "Odd Schema" AUTHORIZATION @owner;
CREATE SCHEMA ext;
CREATE EXTENSION vector SCHEMA public;
CREATE EXTENSION hstore SCHEMA ext;
CREATE EXTENSION citext SCHEMA ext;
GRANT USAGE ON SCHEMA ext TO @owner;
SET ROLE @owner;
CREATE TYPE mood AS ENUM ('sad', 'so-so', 'happy');
CREATE TYPE pair AS (first int, second text);
CREATE DOMAIN positive AS numeric CHECK (VALUE > 0);
CREATE FUNCTION doubled(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := 'touched'; RETURN NEW; END $$;
CREATE TABLE value (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, gone text, a_text text, a_careless ext.citext,
    a_name varchar(20) CHECK (a_name IN ('one', 'two')), a_bool bool, a_float float8, a_real real, a_number numeric,
    a_moment timestamptz, a_plain timestamp, a_day date, a_span interval, a_time time, a_zoned timetz, some_bytes bytea,
    an_id uuid, a_net inet, a_mac macaddr, some_bits varbit, a_point point, a_json json, a_jsonb jsonb, a_mood mood,
    a_pair pair, a_positive positive, a_range int4range, a_list int[], some_words tsvector, a_store ext.hstore,
    a_vector vector(3), a_half halfvec(2), a_sparse sparsevec(5), money money, a_class regclass,
    twice int GENERATED ALWAYS AS (id * 2) STORED);
ALTER TABLE value DROP COLUMN gone;
ALTER TABLE value ADD COLUMN gone int DEFAULT 7;
INSERT INTO value (a_text, a_careless, a_name, a_bool, a_float, a_real, a_number, a_moment, a_plain, a_day, a_span, a_time,
    a_zoned, some_bytes, an_id, a_net, a_mac, some_bits, a_point, a_json, a_jsonb, a_mood, a_pair, a_positive, a_range,
    a_list, some_words, a_store, a_vector, a_half, a_sparse, money, a_class)
SELECT 'text ' || n, 'Word', 'one', n % 2 = 0, CASE n WHEN 1 THEN 'NaN' WHEN 2 THEN '-0' ELSE 0.1 + 0.2 END, (n / 3.0)::real, n / 7.0,
    CASE n WHEN 1 THEN 'infinity'::timestamptz ELSE '2026-03-29 01:30+01' END, '2026-01-01', CASE n WHEN 1 THEN '0044-03-15 BC'::date END,
    CASE n WHEN 1 THEN '1 mon'::interval WHEN 2 THEN '-1 day +02:03' ELSE '30 days' END, '24:00', '12:00+02', '\x00ff', gen_random_uuid(),
    '10.0.0.1/8', '08:00:2b:01:02:03', B'101', point(n, -n), '{"a":  1}', '{"a": 1.0}', 'so-so', (n, NULL::text)::pair, 1.00, '[1,5)',
    '[0:1]={1,2}', 'fat:1 cat:2', 'a=>1', '[1,2,3]', '[1,2]', '{1:1}/5', 12.34, 'value'
FROM generate_series(1, 50) n;
CREATE INDEX value_near ON value USING hnsw (a_vector vector_l2_ops);
CREATE INDEX value_text ON value (lower(a_text)) WHERE a_bool;
CREATE STATISTICS value_both ON a_bool, a_mood FROM value;
CREATE TABLE twin (a int, b text);
INSERT INTO twin VALUES (1, NULL), (1, NULL), (1, ''), (2, 'x');
CREATE TABLE "Odd Schema"."Ünlikely ""Table""" ("select" int, note text DEFAULT 'x''y');
INSERT INTO "Odd Schema"."Ünlikely ""Table""" SELECT n FROM generate_series(1, 20) n;
CREATE TRIGGER touching BEFORE INSERT ON "Odd Schema"."Ünlikely ""Table""" FOR EACH ROW EXECUTE FUNCTION touched();
CREATE TABLE nothing ();
INSERT INTO nothing DEFAULT VALUES;
CREATE TABLE empty (id serial PRIMARY KEY);
CREATE UNLOGGED TABLE unlogged AS SELECT 1 AS a;
CREATE TABLE event (at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE event_2025 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE event_2026 (what text, at date NOT NULL);
ALTER TABLE event ATTACH PARTITION event_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO event VALUES ('2025-05-05', 'old'), ('2026-05-05', 'new');
CREATE TABLE parent (id int);
CREATE TABLE child (more int) INHERITS (parent);
INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 3);
CREATE TABLE hen (id int PRIMARY KEY, egg int); CREATE TABLE egg (id int PRIMARY KEY, hen int REFERENCES hen);
ALTER TABLE hen ADD CONSTRAINT hen_egg FOREIGN KEY (egg) REFERENCES egg DEFERRABLE;
INSERT INTO hen VALUES (1); INSERT INTO egg VALUES (1, 1); UPDATE hen SET egg = 1;
CREATE TABLE guarded (id int, who text); INSERT INTO guarded VALUES (1, 'a'), (2, 'b');
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; ALTER TABLE guarded FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON guarded TO @reader USING (who = current_user);
CREATE VIEW happy AS SELECT id, a_text FROM value WHERE a_mood IN ('happy', 'so-so');
CREATE MATERIALIZED VIEW counted AS SELECT a_mood, count(*) FROM value GROUP BY 1;
CREATE SEQUENCE ticket START 100 INCREMENT 5; SELECT nextval('ticket');
CREATE SEQUENCE unused;
CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); INSERT INTO alembic_version VALUES ('20260101_first');
SELECT lo_from_bytea(4242, '\xdeadbeef');
GRANT SELECT ON LARGE OBJECT 4242 TO @reader;
COMMENT ON TABLE twin IS 'two that are one'; COMMENT ON COLUMN twin.a IS 'first';
GRANT SELECT ON value TO @reader WITH GRANT OPTION;
GRANT UPDATE (b) ON twin TO @reader;
GRANT USAGE ON SCHEMA "Odd Schema" TO @reader;
REVOKE EXECUTE ON FUNCTION doubled(int) FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO @reader;
RESET ROLE;
CREATE PUBLICATION pairs FOR TABLE hen;
ALTER TABLE parent OWNER TO @reader;
ALTER DATABASE @database SET "TimeZone" TO 'Asia/Tokyo';
ALTER DATABASE @database SET "DateStyle" TO 'German, DMY';
ALTER DATABASE @database SET "IntervalStyle" TO 'sql_standard';
ALTER DATABASE @database SET extra_float_digits TO -5;
ALTER DATABASE @database SET bytea_output TO 'escape';
ALTER DATABASE @database SET lc_monetary TO 'C.UTF-8';
ALTER DATABASE @database SET search_path TO nowhere, public;
ALTER DATABASE @database SET statement_timeout TO '1ms';
ALTER DATABASE @database SET idle_in_transaction_session_timeout TO '5ms';
ALTER DATABASE @database SET transaction_timeout TO '250ms';
ALTER DATABASE @database SET default_transaction_read_only TO on;
ALTER DATABASE @database SET quote_all_identifiers TO on;
ALTER DATABASE @database SET row_security TO off;
ALTER ROLE @owner IN DATABASE @database SET work_mem TO '5MB';
GRANT CONNECT ON DATABASE @database TO @reader;
REVOKE ALL ON DATABASE @database FROM PUBLIC;
ALTER DATABASE @database CONNECTION LIMIT 50;
COMMENT ON DATABASE @database IS 'a test';
