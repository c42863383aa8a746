"""Chromium without a window, told what to do by its DevTools protocol through two pipes."""

import base64
import io
import json
import os
import subprocess

from PIL import Image


class Browser:
    """One browser with its own profile in `folder`."""

    def __init__(self, folder):
        command, self._commands = os.pipe()
        self._answers, answer = os.pipe()
        options = ["--headless", "--remote-debugging-pipe", f"--user-data-dir={folder}", "--disable-gpu",
                   "--no-first-run", "--disable-dev-shm-usage", "--disable-background-networking"]
        if os.geteuid() == 0:
            options.append("--no-sandbox")
        # It reads descriptor 3 and writes descriptor 4.
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{command} 4>&{answer}', "bash", "chromium", *options],
            pass_fds=(command, answer), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(command)
        os.close(answer)
        self._number, self._rest = 0, b""
        self.events = []

    def close(self):
        self.call("Browser.close")
        self._process.wait()

    def call(self, method, session=None, **parameters):
        """The result of a command; what happens meanwhile is added to `events`."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def wait_for(self, method):
        """Returns when an event of that name has come."""
        while not any(event["method"] == method for event in self.events):
            self._receive()

    def _receive(self):
        while b"\0" not in self._rest:
            piece = os.read(self._answers, 1 << 20)
            if not piece:
                raise RuntimeError("the browser has ended")
            self._rest += piece
        text, self._rest = self._rest.split(b"\0", 1)
        answer = json.loads(text)
        if "method" in answer:
            self.events.append(answer)
        return answer


class Page:
    """A tab, `width` pixels wide. `media`: screen or print; `dark`: what the user prefers; `gray`: without colours."""

    def __init__(self, browser, url, width=1280, media="screen", dark=False, gray=False, scripts=True):
        self.browser, self.width = browser, width
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._target = target
        self._session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self._resize(900)
        self.call("Emulation.setEmulatedMedia", media=media, features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        if gray:
            self.call("Emulation.setEmulatedVisionDeficiency", type="achromatopsia")
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        browser.events.clear()
        self.call("Page.navigate", url=url)
        browser.wait_for("Page.loadEventFired")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.browser.call("Target.closeTarget", targetId=self._target)

    def call(self, method, **parameters):
        return self.browser.call(method, self._session, **parameters)

    def _resize(self, height):
        self.call("Emulation.setDeviceMetricsOverride", width=self.width, height=height, deviceScaleFactor=1,
                  mobile=False)

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def requests(self):
        """Addresses of all that the page asked for."""
        return [event["params"]["request"]["url"] for event in self._events("Network.requestWillBeSent")]

    def complaints(self):
        """What the page wrote to the console, what the browser did, and what ended a script."""
        names = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        return [event["params"] for name in names for event in self._events(name)]

    def _events(self, name):
        return [event for event in self.browser.events if event["method"] == name]

    def click(self, selector):
        """A click of the mouse on the middle of an element."""
        x, y = self.evaluate(f"""(() => {{ const element = document.querySelector({json.dumps(selector)});
            element.scrollIntoView({{ block: "center" }}); const box = element.getBoundingClientRect();
            return [box.left + box.width / 2, box.top + box.height / 2]; }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def picture(self, most=5000):
        """The page from its top, at most so many pixels of it."""
        height = min(self.evaluate("document.documentElement.scrollHeight"), most)
        self._resize(height)
        data = self.call("Page.captureScreenshot", optimizeForSpeed=True)["data"]
        return Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
