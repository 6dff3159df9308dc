#!/usr/bin/env python3
"""A broker with TLS and passwords: a proxy before the one that the mock cluster has.

    proxy.py HOST:PORT CERTIFICATE KEY AUTHORITY [USER PASSWORD]    CERTIFICATE -: without TLS

It prints its own HOST:PORT. Clients have to show a certificate of AUTHORITY, unless that is -. With USER they have to say who
they are by SASL/PLAIN.
"""
import socket
import ssl
import struct
import sys
import threading

HANDSHAKE, VERSIONS, AUTHENTICATE = 17, 18, 36
broker, certificate, key, authority = sys.argv[1:5]
token = b"\0" + b"\0".join(word.encode() for word in sys.argv[5:7])
has_users = len(sys.argv) > 5
host, port = broker.rsplit(":", 1)
listener = socket.create_server(("127.0.0.1", 0))
own = listener.getsockname()[1]
context = None
if certificate != "-":
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    if authority != "-":
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED


def frames(source):
    """Each request or answer, with its length before it."""
    stream = source.makefile("rb")
    while len(head := stream.read(4)) == 4:
        yield head + stream.read(struct.unpack(">i", head)[0])


def answer(request):
    """What a broker says to a client that has not yet said who it is, to such a request; None: nothing."""
    kind, _, number = struct.unpack(">hhi", request[4:12])
    if kind == HANDSHAKE:
        said = struct.pack(">hih", 0, 1, 5) + b"PLAIN"
    elif kind == AUTHENTICATE and request.endswith(struct.pack(">i", len(token)) + token):
        said = struct.pack(">hhi", 0, -1, 0)
    elif kind == AUTHENTICATE:
        said = struct.pack(">hh12si", 58, 12, b"bad password", 0)
    else:
        return None
    return struct.pack(">ii", 4 + len(said), number) + said


def to_broker(client, server, versions):
    is_known = not has_users
    for frame in frames(client):
        kind = struct.unpack(">h", frame[4:6])[0]
        if kind == VERSIONS:
            versions.add(frame[8:12])
        if is_known or kind == VERSIONS:
            server.sendall(frame)
        elif said := answer(frame):
            client.sendall(said)
            is_known = kind == AUTHENTICATE and said[8:10] == b"\0\0"
        else:
            break
    for end in client, server:
        end.close()


def to_client(client, server, versions):
    """The broker says where it is; so that clients come back here, that becomes where this is. It learns what is done here."""
    there, here = (host.encode() + struct.pack(">i", int(number)) for number in (port, own))
    for frame in frames(server):
        if has_users and frame[4:8] in versions:
            count = struct.unpack(">i", frame[10:14])[0]
            ours = struct.pack(">hhhhhh", HANDSHAKE, 0, 1, AUTHENTICATE, 0, 0)
            frame = frame[4:10] + struct.pack(">i", count + 2) + ours + frame[14:]
            frame = struct.pack(">i", len(frame)) + frame
        client.sendall(frame.replace(there, here))


def serve(client):
    try:
        client = context.wrap_socket(client, server_side=True) if context else client
        server = socket.create_connection((host, int(port)))
        versions = set()  # the numbers of requests that ask which ones there are
        threading.Thread(target=quiet, args=(to_client, client, server, versions), daemon=True).start()
        to_broker(client, server, versions)
    finally:
        client.close()


def quiet(function, *arguments):
    try:
        function(*arguments)
    except OSError:
        pass


print(f"127.0.0.1:{own}", flush=True)
while True:
    threading.Thread(target=quiet, args=(serve, listener.accept()[0]), daemon=True).start()
