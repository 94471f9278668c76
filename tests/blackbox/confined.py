"""Runs a command within what a unit of systemd allows, where no systemd runs: `confined.py UNIT COMMAND…`. Of its lines it knows
NoNewPrivileges, MemoryDenyWriteExecute, SystemCallFilter and LimitNOFILE."""
import ctypes
import os
import re
import resource
import struct
import subprocess
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_SET_MDWE = 38, 22, 65
SECCOMP_MODE_FILTER, ALLOW, REFUSE = 2, 0x7FFF0000, 0x00050000 | 1  # with EPERM
LOAD_NUMBER, IF_EQUAL, RETURN = 0x20, 0x15, 0x06
NUMBERS = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"


def sets_of_calls():
    """systemd's own: `@aio` and its like, each with names of calls and of other sets."""
    sets, name = {}, None
    text = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        if line.startswith("@"):
            name = line.strip()
            sets[name] = []
        elif re.fullmatch(r" +[@\w-]+", line) and name:
            sets[name].append(line.strip())
        elif line.startswith("#"):
            name = None  # what belongs to no set
    return sets


def calls_of(name, sets):
    return {call for one in sets[name] for call in calls_of(one, sets)} if name.startswith("@") else {name}


def allowed_calls(lines):
    sets, allowed = sets_of_calls(), set()
    for line in lines:
        named = {call for name in line.lstrip("~").split() for call in calls_of(name, sets)}
        allowed = allowed - named if line.startswith("~") else allowed | named
    return allowed | calls_of("@default", sets)


def filter_of(calls):
    with open(NUMBERS) as header:
        numbers = dict(re.findall(r"#define __NR_(\w+) (\d+)", header.read()))
    program = struct.pack("HBBI", LOAD_NUMBER, 0, 0, 0)
    for call in sorted(calls & numbers.keys()):
        program += struct.pack("HBBI", IF_EQUAL, 0, 1, int(numbers[call])) + struct.pack("HBBI", RETURN, 0, 0, ALLOW)
    return program + struct.pack("HBBI", RETURN, 0, 0, REFUSE)


def confine(unit):
    with open(unit) as f:
        lines = re.findall(r"^(\w+)=(.*)$", f.read(), re.M)
    settings = dict(lines)
    libc = ctypes.CDLL(None, use_errno=True)
    files = int(settings["LimitNOFILE"])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(files, hard), min(files, hard)))
    program = filter_of(allowed_calls([value for name, value in lines if name == "SystemCallFilter"]))
    buffer = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    if settings["NoNewPrivileges"] == "yes":
        assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    if settings["MemoryDenyWriteExecute"] == "yes":
        libc.prctl(PR_SET_MDWE, 1, 0, 0, 0)  # before Linux 6.3 there is none
    assert libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_char_p(head), 0, 0) == 0, os.strerror(ctypes.get_errno())


if __name__ == "__main__":
    confine(sys.argv[1])
    os.execv(sys.argv[2], sys.argv[2:])
