"""The command ``vitcourse`` (``python -m vitcourse`` is the same).

Every command reads and checks all that it was given before it writes. Input that cannot be used ends it with one line
on standard error and exit status 2.
"""

import os
import sys
import warnings

from vitcourse.commands import asl, author, command_group, complain, course, evaluation, faces, machine, study, trained
from vitcourse.errors import InputError, one_line

app = command_group("Models, data and training of the course on vision transformers.")
INTERRUPTED = 130  # what Typer makes of a Ctrl-C
for part in (machine, asl, study, faces, evaluation, trained, course, author):
    app.add_typer(part.app)


def main() -> None:
    """Runs the command; what its user can mend becomes one line and exit status 2."""
    warnings.formatwarning = lambda message, *_, **__: f"note: {one_line(message, 600)}\n"
    try:
        status = app(standalone_mode=False) or 0
        sys.stdout.flush()
        if status == INTERRUPTED:
            complain("interrupted")
        sys.exit(status)
    except BrokenPipeError:  # whoever reads what is printed has read enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is left, at the end of the program
        sys.exit(1)
    except (InputError, FloatingPointError) as error:
        _refuse(one_line(error, 600))  # room for a path, five names and their number
    except OSError as error:
        if error.filename is None:
            raise
        _refuse(f"{error.filename}: {error.strerror}")
    except Exception as error:
        # Typer's own errors (a missing option, say) can show themselves; anything else is a fault of ours.
        if not hasattr(error, "format_message"):
            raise
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()
            sys.exit(2)
        _refuse(one_line(error.format_message()))


def _refuse(line: str) -> None:
    complain(line)
    sys.exit(2)
