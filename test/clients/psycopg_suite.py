"""psycopg 3 against a server: every type in text and binary, prepared statements, pipelines, errors, transactions, cancel. Prints TAP."""

import datetime as dt
import ipaddress
import os
import re
import threading
import uuid
from decimal import Decimal

import psycopg
from psycopg import pq
from psycopg.types.json import Json, Jsonb

count = 0


def check(ok, what):
    global count
    count += 1
    print(f"{'ok' if ok else 'not ok'} {count} - {what}".replace("\n", " "), flush=True)


def same(got, expected, what):
    # repr tells -0.0 from 0.0, True from 1, and finds NaN equal to itself.
    check(repr(got) == repr(expected), what if repr(got) == repr(expected) else f"{what}: got {got!r}, expected {expected!r}")


def connect():
    return psycopg.connect(host=os.environ["PGHOST"], port=os.environ["PGPORT"], user="tester", dbname="clients", autocommit=True)


UTC = dt.timezone.utc
LIST = [1, None, 32767, -32768]
UUID = uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
INF, NAN = float("inf"), float("nan")
VALUES = [
    ("bigint", [0, -(2**63), 2**63 - 1, None]),
    ("integer", [0, -(2**31), 2**31 - 1, None]),
    ("smallint", [0, -32768, 32767, None]),
    ("text", ["", "äöü 漢字 🙂", "it's \\ \"q\"\n", "x" * 100_000, None]),
    ("varchar(12)", ["twelve chars", "", None]),
    ("char(4)", ["ab  ", "äö漢🙂", None]),
    ("boolean", [True, False, None]),
    ("double precision", [0.0, -0.0, 0.1, 1.7976931348623157e308, 5e-324, INF, -INF, NAN, None]),
    ("real", [0.0, -0.0, 0.5, -(2.0**10), INF, -INF, NAN, None]),
    ("numeric", [Decimal(text) for text in ("0", "-0.001", "1.50", "123456789012345678901234567890.123456789", "9" * 400, "NaN")] + [None]),
    ("numeric(10,2)", [Decimal("-99999999.99"), Decimal("0.10"), None]),
    ("bytea", [b"", b"\x00\xff\x10", bytes(range(256)) * 200, None]),
    ("date", [dt.date(2024, 2, 29), dt.date(1, 1, 1), dt.date(9999, 12, 31), None]),
    ("time", [dt.time(0), dt.time(12, 34, 56, 789012), dt.time(23, 59, 59, 999999), None]),
    ("timestamptz", [dt.datetime(2024, 2, 29, 12, 34, 56, 789012, UTC), dt.datetime(1969, 12, 31, 23, 59, 59, 999999, UTC), dt.datetime(9999, 12, 31, 23, 59, 59, 999999, UTC), None]),
    ("timestamp", [dt.datetime(2024, 2, 29, 12, 34, 56, 500000), dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999999), None]),
    ("jsonb", [{"a": [1, 2.5, None], "bb": "x"}, [], "ä🙂", None]),
    ("json", [{"b": 1, "a": "x"}, None]),
    ("uuid", [UUID, uuid.UUID(int=0), uuid.UUID(int=2**128 - 1), None]),
    ("interval", [dt.timedelta(0), dt.timedelta(days=-3, hours=4, microseconds=7), dt.timedelta(days=40, seconds=3), None]),
    ("inet", [ipaddress.ip_address("10.0.0.1"), ipaddress.ip_interface("10.0.0.1/8"), ipaddress.ip_address("fe80::1"), None]),
    ("cidr", [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("2001:db8::/32"), None]),
    ("timetz", [dt.time(12, 34, 56, 789012, UTC), dt.time(0, 0, tzinfo=dt.timezone(dt.timedelta(hours=-5, minutes=-30))), None]),
    ("interval[]", [[dt.timedelta(days=1), None, dt.timedelta(seconds=-1)], None]),
    ("inet[]", [[ipaddress.ip_interface("10.0.0.1/8"), None, ipaddress.ip_interface("::1/64")], None]),
    ("bigint[]", [[], [1, None, -(2**63), 2**63 - 1], None]),
    ("integer[]", [LIST, None]),
    ("smallint[]", [LIST, [], None]),
    ("text[]", [["a b", None, "", 'q"', "back\\slash", "NULL", "{,}", " ä🙂"], None]),
    ("boolean[]", [[True, None, False], None]),
    ("double precision[]", [[1.5, None, -0.0, INF, NAN], None]),
    ("real[]", [[0.5, None, -INF], None]),
    ("numeric[]", [[Decimal("1.50"), None, Decimal("NaN")], None]),
    ("bytea[]", [[b"", None, b"\x00\xff"], None]),
    ("date[]", [[dt.date(2024, 2, 29), None], None]),
    ("timestamptz[]", [[dt.datetime(2024, 2, 29, 12, 34, 56, 1, UTC), None], None]),
    ("timestamp[]", [[dt.datetime(2024, 2, 29, 12, 34, 56, 1), None], None]),
    ("uuid[]", [[UUID, None], None]),
    ("jsonb[]", [[{"a": [1, None]}, None, []], None]),
]


