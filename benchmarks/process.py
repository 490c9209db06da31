"""What a whole process costs, start-up included, and the processor that it runs on."""

import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

WAITING = """
import json, os, subprocess, sys, time
start = time.monotonic()
try:
    process = subprocess.Popen(sys.argv[2:])
except OSError as error:
    found = error.errno
else:
    _, status, usage = os.wait4(process.pid, 0)
    cost = usage.ru_utime + usage.ru_stime, time.monotonic() - start, usage.ru_maxrss / 1024
    found = os.waitstatus_to_exitcode(status), *cost
os.write(int(sys.argv[1]), json.dumps(found).encode())
"""
"""Runs a command for a larger process, whose own memory would count as the command's: a child begins as its parent."""


@dataclass(frozen=True)
class Cost:
    """CPU and wall seconds, peak memory in MiB."""

    cpu: float
    wall: float
    memory: float


def run(command: list[str]) -> Cost:
    """Run a command to its end; OSError if it cannot be run, RuntimeError if it fails."""
    read, write = os.pipe()
    with open(read) as told:
        try:
            subprocess.run([sys.executable, "-S", "-c", WAITING, str(write), *command], pass_fds=[write], check=True)
        finally:
            os.close(write)
        found = json.load(told)
    if isinstance(found, int):
        raise OSError(found, os.strerror(found), command[0])
    code, *cost = found
    if code:
        raise RuntimeError(f"{' '.join(command)} failed")
    return Cost(*cost)


def cpu_name() -> str:
    """The processor of this machine, as the kernel tells it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
