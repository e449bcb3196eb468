"""A student's notebook in the kernels that it needs: a cell that ends its kernel does not end the rest.

After a kernel has died, the next one runs the cells again that had been run, without those that killed one.
"""

import dataclasses
import time

from nbformat import NotebookNode

from vitcourse.checks import guard
from vitcourse.grading import outputs, wire
from vitcourse.grading.keeper import GRACE_SECONDS, Keeper, Kernel, KernelDiedError

KERNELS = 10  # for one notebook; who needs more is out to break something
LOOK_SECONDS = 30.0
# A kernel stops code that has computed for too long. On a busy machine that takes longer on the clock; when so many
# times the seconds have passed, or the code has got round the kernel's own limit, the kernel itself is ended.
BUSY = 3.0
OUT_OF_TIME = "a cell ran out of time"


class _GoneError(Exception):
    """There is no kernel, and there will be none; the message says why."""


class Session:
    """``with Session(keeper) as session: session.run(source)``."""

    def __init__(self, keeper: Keeper):
        self.keeper, self.limits = keeper, keeper.limits
        self.end = time.monotonic() + self.limits.seconds
        self.kernel: Kernel | None = None
        self.started = 0
        self.cells: list[str] = []
        self.troubles: list[str] = []

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_error: object) -> None:
        self._close()

    def run(self, source: str) -> list[NotebookNode]:
        """Runs a cell; what went wrong stands in its outputs."""
        try:
            kernel, seconds = self._ready(), self._seconds(self.limits.cell_seconds)
        except _GoneError as error:
            return [outputs.error("NotRun", str(error))]
        began = time.monotonic()
        try:
            answer = self._ask_cell(kernel, source, seconds)
        except KernelDiedError as error:
            self._died(error)
            if error.time:
                self.troubles.append(OUT_OF_TIME)
                return [outputs.error("TimeIsUp", f"the cell ran for more than {seconds:.3g} seconds")]
            return [outputs.error("KernelDied", f"the process that ran this cell is gone: {error}")]
        if time.monotonic() - began < seconds:
            self.cells.append(source)
        else:
            self.troubles.append(OUT_OF_TIME)
        found = outputs.clean(answer.get("outputs"))
        self.troubles += ["a cell ran out of memory" for output in found if output.get("ename") == "MemoryError"]
        return found

    def learner_object(self, name: str) -> object:
        """What a check can take in place of the student's object: a `Proxy` for what can be called, else the value.

        Raises:
            KeyError: the notebook defines no such name.
        """
        found = self._ask({"do": "look", "name": name}, LOOK_SECONDS)
        match found.get("kind"):
            case "callable":
                return Proxy(self, name)
            case "value":
                return found.get("value")
            case "foreign":
                kind = outputs.clean_text(found.get("type"))[:80] or "object"
                return type(kind, (), {})()
        raise KeyError(name)

    def call(self, name: str, args: tuple, kwargs: dict, rules: guard.Rules) -> guard.Outcome:
        """Calls the student's function in the kernel, with the rules of a check."""
        try:
            rules = dataclasses.replace(rules, seconds=self._seconds(min(rules.seconds, self.limits.cell_seconds)))
            kernel = self._ready()
        except _GoneError as error:
            return guard.Outcome(failure="raises", detail=f"it was not called: {error}")
        request = {"do": "call", "name": name, "args": list(args), "kwargs": kwargs, "rules": rules.to_plain()}
        try:
            answer = kernel.ask(request, self._clock(rules.seconds), wire.LIMIT)
        except KernelDiedError as error:
            self._died(error)
            if error.time:
                return guard.Outcome(failure="endless-loop", detail=f"{rules.seconds:g} seconds")
            return guard.Outcome(failure="raises", detail=f"the process that ran it is gone: {error}")
        return guard.Outcome.from_plain(answer)

    def _ask(self, request: dict, seconds: float) -> dict:
        """An answer from a kernel, from another one where the first dies; empty where none gives one."""
        for _ in range(2):
            try:
                return self._ready().ask(request, self._seconds(seconds), wire.LIMIT)
            except KernelDiedError as error:
                self._died(error)
            except _GoneError:
                break
        return {}

    def _ask_cell(self, kernel: Kernel, source: str, seconds: float) -> dict:
        return kernel.ask({"do": "cell", "source": source, "seconds": seconds}, self._clock(seconds))

    def _clock(self, seconds: float) -> float:
        """How long to wait for something that may compute for so many seconds."""
        return min(BUSY * seconds, max(0.0, self.end - time.monotonic())) + GRACE_SECONDS

    def _ready(self) -> Kernel:
        while self.kernel is None:
            self._seconds(1)
            if self.started == KERNELS:
                raise _GoneError(f"the notebook has ended {KERNELS} processes")
            self.started += 1
            self.kernel = self.keeper.start()
            for index, source in enumerate(self.cells):
                seconds = self._seconds(self.limits.cell_seconds)
                try:
                    self._ask_cell(self.kernel, source, seconds)
                except KernelDiedError as error:
                    self._died(error)
                    del self.cells[index]
                    break
        return self.kernel

    def _seconds(self, most: float) -> float:
        left = self.end - time.monotonic()
        if left <= 0:
            self._close()
            raise _GoneError(f"the {self.limits.seconds:g} seconds for the whole notebook were over")
        return min(most, left)

    def _died(self, error: KernelDiedError) -> None:
        if not error.time:
            self.troubles.append(f"a process of it is gone: {error}")
        self._close()

    def _close(self) -> None:
        if self.kernel is not None:
            self.kernel.close()
            self.kernel = None


class Proxy:
    """Stands for a student's function in a check: every call goes to the kernel, as plain data."""

    def __init__(self, session: Session, name: str):
        self.session, self.__name__ = session, name

    def guarded_call(self, args: tuple, kwargs: dict, rules: guard.Rules) -> guard.Outcome:
        return self.session.call(self.__name__, args, kwargs, rules)
