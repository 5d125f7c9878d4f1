"""One step of psycopg 3 for each line of standard input; `done` on standard output after each."""

import sys

import psycopg

READ = "select n, v from item where id = %s"
WRITE = "update item set n = n + 1 where id = %s"
auto = None
manual = None


def connect():
    global auto, manual
    auto = psycopg.connect(autocommit=True)
    manual = psycopg.connect()


def transaction(*texts):
    with auto.transaction():
        for text in texts:
            auto.execute(text, (1,))


def nested():
    """A savepoint around each statement, as Django's atomic() makes them."""
    with auto.transaction():
        for text in (READ, WRITE):
            with auto.transaction():
                auto.execute(text, (1,))


def read_only():
    auto.read_only = True
    transaction(READ, READ)
    auto.read_only = None


def implicit():
    manual.execute(READ, (1,)).fetchall()
    manual.execute(WRITE, (1,))
    manual.commit()


def pipeline(*texts, prepare=False):
    with auto.pipeline():
        for text in texts:
            auto.execute(text, (1,), prepare=prepare)


STEPS = {
    "connect": connect,
    "select 1": lambda: auto.execute("select 1").fetchall(),
    "read": lambda: auto.execute(READ, (1,)).fetchall(),
    "read prepared": lambda: auto.execute(READ, (1,), prepare=True).fetchall(),
    "write": lambda: auto.execute(WRITE, (1,)),
    "write returning": lambda: auto.execute(f"{WRITE} returning n", (1,)).fetchall(),
    "transaction": lambda: transaction(READ, WRITE, WRITE),
    "nested transaction": nested,
    "read-only transaction": read_only,
    "empty transaction": transaction,
    "implicit transaction": implicit,
    "pipeline of reads": lambda: pipeline(READ, READ),
    "pipeline of writes": lambda: pipeline(WRITE, WRITE, WRITE),
    "pipeline of prepared writes": lambda: pipeline(WRITE, WRITE, WRITE, prepare=True),
    "executemany": lambda: auto.cursor().executemany(
        "insert into item values (%s, %s)", [(200 + n, n) for n in range(3)]
    ),
}

for line in sys.stdin:
    STEPS[line.strip()]()
    print("done", flush=True)
