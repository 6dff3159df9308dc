"""Messages in a directory queue, by its own module.

    dirq-client.py DIRECTORY put      standard input is a message
    dirq-client.py DIRECTORY lines    each line is one
    dirq-client.py DIRECTORY one      take a message, print it, remove it
    dirq-client.py DIRECTORY drain    take all there are
"""

import sys

from dirq.QueueSimple import QueueSimple


def take(queue, most=None):
    taken = 0
    for name in queue:
        if not queue.lock(name):
            continue
        body = queue.get(name)
        sys.stdout.buffer.write((body if isinstance(body, bytes) else body.encode()) + b"\n")
        sys.stdout.buffer.flush()
        queue.remove(name)
        taken += 1
        if taken == most:
            break


def main(directory, verb):
    queue = QueueSimple(directory)
    if verb == "put":
        queue.add(sys.stdin.buffer.read())
    elif verb == "lines":
        for line in sys.stdin.buffer:
            queue.add(line[:-1])
    else:
        take(queue, 1 if verb == "one" else None)


main(*sys.argv[1:])
