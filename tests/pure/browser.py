# SPDX-License-Identifier: GPL-3.0-or-later
"""A headless Chromium driven over its debugging pipe: no driver package, no port, no network."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path


def find() -> str | None:
    """A Chromium on this machine."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


class Browser:
    """One page. ``events`` collects what the browser reports (requests, console, exceptions)."""

    def __init__(self, folder: Path) -> None:
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        moved = tuple(
            fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_read, to_write)
        )  # Chromium speaks on 3 and 4; the shell moves them
        command = (
            f'exec 3<&{moved[0]} 4>&{moved[1]}; exec "{find()}" --headless=new --no-sandbox --disable-gpu --hide-scrollbars '
            f"--disable-dev-shm-usage --no-first-run --user-data-dir={folder} --remote-debugging-pipe about:blank"
        )
        self.process = subprocess.Popen(
            ["bash", "-c", command], pass_fds=moved, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for end in (*moved, to_read, to_write):
            os.close(end)
        self.events: list[dict] = []
        self._buffer, self._number, self._session = b"", 0, None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, timeout: float = 90.0, **params: object) -> dict:
        """One command and its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            for answer in self._messages(until - time.monotonic()):
                if answer.get("id") == self._number:
                    assert "error" not in answer, answer["error"]
                    return answer["result"]
                self.events.append(answer)
        raise TimeoutError(method)

    def _messages(self, wait: float) -> list[dict]:
        ready, _, _ = select.select([self._read], [], [], max(0.0, wait))
        if not ready:
            return []
        chunk = os.read(self._read, 1 << 20)
        assert chunk, "the browser ended"
        *whole, self._buffer = (self._buffer + chunk).split(b"\0")
        return [json.loads(part) for part in whole if part]

    def open(self, url: str) -> None:
        """Opens a page and waits until it is loaded."""
        self.call("Page.navigate", url=url)
        until = time.monotonic() + 90
        while self.js("document.readyState") != "complete" and time.monotonic() < until:
            time.sleep(0.1)

    def js(self, expression: str) -> object:
        """The value of an expression in the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def press(self, key: str, shift: bool = False) -> None:
        """A real key press on the page, as the keyboard makes it."""
        text = {"text": key} if len(key) == 1 else {}
        modifiers = 8 if shift else 0
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, modifiers=modifiers, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, modifiers=modifiers)

    def mouse(self, kind: str, x: float, y: float, held: bool = False, **more: object) -> None:
        """A mouse event (mousePressed, mouseMoved, mouseReleased, mouseWheel) at a place of the window."""
        button = {"button": "left", "buttons": 1, "clickCount": 1} if held else {}
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **button, **more)

    def emulate(self, width: int, height: int = 900, dark: bool = False, media: str = "") -> None:
        """Size of the window, light or dark, screen or print."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def screenshot(self) -> bytes:
        """PNG of what the window shows."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def rect(self, selector: str) -> tuple[float, float, float, float]:
        """Left, top, width, height of the first element that a CSS selector names, in the window."""
        text = json.dumps(selector)
        return tuple(
            self.js(
                f"(() => {{ const r = document.querySelector({text}).getBoundingClientRect(); return [r.x, r.y, r.width, r.height] }})()"
            )
        )

    def of(self, method: str) -> list[dict]:
        """The parameters of all events of one kind so far."""
        return [event["params"] for event in self.events if event.get("method") == method]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        os.close(self._read)
        os.close(self._write)
