"""What a broker holds at one moment: files, descriptors, memory maps, bytes on disk, memory."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

PROC = Path("/proc")
BLOCK_BYTES = 512
"""The unit of `st_blocks`, on every POSIX system."""

JCMD_SECONDS_MAX = 30.0
KIB = 1024

_USED = re.compile(r"garbage-first heap.*?used (\d+)K")
_MEMORY = re.compile(r"^(VmRSS|RssAnon):\s+(\d+) kB", re.MULTILINE)


@frozen(kw_only=True)
class Census:
    """One look at a broker. What cannot be had here is None.

    Attributes:
        files: in its data directory.
        named_bytes: their sizes as `ls` shows them; an index is as large as it may become.
        disk_bytes: the blocks that they take.
        descriptors: open ones of the broker.
        maps: its memory map areas.
        rss_bytes: its memory, mapped files included.
        anonymous_bytes: its memory without mapped files.
        heap_bytes: Java objects that a full collection leaves.
    """

    files: int
    named_bytes: int
    disk_bytes: int
    descriptors: int
    maps: int
    rss_bytes: int
    anonymous_bytes: int
    heap_bytes: int | None


def taken(pid: int, directory: Path) -> Census:
    """Look at the broker with this pid, whose data are in this directory. Linux only."""
    heap = _heap_bytes(pid)  # first: a collection gives memory back
    sizes = list(_sizes(directory))
    rss, anonymous = memory(PROC / str(pid) / "status")
    return Census(
        files=len(sizes),
        named_bytes=sum(named for named, _ in sizes),
        disk_bytes=sum(disk for _, disk in sizes),
        descriptors=len(list((PROC / str(pid) / "fd").iterdir())),
        maps=len((PROC / str(pid) / "maps").read_text().splitlines()),
        rss_bytes=rss,
        anonymous_bytes=anonymous,
        heap_bytes=heap,
    )


def file_count(directory: Path) -> int:
    """How many files there are."""
    return sum(1 for _ in _files(directory))


def memory(path: Path) -> tuple[int, int]:
    """Bytes in memory, with and without mapped files, as `/proc/PID/status` has them."""
    found = {name: int(kib) * KIB for name, kib in _MEMORY.findall(path.read_text())}
    return found["VmRSS"], found["RssAnon"]


def used_heap(said: str) -> int | None:
    """What `jcmd PID GC.heap_info` says of a G1 heap, in bytes."""
    match = _USED.search(said)
    return int(match[1]) * KIB if match else None


def _heap_bytes(pid: int) -> int | None:
    jcmd = shutil.which("jcmd")
    if jcmd is None:
        return None
    said = [_said(jcmd, pid, command) for command in ("GC.run", "GC.heap_info")]
    return used_heap(said[-1])


def _said(jcmd: str, pid: int, command: str) -> str:
    done = subprocess.run(  # noqa: S603
        (jcmd, str(pid), command), capture_output=True, text=True, timeout=JCMD_SECONDS_MAX, check=False
    )
    return done.stdout


def _sizes(directory: Path) -> Iterator[tuple[int, int]]:
    """Size and blocks of each file; one that goes meanwhile does not count."""
    for entry in _files(directory):
        try:
            found = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        yield found.st_size, found.st_blocks * BLOCK_BYTES


def _files(directory: Path) -> Iterator["os.DirEntry[str]"]:
    try:
        entries = list(os.scandir(directory))
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path))
        else:
            yield entry
