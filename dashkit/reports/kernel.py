"""The kernel that a report runs in: this interpreter, with nothing of the user's settings, on no port."""

import os
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

_PACKAGE = Path(__file__).resolve().parent.parent
_LONGEST_SOCKET = 90  # bytes of path; a socket's whole address has 104 on some systems
# IPython runs this as its configuration, before any socket is made. ipykernel would listen on a TCP port for what forks
# of the kernel print; without it that is lost. Where ipykernel has no such function any more, this changes nothing.
_PROFILE = """\
import contextlib

with contextlib.suppress(Exception):
    from ipykernel.iostream import IOPubThread

    if hasattr(IOPubThread, "_setup_pipe_in"):
        IOPubThread._setup_pipe_in = lambda thread: setattr(thread, "_pipe_flag", False)
"""


@contextmanager
def kernel_class(log: Path) -> Iterator[type["AsyncKernelManager"]]:
    """What papermill starts its kernel with: this interpreter, whichever kernels the machine has by name.

    It talks through sockets in a private folder, where the system has them: no port that another may have
    taken or listen to. The class is given, not an instance, because nbclient stops only what it has made.

    Args:
        log: the file for what the process says by itself; what cells print goes to the notebook.
    """
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    with log.open("wb") as sink, tempfile.TemporaryDirectory(prefix="dashkit-", ignore_cleanup_errors=True) as name:
        folder = Path(name)

        class ThisInterpreter(AsyncKernelManager):
            def __init__(self, **settings: Any) -> None:
                super().__init__(**settings)
                self.kernel_spec_manager = KernelSpecManager(kernel_dirs=[], ensure_native_kernel=True)
                self.connection_file = str(folder / "kernel.json")
                if sys.platform != "win32" and len(os.fsencode(folder)) < _LONGEST_SOCKET:
                    self.transport = "ipc"
                    self.ip = str(folder / "socket")
                    profile = folder / "ipython" / "profile_default"
                    profile.mkdir(parents=True, exist_ok=True)
                    (profile / "ipython_kernel_config.py").write_text(_PROFILE, "utf-8")
                if self.kernel_spec is not None:
                    self.kernel_spec.env = {**self.kernel_spec.env, **_environment(folder)}

            async def start_kernel(self, **settings: Any) -> None:  # type: ignore[override]  # async there too, untyped
                await super().start_kernel(**settings, stdout=sink, stderr=sink)

        yield ThisInterpreter


def _environment(folder: Path) -> dict[str, str]:
    # The user's IPython start-up files would make a page depend on who runs it.
    environment = {"IPYTHONDIR": str(folder / "ipython"), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    root = str(_PACKAGE.parent)
    if root != sysconfig.get_path("purelib"):  # run from a checkout: the kernel finds the same dashkit
        paths = (root, os.environ.get("PYTHONPATH", ""))
        environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    return environment
