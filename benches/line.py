"""A line to a server, which may be a long one."""

import queue
import socket
import threading
import time

CHUNK = 256 * 1024


class Line:
    """A line to a server that is so many seconds long, there and back, and counts what passes."""

    def __init__(self, target: str, round_trip: float) -> None:
        host, port = target.split(":")
        self.target = (host, int(port))
        self.delay = round_trip / 2
        self.bytes = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.host = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        # The hand-shake of a connection takes a round trip too.
        time.sleep(2 * self.delay)
        far = socket.create_connection(self.target)
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._carry(near, far)
        self._carry(far, near)

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        """Passes on what comes, each piece after the delay, without keeping the next one waiting."""
        pieces: queue.Queue[tuple[float, bytes]] = queue.Queue(maxsize=256)

        def receive() -> None:
            piece = b"-"
            while piece:
                try:
                    piece = source.recv(CHUNK)
                except OSError:
                    piece = b""
                pieces.put((time.monotonic() + self.delay, piece))

        def send() -> None:
            is_open = True
            while True:
                due, piece = pieces.get()
                time.sleep(max(0.0, due - time.monotonic()))
                try:
                    if not piece:
                        sink.shutdown(socket.SHUT_WR)
                    elif is_open:
                        sink.sendall(piece)
                        self.bytes += len(piece)
                except OSError:
                    is_open = False
                if not piece:
                    return

        for work in (receive, send):
            threading.Thread(target=work, daemon=True).start()
