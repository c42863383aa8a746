"""Servers on loopback: a real nginx, plain and with TLS, and peers that speak HTTP and then misbehave."""

import contextlib
import itertools
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

SWZIP = os.environ["SWZIP"]

CONFIGURATION = """
daemon off; master_process off; pid nginx.pid; error_log error.log; {user}
events {{ }}
http {{
  log_format short '$status $uri "$http_range"'; access_log access.log short;
  client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
  keepalive_requests 100000; default_type application/octet-stream;
  server {{
    listen 127.0.0.1:{plain}; listen 127.0.0.1:{secure} ssl;
    ssl_certificate server.pem; ssl_certificate_key server.key;
    root files;
    location /whole/ {{ alias files/; max_ranges 0; }}
    location /single/ {{ alias files/; max_ranges 1; }}
    location /untagged/ {{ alias files/; etag off; }}
    location /slow/ {{ alias files/; limit_rate 2m; }}
    location /page/ {{ default_type text/html; return 200 "<html><body>Sign in first</body></html>"; }}
    location /moved/ {{ rewrite ^/moved/(.*)$ /$1 redirect; }}
    location /circle {{ return 302 /circle; }}
    location /private/ {{ alias files/; auth_basic "models"; auth_basic_user_file users; }}
  }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def certificate(folder):
    """A certificate for 127.0.0.1 by an authority of its own, which `authority.pem` is."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "authority.key", "-out", "authority.pem",
            "-subj", "/CN=swzip test", "-days", "2")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "request",
            "-subj", "/CN=127.0.0.1")
    openssl("x509", "-req", "-in", "request", "-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial",
            "-out", "server.pem", "-days", "2", "-extfile", "names")


class Nginx:
    """Serves `files`."""

    def __init__(self):
        self._holder = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self._holder.name)
        self.files = self.folder / "files"
        self.files.mkdir()
        certificate(self.folder)
        (self.folder / "users").write_text("reader:{PLAIN}secret\n")
        ports = {"plain": free_port(), "secure": free_port()}
        self.plain, self.secure = f"http://127.0.0.1:{ports['plain']}", f"https://127.0.0.1:{ports['secure']}"
        user = "user root;" if os.getuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(CONFIGURATION.format(user=user, **ports))
        command = ["nginx", "-p", str(self.folder), "-c", "nginx.conf"]
        self._server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while self._status("/") == 0:
            if self._server.poll() is not None:
                raise RuntimeError((self.folder / "error.log").read_text())
            time.sleep(0.05)
        self._marks = 0
        self._status("/mark-0")

    def _status(self, path):
        try:
            return urllib.request.urlopen(self.plain + path).status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def close(self):
        self._server.terminate()
        self._server.wait()
        self._holder.cleanup()

    def requests(self):
        """The lines of the log since the last call. What nginx answered before a request of ours has a line before
        it."""
        self._marks += 1
        mark = f"/mark-{self._marks} "
        self._status(mark.strip())
        while mark not in (log := (self.folder / "access.log").read_text()):
            time.sleep(0.01)
        return log.partition(f"/mark-{self._marks - 1} ")[2].partition(mark)[0].splitlines()[1:-1]


class Peer:
    """Answers each request by `answer(number, range header, write)`, then closes the connection. `ranges` and `paths`:
    what was asked for."""

    def __init__(self, answer):
        self._answer, self.ranges, self.paths = answer, [], []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._handle, args=[connection], daemon=True).start()

    def _handle(self, connection):
        with connection:
            request = b""
            while b"\r\n\r\n" not in request:
                more = connection.recv(65536)
                if not more:
                    return
                request += more
            found = re.search(rb"\r\nRange: bytes=([^\r]*)", request)
            self.paths.append(request.split()[1].decode())
            self.ranges.append(found[1].decode() if found else "")
            try:
                self._answer(len(self.ranges), self.ranges[-1], connection.sendall)
            except OSError:
                pass  # The other side has gone, as it should.

    def close(self):
        with contextlib.suppress(OSError):  # It is closed.
            self._listener.shutdown(socket.SHUT_RDWR)  # Wakes the thread that accepts.
        self._listener.close()


def parts(data, ranges):
    """The places that a Range header names."""
    for text in ranges.split(","):
        first, last = text.split("-")
        yield (int(first), min(int(last) + 1, len(data))) if first else (max(0, len(data) - int(last)), len(data))


def answer_206(data, ranges, head=""):
    """A right answer to a Range header: its head, and its body."""
    places = list(parts(data, ranges))
    if len(places) == 1:
        (start, end), body = places[0], data[places[0][0]:places[0][1]]
        head += f"Content-Range: bytes {start}-{end - 1}/{len(data)}\r\n"
    else:
        body = b"".join(f"\r\n--X\r\nContent-Range: bytes {start}-{end - 1}/{len(data)}\r\n\r\n".encode()
                        + data[start:end] for start, end in places) + b"\r\n--X--\r\n"
        head += "Content-Type: multipart/byteranges; boundary=X\r\n"
    return f"HTTP/1.1 206 Partial Content\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode(), body


class ServerTest(unittest.TestCase):
    """Has an nginx, which all tests of a class share, and a folder of its own to work in."""

    seconds = itertools.count(1_700_000_000)

    @classmethod
    def setUpClass(cls):
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            del os.environ[name]
        cls.nginx = Nginx()
        cls.addClassCleanup(cls.nginx.close)
        os.environ["CURL_CA_BUNDLE"] = str(cls.nginx.folder / "authority.pem")

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def peer(self, answer):
        peer = Peer(answer)
        self.addCleanup(peer.close)
        return peer

    def run_swzip(self, *arguments, **variables):
        return subprocess.run([SWZIP, *map(str, arguments)], cwd=self.folder, capture_output=True,
                              env={**os.environ, **variables}, stdin=subprocess.DEVNULL)

    def swzip(self, *arguments, **variables):
        """What the command writes to stdout."""
        ended = self.run_swzip(*arguments, **variables)
        self.assertEqual((ended.returncode, ended.stderr), (0, b""), arguments)
        return ended.stdout

    def refusal(self, *arguments, code=1, **variables):
        """The one line that the command says, and that it leaves nothing behind."""
        before = sorted(self.folder.iterdir())
        ended = self.run_swzip(*arguments, **variables)
        text = ended.stderr.decode()
        self.assertEqual((ended.returncode, ended.stdout, text.count("\n")), (code, b"", 1), text)
        self.assertEqual(sorted(self.folder.iterdir()), before)
        return text

    @classmethod
    def serve(cls, name, data):
        """A container of these bytes on the server. A new file takes the place of an old one in one step."""
        target = cls.nginx.files / name
        subprocess.run([SWZIP, "pack", "-q", "-f", "-o", f"{target}.new", "-"], input=data, check=True)
        return cls.serve_file(name, pathlib.Path(f"{target}.new").read_bytes())

    @classmethod
    def serve_file(cls, name, content):
        target = cls.nginx.files / name
        fresh = target.with_name(name + ".new")
        fresh.write_bytes(content)
        # By length and second nginx knows one version from another.
        os.utime(fresh, (next(cls.seconds),) * 2)
        os.replace(fresh, target)
        return target
