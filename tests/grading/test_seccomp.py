"""The filter of system calls, run here by hand: what it answers to a call, on both processors."""

import errno

import pytest

from vitcourse.grading.walled import seccomp
from vitcourse.grading.walled.seccomp import ALLOW, END, MACHINES, REFUSE, REFUSED, UNKNOWN

NEW_USER, FORK, THREAD = 0x10000000, 17, 0x3D0F00


def answer(machine, number, *arguments, calls_of=None):
    """What the filter of a machine answers to a call."""
    lines, at, value = seccomp.filter_for(machine), 0, 0
    words = {0: number, 4: MACHINES[calls_of or machine]} | {16 + 8 * i: a for i, a in enumerate(arguments)}
    while True:
        code, yes, no, constant = lines[at]
        at += 1
        if code == 0x06:
            return constant
        if code == 0x20:
            value = words.get(constant, 0)
        elif code == 0x54:
            value &= constant
        else:
            met = {0x15: value == constant, 0x35: value >= constant, 0x45: value & constant != 0}[code]
            at += yes if met else no


@pytest.fixture(params=MACHINES)
def machine(request):
    return request.param


def number(name, machine):
    return int(REFUSED[name][list(MACHINES).index(machine)])


def test_every_call_of_the_table_is_refused_and_its_neighbours_are_not(machine):
    numbers = {
        int(both[list(MACHINES).index(machine)])
        for both in REFUSED.values()
        if both[0 if machine == "x86_64" else 1] != "-"
    }
    special = {part[list(MACHINES).index(machine)] for part in (seccomp.CLONE3, seccomp.SOCKET)}
    for call in range(500):
        if call not in special:
            assert answer(machine, call) == (REFUSE if call in numbers else ALLOW), call
    assert errno.EPERM == REFUSE & 0xFFFF


def test_no_two_calls_share_a_number(machine):
    column = list(MACHINES).index(machine)
    numbers = [both[column] for both in REFUSED.values() if both[column] != "-"]
    assert len(numbers) == len(set(numbers)) > 45


def test_processes_and_threads_are_made_and_namespaces_are_not(machine):
    clone = seccomp.CLONE[list(MACHINES).index(machine)]
    assert answer(machine, clone, FORK) == answer(machine, clone, THREAD) == ALLOW
    for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, NEW_USER, 0x20000000, 0x40000000):
        assert answer(machine, clone, flag | FORK) == REFUSE
    assert answer(machine, seccomp.CLONE3[0]) == UNKNOWN


def test_calls_by_another_table_end_the_program_or_are_unknown(machine):
    (other,) = set(MACHINES) - {machine}
    assert answer(machine, 0, calls_of=other) == END
    assert answer(machine, 0x40000000 + number("mount", "x86_64")) == UNKNOWN


@pytest.mark.parametrize("family", range(46))
def test_sockets_are_local_or_of_the_internet_or_ask_for_routes(machine, family):
    call = seccomp.SOCKET[list(MACHINES).index(machine)]
    for kind in range(16):
        for flags in (0, 0o4000 | 0o2000000):
            plain = family in (1, 2, 10) and kind in (1, 2, 5)
            assert answer(machine, call, family, kind | flags, 0) == (ALLOW if plain or family == 16 else REFUSE)
    assert answer(machine, call, 16, 3, 12) == REFUSE


def test_an_unknown_processor_has_no_filter():
    with pytest.raises(OSError, match="no table of system calls for riscv64"):
        seccomp.filter_for("riscv64")