def wrapped(typename, value):
    """JSON has to be marked as such."""
    if value is None or not typename.startswith("json"):
        return value
    wrap = Jsonb if typename.startswith("jsonb") else Json
    return [None if part is None else wrap(part) for part in value] if typename.endswith("[]") else wrap(value)


def raw(cursor):
    """The cells of the first column as the server sent them."""
    return [cursor.pgresult.get_value(row, 0) for row in range(cursor.pgresult.ntuples)]


def check_types(conn):
    for typename, values in VALUES:
        table = "types_" + re.sub(r"\W+", "_", typename.replace("[]", "_array"))
        sent = [wrapped(typename, value) for value in values]
        for first, mark in ((2000, "%t"), (2100, "%b")):
            conn.cursor().executemany(f"insert into {table} values (%s, {mark}::{typename})", [(first + n, value) for n, value in enumerate(sent)])
        for binary in (False, True):
            cursor = conn.cursor(binary=binary).execute(f"select v from {table} where id >= 2000 and id < 3000 order by id")
            read = raw(cursor)
            same([row[0] for row in cursor.fetchall()], values + values, f"{typename} {'binary' if binary else 'text'}")
            # Byte for byte what PostgreSQL itself makes of such values.
            constants = " union all ".join(f"select %b::{typename}" for _ in sent)
            made = raw(conn.cursor(binary=binary).execute(constants, sent))
            same(read, made + made, f"{typename} bytes of {'binary' if binary else 'text'}")


def check_statements(conn):
    conn.execute("create table py (id bigint primary key, n integer not null, v varchar(5), constraint py_pos check (n >= 0))")
    cursor = conn.cursor()
    cursor.executemany("insert into py values (%s, %s, %s)", [(n, n * 10, None) for n in range(20)])
    same(cursor.rowcount, 20, "executemany in one pipeline")
    cursor.executemany("update py set v = %s where id = %s returning id", [("a", 1), ("b", 2)], returning=True)
    same([cursor.fetchone(), cursor.nextset(), cursor.fetchone()], [(1,), True, (2,)], "executemany with results")
    with conn.pipeline():
        first = conn.execute("select count(*) from py")
        second = conn.execute("select max(n) from py where id < %s", (5,))
    same((first.fetchone(), second.fetchone()), ((20,), (40,)), "pipeline")
    for _ in range(7):
        same(conn.execute("select n from py where id = %s", (3,)).fetchone(), (30,), "prepared after five times")
    same([row[0] for row in conn.cursor().stream("select id from py where id < %s order by id", (4,))], [0, 1, 2, 3], "row by row")
    same(conn.execute("update py set v = null").statusmessage, "UPDATE 20", "command tag")
    same(conn.execute("select n / 3 from py where id = 1", binary=True).fetchone(), (3,), "an expression in binary")


