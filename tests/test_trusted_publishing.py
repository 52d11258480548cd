"""uv exchanges the token of a job on GitLab for one of PyPI, and uploads the files with their attestations.

A server on this machine is PyPI; uv talks to it over https, with a certificate made for the test.
"""

import json
import shlex
import ssl
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conftest import Render
from ship import load_yaml, need, run

Request = tuple[str, str, bytes]  # path, Authorization, body
FILES = ["sample-0.1.0-py3-none-any.whl", "sample-0.1.0-py3-none-any.whl.publish.attestation"]


class Pypi(BaseHTTPRequestHandler):
    """The parts of PyPI that trusted publishing uses."""

    requests: list[Request]

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def answer(self, status: int, **body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        found = self.path == "/_/oidc/audience"
        self.answer(200 if found else 404, audience="pypi")

    def do_POST(self) -> None:
        body = self.body()
        self.requests.append((self.path, self.headers.get("Authorization", ""), body))
        refused = self.path == "/_/oidc/mint-token" and json.loads(body) != {"token": "from-gitlab"}
        self.answer(422 if refused else 200, success=not refused, token="from-pypi", message="no such publisher")

    def body(self) -> bytes:
        if length := self.headers.get("Content-Length"):
            return self.rfile.read(int(length))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A folder with ca.pem, and cert.pem and key.pem for localhost."""
    need("openssl")
    (tmp_path / "names").write_text("subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n", encoding="utf-8")
    for command in (
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -addext basicConstraints=critical,CA:TRUE",
        "req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=localhost",
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out cert.pem",
    ):
        run(tmp_path, "openssl", *command.split())
    return tmp_path


@pytest.fixture
def pypi(certificate: Path) -> Iterator[tuple[str, list[Request]]]:
    """The host of the server, and what it was asked."""
    requests: list[Request] = []
    handler = type("Handler", (Pypi,), {"requests": requests})
    with ThreadingHTTPServer(("localhost", 0), handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"localhost:{server.server_port}", requests
        server.shutdown()


@pytest.mark.system(
    "MATURIN_PYPI_TOKEN", ran="it is not needed: uv gets a token from a stand-in for PyPI", unverified="PyPI itself"
)
@pytest.mark.system(
    "PYPI_API_TOKEN", ran="it is not needed: uv gets a token from a stand-in for PyPI", unverified="PyPI itself"
)
@pytest.mark.parametrize("token", ["from-gitlab", "from-elsewhere"])
def test_uv_publishes_with_the_token_of_the_job(
    render: Render, certificate: Path, pypi: tuple[str, list[Request]], token: str, tmp_path: Path
) -> None:
    need("uv")
    host, requests = pypi
    project = render("trusted", {"repository_url": "https://gitlab.com/ada/sample"})
    job = load_yaml(project / ".gitlab-ci.yml")["publish"]
    assert job["id_tokens"]["PYPI_ID_TOKEN"] == {"aud": "pypi"}  # uv derives the name from the audience
    (upload,) = (line for line in job["script"] if line.startswith("uv publish "))
    dist = tmp_path / "dist"
    dist.mkdir()
    with zipfile.ZipFile(dist / FILES[0], "w") as wheel:
        info = "sample-0.1.0.dist-info/"
        wheel.writestr(f"{info}METADATA", "Metadata-Version: 2.1\nName: sample\nVersion: 0.1.0\n")
        wheel.writestr(f"{info}WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}RECORD", "")
    (dist / FILES[1]).write_text('{"version": 1}', encoding="utf-8")
    command = shlex.split(
        upload.replace("pypi.org", host).replace("dist/*", " ".join(f"dist/{name}" for name in FILES))
    )
    settings = {"UV_PUBLISH_URL": f"https://{host}/legacy/", "SSL_CERT_FILE": str(certificate / "ca.pem")}
    there = {"CI": "true", "GITLAB_CI": "true", "GITHUB_ACTIONS": "", "NO_PROXY": "localhost", "PYPI_ID_TOKEN": token}
    done = run(tmp_path, *command, check=False, **settings, **there)
    paths = [path for path, *_ in requests]
    if token == "from-elsewhere":
        assert done.returncode != 0
        assert "/legacy/" not in paths
        return
    assert done.returncode == 0, done.stdout
    assert paths == ["/_/oidc/mint-token", "/legacy/", "/_/oidc/burn-token"]
    _, authorization, body = requests[1]
    assert authorization == "Basic X190b2tlbl9fOmZyb20tcHlwaQ=="  # __token__:from-pypi
    assert b'name="attestations"' in body
