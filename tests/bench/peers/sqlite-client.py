"""Messages in a table of SQLite, many to a process: by its own module, with prepared statements.

    sqlite-client.py FILE lines ROWS SYNCHRONOUS    each line of the input is a row; ROWS of them make a transaction
    sqlite-client.py FILE drain                     take a thousand at a time, print them, commit
"""

import itertools
import sqlite3
import sys

BATCH = 1000


def connect(file):
    database = sqlite3.connect(file, timeout=60, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    return database


def put_lines(database, rows, synchronous):
    database.execute("PRAGMA synchronous = " + synchronous)
    lines = (line[:-1] for line in sys.stdin.buffer)
    while batch := list(itertools.islice(lines, rows)):
        if rows == 1:
            database.execute("INSERT INTO queue (body) VALUES (?)", batch)
            continue
        database.execute("BEGIN IMMEDIATE")
        database.executemany("INSERT INTO queue (body) VALUES (?)", zip(batch))
        database.execute("COMMIT")


def drain(database):
    database.execute("PRAGMA synchronous = NORMAL")
    take = "DELETE FROM queue WHERE id IN (SELECT id FROM queue ORDER BY id LIMIT ?) RETURNING body"
    while True:
        database.execute("BEGIN IMMEDIATE")
        bodies = [body for (body,) in database.execute(take, (BATCH,))]
        sys.stdout.buffer.write(b"".join(body + b"\n" for body in bodies))
        sys.stdout.buffer.flush()
        database.execute("COMMIT")
        if not bodies:
            return


def main(file, verb, *arguments):
    database = connect(file)
    if verb == "lines":
        put_lines(database, int(arguments[0]), arguments[1])
    else:
        drain(database)


main(*sys.argv[1:])
