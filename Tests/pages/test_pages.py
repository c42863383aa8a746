"""Pages of `swzip inspect --html` and `swzip archive stats --html` as a browser shows them.

SWZIP is the command, MODELS a folder with minilm-bf16.safetensors; PICTURES, if it is set, a folder in which pictures
of all pages stay, to be looked at.
"""

import functools
import hashlib
import http.server
import json
import os
import pathlib
import struct
import subprocess
import tempfile
import threading
import unittest

import numpy as np

from browser import Browser, Page

ROOT = pathlib.Path(__file__).resolve().parents[2]
SWZIP = os.environ["SWZIP"]
MINILM = pathlib.Path(os.environ["MODELS"]) / "minilm-bf16.safetensors"
PICTURES = os.environ.get("PICTURES")
NAMES = ["minilm", "gguf", "delta", "plain", "hostile", "many"]
PAGES = [*NAMES, "archive"]
STEPS = [100, 200, 300, 400]
HOSTILE = [
    "<script>document.title = 'owned'</script>", "\"><img src=x onerror=alert(1)>", "'><svg onload=alert(1)>",
    "&lt;b&gt;", "</title></style></script><h1>", "\u202e\x1b[31m\n\0", "wide" * 300, "layers.99999999999999999999.x",
    "", "模型.0.é",
]


def swzip(*arguments):
    return subprocess.run([SWZIP, *map(str, arguments)], check=True, capture_output=True).stdout


def safetensors(path, names, count=64):
    """A model with tensors of these names, of bf16 values that compress."""
    values = np.random.default_rng(1).normal(0, 0.02, len(names) * count).astype(np.float32).view(np.uint32) >> 16
    header = {name: {"dtype": "BF16", "shape": [count], "data_offsets": [2 * count * at, 2 * count * (at + 1)]}
              for at, name in enumerate(names)}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + values.astype("<u2").tobytes())


