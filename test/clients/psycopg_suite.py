"""psycopg 3 against a server: every type in text and binary, pipelines, errors, transactions, cancel. Prints TAP."""

import datetime as dt
import json
import os
import threading
import uuid
from decimal import Decimal

import psycopg
from psycopg import pq

count = 0


def check(ok, what):
    global count
    count += 1
    print(f"{'ok' if ok else 'not ok'} {count} - {what}")


def same(got, expected, what):
    check(got == expected, what if got == expected else f"{what}: got {got!r}, expected {expected!r}")


UTC = dt.timezone.utc
VALUES = [
    ("bigint", [0, -(2**63), 2**63 - 1, None]),
    ("integer", [0, -(2**31), 2**31 - 1, None]),
    ("smallint", [0, -32768, 32767, None]),
    ("text", ["", "äöü 漢字 🙂", "it's \\ \"q\"\n", None]),
    ("varchar(12)", ["twelve chars", None]),
    ("boolean", [True, False, None]),
    ("double precision", [0.0, 0.1, 1.7976931348623157e308, 5e-324, float("inf"), None]),
    ("real", [0.0, 0.5, float("-inf"), None]),
    ("numeric", [Decimal("0"), Decimal("-0.001"), Decimal("1.50"), Decimal("123456789012345678901234567890.123456789"), None]),
    ("bytea", [b"", b"\x00\xff\x10", None]),
    ("date", [dt.date(2024, 2, 29), dt.date(1, 1, 1), dt.date(9999, 12, 31), None]),
    ("timestamptz", [dt.datetime(2024, 2, 29, 12, 34, 56, 789012, UTC), dt.datetime(9999, 12, 31, 23, 59, 59, 999999, UTC), None]),
    ("timestamp", [dt.datetime(2024, 2, 29, 12, 34, 56, 500000), dt.datetime(1, 1, 1), None]),
    ("jsonb", [{"a": [1, 2.5, None], "bb": "x"}, [], None]),
    ("uuid", [uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), None]),
    ("bigint[]", [[], [1, None, -(2**63)], None]),
    ("text[]", [["a b", None, "", 'q"'], None]),
    ("boolean[]", [[True, None, False], None]),
    ("numeric[]", [[Decimal("1.50"), None], None]),
    ("date[]", [[dt.date(2024, 2, 29), None], None]),
]

conn = psycopg.connect(host=os.environ["PGHOST"], port=os.environ["PGPORT"], user="tester", dbname="clients", autocommit=True)
conn.execute("set timezone to 'UTC'")
cur = conn.cursor()

for index, (typename, values) in enumerate(VALUES):
    table = f"py_type_{index}"
    cur.execute(f"create table {table} (id bigint primary key, v {typename})")
    for number, value in enumerate(values):
        sent = psycopg.types.json.Jsonb(value) if typename == "jsonb" and value is not None else value
        mark = "%b" if number % 2 else "%t"
        cur.execute(f"insert into {table} values (%s, {mark}::{typename})", (number, sent))
    for binary in (False, True):
        rows = conn.cursor(binary=binary).execute(f"select v from {table} order by id").fetchall()
        same([row[0] for row in rows], values, f"{typename} {'binary' if binary else 'text'}")

cur.execute("create table py (id bigint primary key, n integer not null, v varchar(5))")
cur.executemany("insert into py values (%s, %s, %s)", [(n, n * 10, None) for n in range(20)])
same(cur.rowcount, 20, "executemany in one pipeline")
with conn.pipeline():
    first = conn.execute("select count(*) from py")
    second = conn.execute("select max(n) from py where id < %s", (5,))
same((first.fetchone(), second.fetchone()), ((20,), (40,)), "pipeline")
for _ in range(7):
    same(conn.execute("select n from py where id = %s", (3,)).fetchone(), (30,), "prepared after five times")


def failing(text, params=None):
    try:
        conn.execute(text, params)
        return None
    except psycopg.Error as error:
        return error


error = failing("insert into py values (1, 1)")
same((error.sqlstate, error.diag.constraint_name, error.diag.table_name, error.diag.message_detail),
     ("23505", "py_pkey", "py", "Key (id)=(1) already exists."), "duplicate key")
error = failing("insert into py (id) values (100)")
same((error.sqlstate, error.diag.column_name), ("23502", "n"), "not null")
same(failing("insert into py values (100, 1, %s)", ("too long",)).sqlstate, "22001", "too long")
error = failing("select nocol from py")
same((error.sqlstate, error.diag.statement_position), ("42703", "8"), "position")

try:
    with conn.transaction():
        conn.execute("insert into py values (200, 1)")
        raise ValueError
except ValueError:
    pass
same(conn.execute("select count(*) from py where id = 200").fetchone(), (0,), "rolled back")
with conn.transaction():
    conn.execute("insert into py values (201, 1)")
same(conn.execute("select count(*) from py where id = 201").fetchone(), (1,), "committed")
same(conn.info.transaction_status, pq.TransactionStatus.IDLE, "idle afterwards")

threading.Timer(0.2, conn.cancel).start()
same(failing("select pg_sleep(10)").sqlstate, "57014", "cancel")
same(conn.execute("select 1").fetchone(), (1,), "goes on after cancel")
same(json.loads(conn.execute("select '{\"b\": 1}'::jsonb::text").fetchone()[0]), {"b": 1}, "a constant")
conn.close()
print(f"1..{count}")
