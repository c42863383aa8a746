"""What goes wrong between here and a container: one line that says so, and nothing written."""

import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import unittest

import swzip
from servers import ServerTest, answer_206

DATA = random.Random(5).randbytes(6 << 20)
PEAK = pathlib.Path(__file__).resolve().parents[1] / "slow" / "peak.py"
WRITING = [["unpack"], ["unpack", "-c"], ["verify", "-q"], ["cat", "--range", "1:"]]


class ServerFailureTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.path = cls.serve("model.swz", DATA)
        cls.content = cls.path.read_bytes()

    def check(self, path, *words, url=None, **variables):
        """All verbs say that of a URL."""
        url = url or self.nginx.plain + path
        for verb in (["list"], ["inspect"], *WRITING):
            text = self.refusal(*verb, url, **variables)
            self.assertTrue(text.startswith(f"swzip: {url}: "), text)
            for word in words:
                self.assertIn(word, text)

    def test_a_status_that_is_no_success(self):
        self.check("/missing.swz", "404 Not Found")
        self.check("/private/model.swz", "401 Unauthorized")
        with self.assertRaisesRegex(swzip.SwzipError, "missing.swz: the server says 404 Not Found"):
            swzip.safe_open(self.nginx.plain + "/missing.swz", "np")

    def test_what_netrc_says_opens_it(self):
        (self.folder / ".netrc").write_text("machine 127.0.0.1 login reader password secret\n")
        self.swzip("unpack", "-q", self.nginx.plain + "/private/model.swz", HOME=str(self.folder))
        self.assertEqual((self.folder / "model").read_bytes(), DATA)

    def test_no_server(self):
        peer = self.peer(None)
        peer.close()
        self.check(None, "tried 3 times", url=peer.url + "/model.swz")
        self.check(None, "resolve", url="http://no-such-host.invalid/model.swz")
        self.assertIn("no such file", self.refusal("unpack", "./http://127.0.0.1/model.swz"))

    def test_a_page_is_no_container(self):
        self.check("/page/model.swz", "text/html")

    def test_redirections_in_a_circle(self):
        self.check("/circle", "redirects")

    def test_no_ranges(self):
        self.check("/whole/model.swz", "no parts")

    def test_a_certificate_that_nobody_vouches_for(self):
        url = self.nginx.secure + "/model.swz"
        self.check(None, "certificate", url=url, CURL_CA_BUNDLE="", SSL_CERT_FILE="")
        for name in ("CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            variables = {"CURL_CA_BUNDLE": "", name: os.environ["CURL_CA_BUNDLE"]}
            self.assertEqual(self.swzip("unpack", "-c", url, **variables), DATA)

    def test_only_these_protocols(self):
        peer = self.peer(lambda number, ranges, write: write(
            b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"))
        self.check(None, "rotocol", url=peer.url + "/model.swz")

    def test_what_is_no_container(self):
        for count in (0, 100, 200, 1_000_000):
            self.serve_file("other.swz", b"x" * count)
            for verb in (["list"], *WRITING):
                text = self.refusal(*verb, self.nginx.plain + "/other.swz", code=3)
                self.assertIn("other.swz: ", text)
        self.serve_file("short.swz", self.content[:-1000])
        self.refusal("list", self.nginx.plain + "/short.swz", code=3)

    def test_verbs_that_read_no_urls(self):
        url = self.nginx.plain + "/model.swz"
        (self.folder / "here").write_bytes(b"here")
        for arguments in (["pack", url], ["pack", "here", "--base", url], ["diff", url, "here"], ["salvage", url],
                          ["delta", "make", "here", url], ["sync", "follow", url, "here"],
                          ["unpack", "-o", "there", "here", "--base", url]):
            ended = self.run_swzip(*arguments)
            self.assertIn(b"URLs are read by list, inspect, cat, unpack and verify", ended.stderr, arguments)
            self.assertEqual([path.name for path in self.folder.iterdir()], ["here"])
        self.assertIn("--rm", self.refusal("unpack", "--rm", url, code=2))

    def test_names_of_outputs(self):
        for path, query in (("model.swz", "?a=/b.swz"), ("model.swz", "#/c.swz")):
            self.swzip("unpack", "-q", "-f", f"{self.nginx.plain}/{path}{query}")
            self.assertEqual([path.name for path in self.folder.iterdir()], ["model"])
        self.swzip("unpack", "-q", self.nginx.plain + "/model.swz", "-o", "named")
        self.serve("...swz", DATA)
        self.serve("plain", DATA)
        for path in ("/...swz", "/plain?/a.swz"):
            self.assertIn("with -o", self.refusal("unpack", self.nginx.plain + path, code=2))

    def test_without_libcurl(self):
        # What stands before it on the way where libraries are looked for is none.
        folder = self.nginx.folder / "no-libcurl"
        folder.mkdir(exist_ok=True)
        for name in ("libcurl.so.4", "libcurl-gnutls.so.4", "libcurl-nss.so.4"):
            (folder / name).write_text("no library")
        self.check("/model.swz", "takes libcurl", "install it", LD_LIBRARY_PATH=str(folder))
        self.swzip("list", self.path, LD_LIBRARY_PATH=str(folder))

    # ---- A file that changes ----

    def test_it_changes_between_requests(self):
        for way in ("", "/single", "/untagged"):
            self.serve("changing.swz", DATA)
            with swzip.Container(f"{self.nginx.plain}{way}/changing.swz") as container:
                container.read(0, 0, bytearray(1000))
                self.serve("changing.swz", DATA[::-1])
                with self.assertRaisesRegex(swzip.SwzipError, "changed on the server"):
                    container.read(0, 4 << 20, bytearray(1000))

    def test_it_changes_while_it_is_unpacked(self):
        log = self.nginx.folder / "access.log"
        for opened, verb in ((1, "unpack"), (2, "verify")):
            large = random.Random(6).randbytes(18 << 20)
            byte_count = self.serve("changing.swz", large).stat().st_size
            command = subprocess.Popen([os.environ["SWZIP"], verb, self.nginx.plain + "/slow/changing.swz"],
                                       cwd=self.folder, stderr=subprocess.PIPE)
            while log.read_text().count('/slow/changing.swz "bytes=0-63,') < opened:
                self.assertIsNone(command.poll())
            self.assertEqual(self.serve("changing.swz", large[::-1]).stat().st_size, byte_count)
            self.assertIn(b"changed on the server", command.communicate()[1])
            self.assertEqual((command.returncode, list(self.folder.iterdir())), (1, []))

    # ---- Peers that misbehave ----

    def answers(self, answer, *words):
        """A peer that answers so: what verbs say."""
        for verb in (["list"], ["unpack"]):
            peer = self.peer(answer)
            text = self.refusal(*verb, peer.url + "/model.swz")
            for word in words:
                self.assertIn(word, text)

    def after_opening(self, answer, *words):
        """A peer that opens well and then answers so: what verbs that read on say. What it was asked for."""
        def answer_later(number, ranges, write):
            if number == 1:
                write(b"".join(answer_206(self.content, ranges)))
            else:
                answer(number, ranges, write)

        for verb in WRITING:
            peer = self.peer(answer_later)
            text = self.refusal(*verb, peer.url + "/model.swz")
            for word in words:
                self.assertIn(word, text)
        return peer.ranges

    def test_a_cut_connection(self):
        def cut(number, ranges, write):
            head, body = answer_206(self.content, ranges)
            write(head + body[:len(body) // 2])

        self.answers(cut, "tried 3 times")
        ranges = self.after_opening(cut, "tried 3 times")
        self.assertGreater(len(ranges), 3)
        self.after_opening(lambda number, ranges, write: None, "tried 3 times")

    def test_a_cut_connection_goes_on_where_it_was(self):
        def cut(number, ranges, write):
            head, body = answer_206(self.content, ranges)
            write(head + body[:len(body) // 2 if number % 3 else len(body)])

        for verb in ("unpack", "verify"):
            peer = self.peer(cut)
            self.swzip(verb, "-q", peer.url + "/model.swz")
        self.assertEqual((self.folder / "model").read_bytes(), DATA)

    def test_the_third_time_is_good(self):
        for failure in (b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nwait", b"HTTP/1.1 429 Slow\r\n\r\n", b""):
            peer = self.peer(lambda number, ranges, write: write(
                failure if number % 3 else b"".join(answer_206(self.content, ranges))))
            self.assertEqual(self.swzip("cat", peer.url, "--range", "1000:3000000"), DATA[1000:3_000_000])
            self.assertGreater(len(peer.ranges), 5)
        self.answers(lambda number, ranges, write: write(b"HTTP/1.1 503 Busy\r\n\r\n"), "503 Busy (tried 3 times)")

    def test_a_place_that_is_good_for_some_time(self):
        def answer(number, ranges, write):
            path = peer.paths[-1]
            if path == "/model.swz":
                issued.append(number)
                write(f"HTTP/1.1 302 Found\r\nLocation: /signed-{number}\r\nContent-Length: 0\r\n\r\n".encode())
            elif number > int(path.rpartition("-")[2]) + 2:
                write(b"HTTP/1.1 403 Expired\r\nContent-Length: 0\r\n\r\n")
            else:
                write(b"".join(answer_206(self.content, ranges)))

        issued = []
        peer = self.peer(answer)
        with swzip.Container(peer.url + "/model.swz") as container:
            for start in range(0, len(DATA) - 1000, 1 << 20):
                room = bytearray(1000)
                container.read(0, start, room)
                self.assertEqual(room, DATA[start:start + 1000])
        self.assertGreater(len(issued), 1)
        self.assertLess(len(issued), len(peer.paths) // 2)

    def test_a_proxy(self):
        peer = self.peer(lambda number, ranges, write: write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>"))
        self.check(None, "text/html", url="http://models.invalid/model.swz", http_proxy=peer.url)
        page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + b"<p>" * 1_000_000
        self.answers(lambda number, ranges, write: write(page), "text/html")
        self.after_opening(lambda number, ranges, write: write(page), "text/html")

    def test_an_endless_answer(self):
        def endless(start, more):
            def answer(number, ranges, write):
                write(start)
                while True:
                    write(more)
            return answer

        filler = b"X-Filler: abcdefgh\r\n" * 1000
        for start, more, words in (
                (b"HTTP/1.1 206 Partial Content\r\n", filler, "more"),
                (b"HTTP/1.1 206 Partial Content\r\nX: ", filler.replace(b"\r\n", b""), ""),
                (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, "more"),
                (b"HTTP/1.1 206 Partial Content\r\nContent-Type: multipart/byteranges; boundary=X\r\n\r\n--X\r\n",
                 filler, "more than it was asked for"),
                (b"HTTP/1.1 200 OK\r\n\r\n", filler, "no parts")):
            answer = endless(start, more)
            self.answers(answer, words)
            small = subprocess.run([sys.executable, PEAK, "72", os.environ["SWZIP"], "list", self.peer(answer).url],
                                   capture_output=True, text=True)
            self.assertNotIn("more than 72 MiB", small.stderr)

        def longer(number, ranges, write):
            start, end = ranges.split("-")
            write(f"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {ranges}/{len(self.content)}\r\n\r\n".encode())
            while True:
                write(self.content[int(start):int(end) + 1])

        self.after_opening(longer, "more than it was asked for")

    def test_an_answer_that_lies(self):
        for place in ("bytes 0-63", "bytes 0-63/*", "bytes 63-0/100", "bytes 0-100/64", "0-63/100", "bytes */100",
                      f"bytes 0-63/{1 << 64}", "bytes 0-63/-1", "bytes 0-64/100", "items 0-63/100"):
            text = f"HTTP/1.1 206 Partial Content\r\nContent-Range: {place}\r\nContent-Length: 64\r\n\r\n".encode()
            self.answers(lambda number, ranges, write: write(text + self.content[:64]), "which part")
        body = b"--X\r\nContent-Range: bytes 0-63/100\r\n\r\n" + b"x" * 64
        for body in (b"", b"x" * 100, body, body + b"\r\n--Y--", body + b"\r\n--X\r\n", b"x" + body + b"\r\n--X--",
                     body + b"\r\n--X\r\nContent-Range: bytes 64-70/101\r\n\r\nxxxxxxx\r\n--X--"):
            text = (b"HTTP/1.1 206 Partial Content\r\nContent-Type: multipart/byteranges; boundary=\"X\"\r\n"
                    b"Content-Length: %d\r\n\r\n" % len(body))
            self.answers(lambda number, ranges, write: write(text + body), "parts that it sends are damaged")

        def other_part(number, ranges, write):
            start, end = map(int, ranges.split("-"))
            write(b"".join(answer_206(self.content, f"{start + 16}-{end}")))

        self.after_opening(other_part, "another part")
        self.after_opening(lambda number, ranges, write: write(
            b"".join(answer_206(self.content + b"x", ranges))), "changed on the server")
        self.after_opening(lambda number, ranges, write: write(
            b"".join(answer_206(self.content, ranges, "Content-Encoding: gzip\r\n"))), "coded")

    def test_random_answers(self):
        source = random.Random(9)
        good = b"".join(answer_206(self.content[:300_000], "0-63,-262144"))
        for _ in range(60):
            answer = bytearray(good)
            for _ in range(source.choice([1, 3, 30])):
                place = source.randrange(source.choice([120, 400, len(answer)]))
                answer[place:place + source.randrange(4)] = source.randbytes(source.randrange(4))
            peer = self.peer(lambda number, ranges, write: write(bytes(answer)))
            ended = self.run_swzip("list", peer.url + "/model.swz")
            self.assertIn(ended.returncode, (1, 3), ended.stderr)
            self.assertLessEqual(ended.stderr.count(b"\n"), 1)

    def test_an_interrupt_ends_waiting(self):
        silence = threading.Event()
        self.addCleanup(silence.set)
        for is_opening in (True, False):
            def answer(number, ranges, write):
                if number == 1 and not is_opening:
                    return write(b"".join(answer_206(self.content, ranges)))
                child.send_signal(signal.SIGINT)
                silence.wait()

            code = ("import sys, swzip; container = swzip.Container(sys.argv[1]);"
                    "container.read(0, 0, bytearray(3 << 20), threads=int(sys.argv[2]))")
            for threads in ("1", "3"):
                peer = self.peer(answer)
                child = subprocess.Popen([sys.executable, "-c", code, peer.url + "/model.swz", threads],
                                         stderr=subprocess.PIPE)
                self.assertRegex(child.communicate()[1].decode(), "KeyboardInterrupt")

    def test_a_forked_child_has_connections_of_its_own(self):
        url = self.nginx.secure + "/model.swz"
        with swzip.Container(url) as container:
            container.read(0, 0, bytearray(100))
            children = []
            for number in range(4):
                child = os.fork()
                if child == 0:
                    status = 1
                    try:
                        for start in range(number * 1000, len(DATA) - 300_000, 900_000):
                            room = bytearray(300_000)
                            container.read(0, start, room)
                            assert room == DATA[start:start + len(room)]
                        status = 0
                    finally:
                        os._exit(status)
                children.append(child)
            room = bytearray(len(DATA))
            container.read(0, 0, room)
            self.assertEqual(room, DATA)
            for child in children:
                self.assertEqual(os.waitpid(child, 0)[1], 0)


if __name__ == "__main__":
    unittest.main()
