# SPDX-License-Identifier: MIT
"""Another machine for one command: files and folders that only it sees, by mounts in a namespace of its own. The computer
under the test is not changed, and no root is needed where the system lets users have namespaces."""
import functools
import os
import shlex
import shutil
import subprocess

from fault import skip_unless

# The nodes that every program may count on.
NODES = ("null", "zero", "full", "random", "urandom", "tty")


class Machine:
    """Commands under command() find the root of this machine, but for what was changed."""

    def __init__(self, folder):
        skip_unless(namespaces_work(), "this system gives no mount namespaces (unshare -rm) to this user")
        self.root = folder / "root"
        self.root.mkdir()
        self.left_out = set()
        self.hidden = set()  # folders that are empty now
        self.steps = []
        self.path = os.environ["PATH"]

    def without(self, *names):
        """Entries of the root folder that shall not be there: ".dockerenv"."""
        self.left_out.update(names)
        return self

    def folder(self, path, files=(), options=""):
        """An empty folder with these files, {name: text}, over the one that is there; `options` as mount -o takes them."""
        place = shlex.quote(f"{self.root}{path}")
        self.steps.append(f"mount -t tmpfs {'-o ' + options if options else ''} tmpfs {place}")
        for name, text in dict(files).items():
            target = shlex.quote(f"{self.root}{path}/{name}")
            self.steps += [f"mkdir -p $(dirname {target})", f"printf %s {shlex.quote(text)} > {target}"]
        return self

    def read_only(self, path):
        place = shlex.quote(f"{self.root}{path}")
        self.steps.append(f"mount -o remount,ro,bind {place} {place} || mount -o remount,ro {place}")
        return self

    def search_path(self, value):
        """The PATH of the tool: who asks each python3 on it for its folders finds none elsewhere."""
        self.path = value
        return self

    def devices(self, *names):
        """/dev with the usual nodes and, as empty files, these."""
        old = [name for name in NODES if os.path.exists(f"/dev/{name}")]
        place = shlex.quote(f"{self.root}/dev")
        self.steps += [f"mount -t tmpfs tmpfs {place}", f"mkdir {place}/shm {place}/pts", f"ln -s /proc/self/fd {place}/fd"]
        for name in old:
            self.steps += [f": > {place}/{name}", f"mount --bind /dev/{name} {place}/{name}"]
        self.steps += [f": > {place}/{name}" for name in names]
        return self

    def command(self, directory):
        """To be put before a command, which is run in `directory`."""
        root = shlex.quote(str(self.root))
        steps = [f"mount -t tmpfs tmpfs {root}"]
        for entry in sorted(os.scandir("/"), key=lambda entry: entry.name):
            if entry.name in self.left_out:
                continue
            place = shlex.quote(f"{self.root}/{entry.name}")
            if entry.is_symlink():
                steps.append(f"ln -s {shlex.quote(os.readlink(entry.path))} {place}")
            elif entry.is_dir():
                steps += [f"mkdir {place}", f"mount --rbind {shlex.quote(entry.path)} {place}"]
            elif entry.is_file():
                steps += [f": > {place}", f"mount --bind {shlex.quote(entry.path)} {place}"]
        inside = f'cd {shlex.quote(str(directory))}; PATH={shlex.quote(self.path)} exec "$@"'
        steps += [*self.steps, f'exec chroot {root} sh -c {shlex.quote(inside)} sh "$@"']
        return [shutil.which("unshare"), "-rm", "sh", "-ec", "\n".join(steps), "sh"]


@functools.cache
def namespaces_work():
    try:
        command = ["unshare", "-rm", "sh", "-ec", "mount -t tmpfs tmpfs /mnt && chroot / true"]
        return subprocess.run(command, capture_output=True, check=False, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