def failing(conn, text, params=None):
    try:
        conn.execute(text, params)
        return None
    except psycopg.Error as error:
        diag = error.diag
        return (error.sqlstate, diag.constraint_name, diag.column_name, diag.message_detail)


def check_errors(conn):
    same(failing(conn, "insert into py values (1, 1)"), ("23505", "py_pkey", None, "Key (id)=(1) already exists."), "duplicate key")
    same(failing(conn, "insert into py (id) values (%s)", (100,)), ("23502", None, "n", "Failing row contains (100, null, null)."), "not null")
    same(failing(conn, "insert into py values (%s, %b)", (100, -1)), ("23514", "py_pos", None, "Failing row contains (100, -1, null)."), "check")
    same(failing(conn, "insert into py values (100, 1, %s)", ("too long",)), ("22001", None, None, None), "too long")
    same(failing(conn, "insert into py values (100, %s)", (2**31,)), ("22003", None, None, None), "out of range")
    same(failing(conn, "select 1 / %s", (0,)), ("22012", None, None, None), "division by zero")
    try:
        conn.execute("select nocol from py")
    except psycopg.errors.UndefinedColumn as error:
        same((error.diag.statement_position, error.diag.severity_nonlocalized), ("8", "ERROR"), "position")
    good = conn.cursor()
    try:
        with conn.pipeline():
            good.execute("select 1")
            conn.execute("insert into py values (1, 1)")
            conn.execute("delete from py")
        check(False, "an error in a pipeline")
    except psycopg.errors.UniqueViolation:
        check(True, "an error in a pipeline")
    same(good.fetchone(), (1,), "what stood before it")
    same(conn.execute("select count(*) from py").fetchone(), (20,), "and the connection goes on")


class Undo(Exception):
    pass


def check_transactions(conn):
    def ids():
        return [row[0] for row in conn.execute("select id from py where id >= 200 order by id").fetchall()]

    try:
        with conn.transaction():
            conn.execute("insert into py values (200, 1)")
            same(ids(), [200], "seen inside")
            raise Undo
    except Undo:
        pass
    same(ids(), [], "rolled back")
    with conn.transaction():
        conn.execute("insert into py values (201, 1)")
        try:
            with conn.transaction():
                conn.execute("insert into py values (202, 1)")
                conn.execute("insert into py values (201, 1)")
        except psycopg.errors.UniqueViolation:
            pass
        same(conn.info.transaction_status, pq.TransactionStatus.INTRANS, "in a transaction after a savepoint")
        conn.execute("insert into py values (203, 1)")
    same(ids(), [201, 203], "committed, without what the savepoint undid")
    same(conn.info.transaction_status, pq.TransactionStatus.IDLE, "idle afterwards")
    with connect() as other:
        other.autocommit = False
        other.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        other.read_only = True
        same(other.execute("select current_setting('transaction_isolation'), current_setting('transaction_read_only')").fetchone(), ("serializable", "on"), "characteristics")
        same(failing(other, "delete from py")[0], "25006", "read only")
        other.rollback()


def check_cancel(conn):
    finished = threading.Event()

    def cancel():
        # One that comes before the server has begun the statement is lost.
        while not finished.wait(0.1):
            conn.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    result = failing(conn, "select pg_sleep(60)")
    finished.set()
    thread.join()
    same(result[0], "57014", "cancel")
    same(conn.execute("select 1").fetchone(), (1,), "goes on after cancel")


with connect() as conn:
    conn.execute("set timezone to 'UTC'")
    same((conn.info.server_version // 10000 >= 15, conn.info.encoding, conn.info.dbname), (True, "utf-8", "clients"), "connect")
    check_types(conn)
    check_statements(conn)
    check_errors(conn)
    check_transactions(conn)
    check_cancel(conn)
print(f"1..{count}")
