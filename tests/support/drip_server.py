"""A server that answers at once, and then a byte at a time: the slow one of the tests and benches about places."""
import contextlib
import socket
import threading


class DripServer:
    """Listens on loopback; each connection gets the head of a Git answer and then a byte every `every_s` until it is closed."""

    HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n\r\n001e# service=git-upload-pack\n"

    def __init__(self, every_s=1.0):
        self.every_s, self.over, self.open, self.lock = every_s, threading.Event(), 0, threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.threads = []

    def count(self, more):
        with self.lock:
            self.open += more

    def drip(self, connection):
        self.count(1)
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(self.HEAD)
            while not self.over.wait(self.every_s):
                connection.sendall(b"0")
        self.count(-1)

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                thread = threading.Thread(target=self.drip, args=(connection,), daemon=True)
                thread.start()
                self.threads.append(thread)

    def __enter__(self):
        self.acceptor = threading.Thread(target=self.serve, daemon=True)
        self.acceptor.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.acceptor.join(5)
        for thread in self.threads:
            thread.join(5)
