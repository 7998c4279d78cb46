"""The parser of all commands, and `main`: which command runs, and what becomes of its errors."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from dopegraph.commands import bench, completion, explain, export, failures, info, launch, profile, run, setup, view
from dopegraph.version import __version__

COMMANDS: dict[str, ModuleType] = {
    "info": info,
    "setup": setup,
    "run": run,
    "view": view,
    "explain": explain,
    "profile": profile,
    "export": export,
    "bench": bench,
    "launch": launch,
    "completion": completion,
}

_EPILOG = """\
exit codes: 0 done, 1 failed, 2 wrong arguments; setup: 3 no wheel for this system.
DOPEGRAPH_TRACEBACK=1 shows the traceback of an error.
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser, with a subparser for each command that knows what to run."""
    parser = argparse.ArgumentParser(
        prog="dopegraph",
        description="Write NumPy. Get a graph.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"dopegraph {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    for name, module in COMMANDS.items():
        one = commands.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            epilog=getattr(module, "EXAMPLES", None),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(one)
        one.set_defaults(run=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those after the program's name; the process's by default.

    Returns
    -------
    int
        The exit code: 0 done, 1 failed, 2 wrong arguments, 3 no wheel for this system (`setup`), 130 interrupted,
        141 nobody reads the output any longer.
    """
    parser = build_parser()
    chosen = parser.parse_args(arguments)
    if chosen.command is None:
        parser.print_help()
        return failures.DONE
    try:
        code = int(chosen.run(chosen))
        sys.stdout.flush()
        return code
    except failures.CommandError as cause:
        return _failed(chosen.command, str(cause), cause.code)
    except KeyboardInterrupt:
        return _failed(chosen.command, "interrupted", failures.INTERRUPTED)
    except BrokenPipeError:
        # What is still in the buffer has nowhere to go; without this the interpreter complains of it at the end.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return failures.NO_READER
    except Exception as cause:
        if os.environ.get(failures.TRACEBACK):
            raise
        return _failed(chosen.command, failures.told(cause), failures.FAILED)


def _failed(command: str, message: str, code: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        print(f"dopegraph {command}: {message}", file=sys.stderr)
    return code
