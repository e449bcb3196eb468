"""A student's notebook in the kernels that it needs: a cell that ends its kernel does not end the rest.

No limit is kept by the clock alone, but one of many minutes for what waits and never ends (`Limits.wait_seconds`).

After a kernel has died, the next one runs the cells again that had been run, without those that killed one.
"""

import dataclasses

from nbformat import NotebookNode

from vitcourse.checks.engine import guard
from vitcourse.grading import outputs
from vitcourse.grading.walled import wire
from vitcourse.grading.walled.handle import Kernel, KernelDiedError
from vitcourse.grading.walled.launcher import Launcher

KERNELS = STOPS = 10  # for one notebook; who needs more is out to break something
LOOK_SECONDS = 30.0
# A kernel stops code that has computed for too long, and goes on. Where the code has got round that limit, or other
# processes of it compute, the kernel itself is ended, after so many times the seconds and a few more.
LENIENT, GRACE_SECONDS = 2.0, 3.0
OUT_OF_TIME = "a cell ran out of time"


class _GoneError(Exception):
    """There is no kernel, and there will be none; the message says why."""


class Session:
    """``with Session(launcher) as session: session.run(source)``."""

    def __init__(self, launcher: Launcher):
        self.launcher, self.limits = launcher, launcher.limits
        self.kernel: Kernel | None = None
        self.started, self.stops, self.used = 0, 0, 0.0
        self.cells: list[str] = []
        self.troubles: list[str] = []
        self.asked_for_gpu = False

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_error: object) -> None:
        self._close()

    def run(self, source: str) -> list[NotebookNode]:
        """Runs a cell; what went wrong stands in its outputs."""
        try:
            kernel = self._ready()
        except _GoneError as error:
            return [outputs.error("NotRun", str(error))]
        try:
            answer = self._ask_cell(kernel, source)
        except KernelDiedError as error:
            self._died(error)
            if error.time:
                self.troubles.append(OUT_OF_TIME)
                return [outputs.error("TimeIsUp", f"the process that ran this cell was stopped: {error}")]
            return [outputs.error("KernelDied", f"the process that ran this cell is gone: {error}")]
        self.asked_for_gpu |= answer.get("no_gpu") is True
        if answer.get("stopped") is True:
            self.stops += 1
            self.troubles.append(OUT_OF_TIME)
            if kernel.has_started_others():
                # They would go on, and take the time of the cells and calls below.
                self._close()
        else:
            self.cells.append(source)
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
        rules = dataclasses.replace(rules, seconds=min(rules.seconds, self.limits.cell_seconds))
        try:
            kernel = self._ready()
        except _GoneError as error:
            return guard.Outcome(failure="raises", detail=f"it was not called: {error}")
        request = {"do": "call", "name": name, "args": list(args), "kwargs": kwargs, "rules": rules.to_plain()}
        try:
            answer = kernel.ask(request, _leniently(rules.seconds), wire.LIMIT)
        except KernelDiedError as error:
            self._died(error)
            if error.time:
                seconds = kernel.wait_seconds if error.waited else rules.seconds
                return guard.Outcome(failure="endless-loop", detail=f"{seconds:g} seconds")
            return guard.Outcome(failure="raises", detail=f"the process that ran it is gone: {error}")
        self.asked_for_gpu |= answer.get("no_gpu") is True
        outcome = guard.Outcome.from_plain(answer)
        self.stops += outcome.failure == "endless-loop"
        return outcome

    def _ask(self, request: dict, seconds: float) -> dict:
        """An answer from a kernel, from another one where the first dies; empty where none gives one."""
        for _ in range(2):
            try:
                return self._ready().ask(request, seconds, wire.LIMIT)
            except KernelDiedError as error:
                self._died(error)
            except _GoneError:
                break
        return {}

    def _ask_cell(self, kernel: Kernel, source: str) -> dict:
        seconds = self.limits.cell_seconds
        return kernel.ask({"do": "cell", "source": source, "seconds": seconds}, _leniently(seconds))

    def _ready(self) -> Kernel:
        """The kernel, with all cells run that ran before.

        Raises:
            _GoneError: the time of the notebook is used up, or it has ended too many kernels.
        """
        if self.used + (self.kernel.computed() if self.kernel else 0.0) > self.limits.seconds:
            self._close()
            raise _GoneError(f"the {self.limits.seconds:g} seconds for the whole notebook were over")
        if self.stops >= STOPS:
            raise _GoneError(f"the notebook was stopped {STOPS} times for want of time")
        while self.kernel is None:
            if self.started == KERNELS:
                raise _GoneError(f"the notebook has ended {KERNELS} processes")
            self.started += 1
            self.kernel = self.launcher.start()
            for index, source in enumerate(self.cells):
                try:
                    self._ask_cell(self.kernel, source)
                except KernelDiedError as error:
                    self._died(error)
                    del self.cells[index]
                    break
        return self.kernel

    def _died(self, error: KernelDiedError) -> None:
        if not error.time:
            self.troubles.append(f"a process of it is gone: {error}")
        self._close()

    def _close(self) -> None:
        if self.kernel is not None:
            self.used += self.kernel.used
            self.kernel.close()
            self.kernel = None


def _leniently(seconds: float) -> float:
    """What all processes of a kernel may compute, where its own code may compute for so many seconds."""
    return LENIENT * seconds + GRACE_SECONDS


class Proxy:
    """Stands for a student's function in a check: every call goes to the kernel, as plain data."""

    def __init__(self, session: Session, name: str):
        self.session, self.__name__ = session, name

    def guarded_call(self, args: tuple, kwargs: dict, rules: guard.Rules) -> guard.Outcome:
        return self.session.call(self.__name__, args, kwargs, rules)
