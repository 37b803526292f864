"""The stand that the contenders meet on: registries with TLS, lines to them, an AWS API."""

import json
import queue
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

CHUNK = 256 * 1024


def certificates(folder: Path) -> Path:
    """Makes an authority and a certificate for 127.0.0.1; returns the authority's."""
    subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
        " -subj /CN=compare -keyout ca.key -out ca.pem"
        " && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        " -subj /CN=127.0.0.1 -keyout server.key -out server.csr"
        " && printf 'subjectAltName=IP:127.0.0.1\\nbasicConstraints=CA:FALSE\\n' >server.ext"
        " && openssl x509 -req -days 2 -CA ca.pem -CAkey ca.key -CAcreateserial"
        " -extfile server.ext -in server.csr -out server.pem",
        shell=True,
        check=True,
        cwd=folder,
        capture_output=True,
    )
    return folder / "ca.pem"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Service:
    """A process that ends with the stand."""

    def __init__(self, folder: Path, command: list[str], environment: dict[str, str]) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.out, self.log = folder / "out", folder / "log"
        with self.out.open("wb") as out, self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=log
            )

    def wait_for(self, is_ready) -> None:
        deadline = time.monotonic() + 30
        while not is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.process.args[0]} did not start: {self.log.read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder)


class Registry(Service):
    """Debian's `docker-registry` with an empty store and a certificate. Its access log has a line
    for each request."""

    def __init__(self, folder: Path, keys: Path, environment: dict[str, str]) -> None:
        port = free_port()
        self.host = f"127.0.0.1:{port}"
        configuration = folder.with_suffix(".json")
        configuration.write_text(f"""{{
                "version": 0.1,
                "log": {{"level": "error"}},
                "storage": {{
                    "filesystem": {{"rootdirectory": "{folder}/store"}},
                    "delete": {{"enabled": true}}
                }},
                "http": {{
                    "addr": "{self.host}",
                    "tls": {{"certificate": "{keys}/server.pem", "key": "{keys}/server.key"}}
                }}
            }}""")
        super().__init__(folder, ["docker-registry", "serve", str(configuration)], environment)
        self.wait_for(lambda: _listens(port))

    def requests(self) -> list[str]:
        """The method and path of each request so far."""
        return re.findall(r'"([A-Z]+ /v2/\S*) HTTP', self.out.read_text())


class Sandbox(Service):
    """longshore's stand-in for ECR: the AWS API, and a registry of ECR's dialect."""

    def __init__(self, folder: Path, longshore: str, environment: dict[str, str]) -> None:
        command = [longshore, "sandbox", "-vv", "--data", f"{folder}/data"]
        super().__init__(folder, command, environment)
        self.wait_for(lambda: "AWS_REGION" in self.out.read_text())
        exports = re.findall(r"export (AWS_\w+)=(\S+)", self.out.read_text())
        self.environment = dict(exports)

    def call(self, operation: str, **arguments: object) -> dict:
        """Calls ECR's API."""
        request = urllib.request.Request(
            self.environment["AWS_ENDPOINT_URL"],
            json.dumps(arguments).encode(),
            {
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": f"AmazonEC2ContainerRegistry_V20150921.{operation}",
            },
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def requests(self) -> list[str]:
        """Each request so far."""
        return re.findall(r"^(?:api|registry|storage) .*", self.log.read_text(), re.MULTILINE)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


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
