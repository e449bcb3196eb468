"""A student's cells, run in IPython: what they print, show and raise is caught, and cut where it is too long.

Runs inside the isolated kernel. Nothing here protects the points: the grader looks at all of it again.
"""

import io
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from vitcourse.checks.engine.timer import Limit, TimeIsUp

OUTPUT_LIMIT = 2**20  # characters that the outputs of one cell may have
WAITED = "the cell neither computed nor came to an end"
KEPT = ("text/plain", "image/png")  # what a page can show and that holds no script


class Outputs:
    """The outputs of one cell, as plain data.

    Each is ``{"kind": "stream", "name", "text"}``, ``{"kind": "data", "data": {mime: text}}`` or
    ``{"kind": "error", "name", "text", "trace"}``.
    """

    def __init__(self):
        self.items: list[dict] = []
        self.room, self.cut = OUTPUT_LIMIT, 0

    def fitting(self, text: str) -> str:
        kept = text[: self.room]
        self.room -= len(kept)
        self.cut += len(text) - len(kept)
        return kept

    def write(self, name: str, text: str) -> None:
        if not (kept := self.fitting(text)):
            return
        last = self.items[-1] if self.items else {}
        if last.get("kind") == "stream" and last["name"] == name:
            last["parts"].append(kept)
        else:
            self.items.append({"kind": "stream", "name": name, "parts": [kept]})

    def show(self, data: dict) -> None:
        shown = {mime: text for mime in KEPT if isinstance(text := data.get(mime), str)}
        if sum(map(len, shown.values())) > self.room:
            # Half a picture is none.
            shown = {mime: text for mime, text in shown.items() if mime == "text/plain"}
        if shown := {mime: self.fitting(text) for mime, text in shown.items()}:
            self.items.append({"kind": "data", "data": shown})

    def fail(self, name: str, text: str, trace: str) -> None:
        # An error is always shown: it says why the rest is missing.
        self.items.append({"kind": "error", "name": name[:200], "text": text[:2000], "trace": trace[:20_000]})

    def plain(self) -> list[dict]:
        items = []
        for item in self.items:
            parts = item.pop("parts", None)
            items.append(item if parts is None else item | {"text": "".join(parts)})
        if self.cut:
            text = f"\n[The output is cut here: {self.cut:,} more characters.]\n"
            items.append({"kind": "stream", "name": "stderr", "text": text})
        return items


class _Stream(io.TextIOBase):
    """sys.stdout or sys.stderr of the cells."""

    encoding = "utf-8"

    def __init__(self, shell: "Shell", name: str):
        self.shell, self.stream_name = shell, name

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.shell.outputs.write(self.stream_name, text)
        return len(text)


class _Publisher(DisplayPublisher):
    def publish(self, data, metadata=None, **_kwargs) -> None:  # noqa: ARG002 - IPython's own signature
        self.shell.outputs.show(data)

    def clear_output(self, wait: bool = False) -> None:  # noqa: ARG002 - IPython's own signature
        self.shell.outputs.items.clear()


class _Hook(DisplayHook):
    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict, md_dict=None) -> None:  # noqa: ARG002 - IPython's own signature
        self.shell.outputs.show(format_dict)

    def finish_displayhook(self) -> None:
        self._is_active = False


class Shell(InteractiveShell):
    """IPython without a terminal: one namespace for all cells of a notebook."""

    display_pub_class = _Publisher
    displayhook_class = _Hook

    def __init__(self, **kwargs):
        self.outputs, self.limit, self.began, self.stopped = Outputs(), Limit(0), 0.0, False
        super().__init__(**kwargs)

    @classmethod
    def start(cls) -> "Shell":
        """The shell of this process; takes over its standard streams."""
        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.colors = "nocolor"
        config.InteractiveShell.history_length = 0
        shell = cls.instance(config=config)
        sys.stdout, sys.stderr = _Stream(shell, "stdout"), _Stream(shell, "stderr")
        sys.stdin = Path(os.devnull).open()  # noqa: SIM115 - for as long as the process lives
        warnings.filterwarnings("ignore", message="To exit:")
        return shell

    def ask_exit(self) -> None:
        """``exit()`` in a cell ends nothing: the cells below count too."""

    def enable_gui(self, gui=None) -> None:
        """No windows here; ``%matplotlib inline`` asks all the same."""

    def system(self, cmd: str) -> None:
        """``!command``: IPython's own way needs a terminal."""
        done = subprocess.run(
            self.var_expand(cmd, depth=1), shell=True, capture_output=True, text=True, errors="replace"
        )
        self.outputs.write("stdout", done.stdout)
        self.outputs.write("stderr", done.stderr)
        self.user_ns["_exit_code"] = done.returncode

    def init_sys_modules(self) -> None:
        """Leaves ``__main__`` as it is: functions of the cells belong to a module of their own."""
        sys.modules["__main__"] = self.user_module

    def showtraceback(self, *args, **kwargs) -> None:
        # The time is up for the cell's own code, not for the words about it.
        self.limit.active = False
        sys.settrace(None)
        if sys.exc_info()[0] is TimeIsUp:
            self._time_is_up()
        else:
            super().showtraceback(*args, **kwargs)

    def _time_is_up(self) -> None:
        self.stopped = True
        computed = time.process_time() - self.began >= self.limit.seconds
        words = f"the cell computed for more than {self.limit.seconds:.3g} seconds" if computed else WAITED
        self.outputs.fail("TimeIsUp", words, "")

    def _showtraceback(self, etype, evalue, stb) -> None:
        try:
            text = str(evalue)
        except Exception:  # a student's own exception may fail even here
            text = ""
        self.outputs.fail(etype.__name__, text, "\n".join(map(str, stb)))

    def run(self, source: str, seconds: float) -> list[dict]:
        """Runs a cell; returns its outputs as plain data. Whether it was stopped stands in ``stopped``.

        Args:
            source: the cell.
            seconds: of processor time.
        """
        self.outputs, self.stopped = Outputs(), False
        self.limit, self.began = Limit(seconds), time.process_time()
        try:
            with self.limit:
                self.run_cell(source, store_history=True)
        except TimeIsUp:
            self._time_is_up()
        except BaseException as error:
            self.outputs.fail(type(error).__name__, "", "")
        return self.outputs.plain()
