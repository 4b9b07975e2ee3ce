"""A PostgreSQL server of one's own, that may be stopped and started: the machine's own serves other tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

#: initdb and the server refuse to run as the superuser.
USER = "postgres"


def programs() -> Path | None:
    """Return the folder with initdb and pg_ctl; None where there is none."""
    found = shutil.which("initdb")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if not found else [Path(found).parent]
    return folders[-1] if folders else None


class Cluster:
    """One server on a port of its own. `remove` stops it and deletes its folder."""

    def __init__(self, bin_folder: Path) -> None:
        self._bin = bin_folder
        # Not below pytest's folder: that one is closed to other users.
        self.folder = Path(tempfile.mkdtemp(prefix="lm-cluster-"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._run("initdb", "-A", "trust", "-U", USER, "-N", "-D", str(self.folder / "data"))
        self.url = f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._control("start", "-o", options, "-l", str(self.folder / "log"))

    def stop(self, mode: str) -> None:
        """Stop it: `fast` ends all connections in order, `immediate` is a crash of the server."""
        self._control("stop", "-m", mode)

    def remove(self) -> None:
        if (self.folder / "data" / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self.folder)

    def _control(self, *words: str) -> None:
        self._run("pg_ctl", "-w", "-D", str(self.folder / "data"), *words)

    def _run(self, program: str, *words: str) -> None:
        other = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
        command = [*other, str(self._bin / program), *words]
        # The server keeps what it was given as its output: not a pipe, or we would wait for its end.
        subprocess.run(command, cwd="/", check=True, timeout=60, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
