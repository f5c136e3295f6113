"""process.py: what one run of a program costs: wall time, CPU time, peak memory. For the benchmarks beside it."""

import contextlib
import fcntl
import glob
import os
import subprocess
import time

QUIET = {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin"}


def times(command):
    """Seconds of wall time and of CPU time, process start included."""
    started = time.monotonic()
    silent = [(os.POSIX_SPAWN_OPEN, stream, "/dev/null", os.O_WRONLY, 0) for stream in (1, 2)]
    pid = os.posix_spawn(command[0], command, QUIET, file_actions=silent)
    _, status, usage = os.wait4(pid, 0)
    assert status == 0, command
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime


def peak_mebibytes(command):
    """VmHWM while the program waits to write its output into a pipe that is full. (ru_maxrss counts the parent, too.)"""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETFL, os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b" " * 4096)
    fcntl.fcntl(writer, fcntl.F_SETFL, 0)
    process = subprocess.Popen(command, stdout=writer, stderr=subprocess.DEVNULL, env=QUIET)
    os.close(writer)
    writes = False
    while not writes and process.poll() is None:
        for path in glob.glob(f"/proc/{process.pid}/task/*/syscall"):
            with contextlib.suppress(OSError), open(path, encoding="ascii") as call:
                writes = writes or call.read().startswith("1 0x1 ")
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    with open(reader, "rb") as rest:
        while rest.read(65536):
            pass
    assert process.wait() == 0, command
    return peak / 1024
