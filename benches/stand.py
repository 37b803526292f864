"""The stand that the contenders meet on: registries with TLS, an AWS API."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request
from pathlib import Path


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
    """longshore's stand-in for ECR: the AWS API, and a registry of ECR's dialect. It keeps what it
    gets in memory: ECR does not write to the disk of the machine that pushes, and a daemon's first
    container waits until all that was written there is on the disk."""

    def __init__(self, folder: Path, longshore: str, environment: dict[str, str]) -> None:
        command = [longshore, "sandbox", "-vv"]
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


class Stand:
    """An upstream, and a folder for each destination."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0
        authority = certificates(folder)
        self.environment = {"PATH": os.environ["PATH"], "SSL_CERT_FILE": str(authority)}
        self.trust = ssl.create_default_context(cafile=authority)
        self.upstream = Registry(folder / "upstream", folder, self.environment)

    def next_folder(self) -> Path:
        self.count += 1
        return self.folder / f"destination-{self.count}"

    def close(self) -> None:
        self.upstream.stop()
