"""What a submission may use of the machine."""

from dataclasses import dataclass, field, fields

from vitcourse.errors import InputError


class MissingLimitError(InputError):
    """The platform cannot set a limit.

    Args:
        limit: the limit that is missing, in words.
        reason: what the platform answered.
    """

    def __init__(self, limit: str, reason: str):
        self.limit, self.reason = limit, reason
        super().__init__(
            f"this machine cannot give a submission {limit} ({reason}); "
            "--no-isolation grades without, for submissions that you trust"
        )


@dataclass(frozen=True)
class Limits:
    """Limits on one submission.

    Time is counted where it is used, as seconds of a processor, so that a busy machine fails nobody.

    Args:
        cell_seconds: processor time of one cell, and at most of one call in a check.
        seconds: processor time of the whole submission, checks included; once it is used up, nothing more begins.
        memory_gb: what one process may allocate beyond the libraries of the course; all processes together may hold
            twice as much.
        processes: processes and threads at one time.
        disk_mb: files in the scratch folder, which lies in memory.
        libraries_mb: room in the memory of all for what the libraries hold, which is not the student's.
        wait_seconds: time on the clock of one cell or call, for what neither computes nor ends, such as a sleep.
    """

    cell_seconds: float = field(default=60.0, metadata={"help": "Processor time of one cell."})
    seconds: float = field(default=300.0, metadata={"help": "Processor time of one submission."})
    wait_seconds: float = field(
        default=900.0, metadata={"help": "Time on the clock of a cell that waits and never ends."}
    )
    memory_gb: float = field(
        default=2.0, metadata={"help": "GB that one process may use beside the libraries.", "flags": ("--memory",)}
    )
    processes: int = field(default=64, metadata={"help": "Processes and threads of one submission."})
    disk_mb: int = 256
    libraries_mb: int = 1024

    def __post_init__(self):
        for name in (one.name for one in fields(self)):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} must be above 0, got {getattr(self, name)}")
        if self.processes < 8:
            raise InputError(f"processes must be at least 8, which the kernel itself may need; got {self.processes}")

    @property
    def memory_of_all(self) -> int:
        """Bytes that all processes of a submission may hold together, with the libraries."""
        return int(2 * self.memory_gb * 2**30) + self.libraries_mb * 2**20