def changed(path, to):
    """A later version of a model: a unit in the last place of one value in fifty."""
    data = np.fromfile(path, "<u2")
    places = np.random.default_rng(2).integers(len(data) // 2, len(data), len(data) // 50)
    data[places] ^= 1
    data.tofile(to)


def make_archive(folder):
    """Four checkpoints, each a step of training after the last; the second is forgotten."""
    archive = folder / "run.swza"
    swzip("archive", "init", archive)
    model = MINILM
    for step in STEPS:
        checkpoint = folder / f"checkpoint-{step}"
        checkpoint.mkdir()
        changed(model, checkpoint / "model.safetensors")
        model = checkpoint / "model.safetensors"
        safetensors(checkpoint / "optimizer.safetensors", ["state.0.exp_avg", "state.0.exp_avg_sq", "<b>"], 4096)
        swzip("archive", "add", archive, checkpoint)
    swzip("archive", "forget", archive, STEPS[1])
    return archive


def make_pages(folder):
    """Makes a page of each of PAGES."""
    swzip("pack", MINILM, "-o", folder / "minilm.safetensors.swz")
    swzip("pack", ROOT / "Fixtures/inputs/types.gguf", "-o", folder / "types.gguf.swz")
    changed(MINILM, folder / "step-2.safetensors")
    swzip("delta", "make", MINILM, folder / "step-2.safetensors", "-o", folder / "step-2.swz")
    model = folder / "<b>model"
    model.mkdir()
    safetensors(model / "<img src=x onerror=alert(1)>", HOSTILE)
    (model / os.fsdecode(b"\xff\xfe")).write_bytes(b"\xff" * 9)
    swzip("pack", model)
    safetensors(folder / "many", [f"model.layers.{layer}.experts.{expert}.weight"
                                  for layer in range(250) for expert in range(20)])
    swzip("pack", folder / "many")
    inputs = [folder / "minilm.safetensors.swz", folder / "types.gguf.swz", folder / "step-2.swz", MINILM,
              folder / "<b>model.swz", folder / "many.swz"]
    for name, path in zip(NAMES, inputs):
        swzip("inspect", "--html", path, "-o", folder / f"{name}.html")
    archive = make_archive(folder)
    swzip("archive", "stats", "--html", archive, "-o", folder / "archive.html")
    return dict(zip(PAGES, [*inputs, archive]))


def setUpModule():
    global folder, inputs, browser
    temporary = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(temporary.cleanup)
    folder = pathlib.Path(temporary.name)
    inputs = make_pages(folder)
    browser = Browser(folder / "profile")
    unittest.addModuleCleanup(browser.close)


def url(name):
    return (folder / f"{name}.html").as_uri()


def contrast(lightest, darkest):
    """As WCAG has it, of two grays of 0 to 255."""
    def luminance(gray):
        return gray / 255 / 12.92 if gray <= 10 else ((gray / 255 + 0.055) / 1.055) ** 2.4
    return (luminance(lightest) + 0.05) / (luminance(darkest) + 0.05)


TEXTS = """(() => {
  const found = [], walker = document.createTreeWalker(document.querySelector("body"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, range = document.createRange();
    if (!node.data.trim() || node.parentElement.closest("script, details:not([open]) table")) continue;
    range.selectNodeContents(node);
    for (const box of range.getClientRects())
      found.push([node.data.trim().slice(0, 60), box.left, box.top + scrollY, box.right, box.bottom + scrollY,
                  node.parentElement.closest(".wide") != null]);
  }
  return found;
})()"""

BARS = """[...document.querySelectorAll("svg:not(.columns, details:not([open]) *)")].map(svg =>
  [...svg.children].map(rect => rect.getBoundingClientRect()).map(box =>
    [box.left, box.right, box.top + scrollY, box.bottom + scrollY]))"""


def open_page(name, **how):
    return Page(browser, url(name), **how)


def rows(page):
    """The texts of the cells of all tensors that are shown, in order."""
    return page.evaluate("""[...document.querySelectorAll("#tensors tbody tr")].filter(row => !row.hidden)
        .map(row => [...row.cells].map(cell => cell.textContent))""")


def count(text):
    return int(text.replace(",", ""))


class PageTests(unittest.TestCase):
    def test_nothing_leaves_and_nobody_complains(self):
        for name in PAGES:
            with self.subTest(name), open_page(name) as page:
                self.assertEqual(page.requests(), [url(name)])
                self.assertEqual(page.complaints(), [])
                self.assertEqual(page.evaluate("document.scripts.length"), 1)

    def test_a_server_is_asked_for_the_page_alone(self):
        asked = []

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_request(self, *_):
                asked.append(self.path)

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        with Page(browser, f"http://127.0.0.1:{server.server_port}/hostile.html") as page:
            self.assertEqual(page.complaints(), [])
        self.assertEqual(asked, ["/hostile.html"])

    def test_what_would_be_put_in_does_not_run(self):
        with open_page("minilm") as page:
            page.evaluate("""document.body.append(
                Object.assign(document.createElement("script"), { textContent: "owned = 1" }),
                Object.assign(document.createElement("img"), { src: "http://127.0.0.1:9/x" }))""")
            self.assertEqual(page.evaluate("typeof owned"), "undefined")
            self.assertEqual(len(page.complaints()), 2)

    def test_texts_and_bars_can_be_read_without_colour(self):
        ways = [{}, dict(width=400), dict(dark=True), dict(media="print", width=720)]
        for name in PAGES:
            for how in ways[:2] if name in ("plain", "many") else ways:
                with self.subTest(name, **how), open_page(name, gray=True, **how) as page:
                    self.assertEqual(page.evaluate("document.documentElement.scrollWidth"),
                                     page.evaluate("document.documentElement.clientWidth"))
                    self.check_picture(page, page.picture())

    def check_picture(self, page, picture):
        red, green, blue = picture.split()
        self.assertTrue(red.tobytes() == green.tobytes() == blue.tobytes())
        texts = page.evaluate(TEXTS)
        self.assertGreater(len(texts), 30)
        for text, left, top, right, bottom, scrolls in texts:
            if bottom > picture.height or scrolls and right > page.width:
                continue
            self.assertTrue(0 <= left < right <= page.width, text)
            darkest, lightest = red.crop((int(left), int(top), int(right) + 1, int(bottom) + 1)).getextrema()
            self.assertGreater(contrast(lightest, darkest), 3, text)
        for (left, right, top, bottom), (_, middle, _, _) in page.evaluate(BARS):
            if bottom > picture.height or not left + 3 < middle < right - 3:
                continue
            height = int(top + bottom) // 2
            filled, rest = red.getpixel((int(left) + 2, height)), red.getpixel((int(right) - 2, height))
            self.assertGreater(contrast(max(filled, rest), min(filled, rest)), 3)

    def test_figures_are_those_of_inspect(self):
        for name in NAMES:
            with self.subTest(name), open_page(name) as page:
                said = json.loads(swzip("inspect", "--json", inputs[name]))
                whole, packed = said["bytes"], said["packed_bytes" if said["packed"] else "predicted_bytes"]
                facts = page.evaluate("document.querySelector('dl').textContent")
                self.assertIn(f"{whole:,} bytes", facts)
                self.assertIn(f"{packed:,} bytes", facts)
                (left, right, *_), (_, middle, *_) = page.evaluate(BARS)[0]
                self.assertAlmostEqual((middle - left) / (right - left), packed / whole, places=2)
                sizes = sorted(((tensor["packed_bytes"], tensor["bytes"]) for tensor in said["tensors"]), reverse=True)
                self.assertEqual(sorted(((count(row[2]), count(row[1])) for row in rows(page)), reverse=True),
                                 sizes[:3000])
                if len(sizes) > 3000:
                    self.assertIn(f"{len(sizes) - 3000:,} tensors", page.evaluate("document.body.textContent"))
                    self.assertLess((folder / f"{name}.html").stat().st_size, 1 << 20)

    def test_a_delta_says_what_it_needs(self):
        with open_page("delta") as page:
            facts = page.evaluate("document.querySelector('dl').textContent")
        self.assertIn(f"base {MINILM.name} of {MINILM.stat().st_size:,} bytes", facts)
        self.assertIn(hashlib.sha256(MINILM.read_bytes()).hexdigest(), facts)

    def test_an_archive_is_told_as_by_list_and_stats(self):
        listed = [json.loads(line) for line in swzip("archive", "list", "--json", inputs["archive"]).splitlines()]
        said = json.loads(swzip("archive", "stats", "--json", inputs["archive"]))
        self.assertEqual([line["step"] for line in listed], STEPS[:1] + STEPS[2:])
        with open_page("archive") as page:
            facts = page.evaluate("document.querySelector('dl').textContent")
            for text in (f"{said['in_bytes']:,} bytes", f"{said['out_bytes']:,} bytes", said["id"]):
                self.assertIn(text, facts)
            figures = page.evaluate("""[...document.querySelectorAll("figure")].map(figure => [
                figure.querySelector("figcaption").firstChild.data.trim(),
                [...figure.querySelectorAll("svg.columns g")].map(group => [...group.querySelectorAll("rect")].map(
                    rect => rect.getBoundingClientRect().height))])""")
            names = [name for name, _ in figures]
            self.assertEqual(names[:2], ["Each", "All up to it"])
            self.assertEqual(sorted(names[2:]), ["First moments, BF16", "Other tensors, BF16", "Other tensors, I64",
                                                 "Second moments, BF16"])
            # Columns are as high as what they stand for.
            for line, (whole, packed) in zip(listed, figures[0][1], strict=True):
                self.assertAlmostEqual(packed / whole, line["out_bytes"] / line["in_bytes"], places=1)
            heads = page.evaluate("[...document.querySelectorAll('.wide thead th')].map(head => head.textContent)")
            self.assertEqual(heads, ["Layer", *(str(line["step"]) for line in listed)])
            layers = page.evaluate("[...document.querySelectorAll('.wide tbody th')].map(head => head.textContent)")
            self.assertEqual(layers, [f"encoder.layer.{layer}" for layer in range(6)] + ["state.0"])
            self.assertIn("Forgotten checkpoints: 1.", page.evaluate("document.body.textContent"))

    def test_hostile_names_are_text(self):
        expected = ["<img src=x onerror=alert(1)>:" + name for name in HOSTILE]
        expected[5] = expected[5][:-8] + "\\u{202e}\\u{1b}[31m\\u{a}\\u{0}"
        expected[6] = "…" + expected[6][-255:]
        with open_page("hostile") as page:
            self.assertEqual(sorted(row[0] for row in rows(page)), sorted(expected))
            self.assertEqual(page.evaluate("document.title"), "<b>model.swz")
            self.assertEqual(page.evaluate("document.querySelectorAll('img, b, body style').length"), 0)
            self.assertIn("\\xff\\xfe", page.evaluate("document.body.textContent"))

    def test_tensors_are_sorted(self):
        def layer(row):
            return int(row[0].split(".")[2])

        with open_page("minilm") as page:
            before = rows(page)
            for column, key in [(1, layer), (2, lambda row: count(row[1])), (4, lambda row: float(row[3][:-1]))]:
                orders = []
                for _ in range(2):
                    page.click(f"#tensors th:nth-child({column}) button")
                    after = rows(page)
                    orders.append(page.evaluate("document.querySelector('[aria-sort]').ariaSort"))
                    self.assertEqual(sorted(after), sorted(before))
                    values = [key(row) for row in after if key != layer or row[0].startswith("encoder")]
                    self.assertEqual(values, sorted(values, reverse=orders[-1] == "descending"))
                self.assertEqual(sorted(orders), ["ascending", "descending"])

    def test_tensors_are_filtered(self):
        with open_page("minilm") as page:
            wanted = [row for row in rows(page) if "query" in row[0] and row[4] == "BF16"]
            page.click("input")
            page.type("QUERY bf16")
            self.assertEqual(rows(page), wanted)
            self.assertIn(f"{len(wanted)} tensors: {sum(count(row[1]) for row in wanted):,} bytes",
                          page.evaluate("document.querySelector('output').textContent"))

    def test_all_is_there_without_scripts(self):
        for name in NAMES:
            with self.subTest(name), open_page(name, scripts=False) as page, open_page(name) as other:
                self.assertEqual(page.evaluate("document.querySelectorAll('button, input').length"), 0)
                self.assertEqual(rows(page), rows(other))
        with open_page("minilm", scripts=False) as page:
            page.click("summary")
            self.assertTrue(page.evaluate("document.querySelector('details').open"))

    @unittest.skipUnless(PICTURES, "PICTURES is not set")
    def test_pictures_to_look_at(self):
        for name in PAGES:
            for way, how in {"light": {}, "dark": dict(dark=True), "gray": dict(gray=True), "narrow": dict(width=400),
                             "print": dict(media="print", width=720)}.items():
                with open_page(name, **how) as page:
                    page.picture().save(pathlib.Path(PICTURES) / f"{name}-{way}.png")


if __name__ == "__main__":
    unittest.main()
