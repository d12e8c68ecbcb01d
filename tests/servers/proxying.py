"""A proxy on this machine, and a server with a certificate of its own authority."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

ANSWER = b'data: {"choices":[{"delta":{"content":"Hello"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


def authority(folder: Path, *names: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate for these names and addresses, signed by itself, and a context that serves it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    alternatives: list[x509.GeneralName] = []
    for name in names:
        try:
            alternatives.append(x509.IPAddress(ip_address(name)))
        except ValueError:
            alternatives.append(x509.DNSName(name))
    serial, after = x509.random_serial_number(), now + timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), serial, now - timedelta(hours=1), after)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


@contextmanager
def listening(serve: Any, family: int = socket.AF_INET) -> Iterator[int]:
    """A port whose connections are served, each in a thread."""
    threads: list[threading.Thread] = []
    open_ones: set[socket.socket] = set()

    def one(connection: socket.socket) -> None:
        open_ones.add(connection)
        with connection, suppress(OSError):
            serve(connection)
        open_ones.discard(connection)

    def accept(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threads.append(threading.Thread(target=one, args=(connection,)))
                threads[-1].start()

    with socket.socket(family) as listener:
        listener.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        listener.listen()
        acceptor = threading.Thread(target=accept, args=(listener,))
        acceptor.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            for connection in list(open_ones):
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()


@contextmanager
def secure_server(
    context: ssl.SSLContext, family: int = socket.AF_INET, content_type: str = "text/event-stream", body: bytes = ANSWER
) -> Iterator[int]:
    """Gives one answer to each connection, over TLS."""

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            _head_of(secured)
            head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
            secured.sendall(head.encode() + body)
            secured.recv(65_536)

    with listening(serve, family) as port:
        yield port


class TunnelProxy:
    """A proxy that takes every tunnel to one port of this machine, wherever it was meant to lead."""

    def __init__(self, leads_to: int = 0, *, status: str = "200 OK", wants_login: str = "") -> None:
        self.heads: list[str] = []
        """What was asked of it."""
        self._leads_to, self._status, self._wants_login = leads_to, status, wants_login

    @contextmanager
    def running(self) -> Iterator[int]:
        """Its port."""
        with listening(self._serve) as port:
            yield port

    def _serve(self, connection: socket.socket) -> None:
        head = _head_of(connection)
        self.heads.append(head)
        status = self._status
        if self._wants_login and f"Basic {self._wants_login}" not in head:
            status = "407 Proxy Authentication Required"
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        if not status.startswith("200") or not self._leads_to:
            return
        with socket.create_connection(("127.0.0.1", self._leads_to)) as server:
            back = threading.Thread(target=_copy, args=(server, connection))
            back.start()
            _copy(connection, server)
            back.join()


def _head_of(connection: socket.socket) -> str:
    head = b""
    while b"\r\n\r\n" not in head and (data := connection.recv(65_536)):
        head += data
    return head.decode("latin-1")


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
