"""Print a script that completes this command line in a shell.

bash: eval "$(dopegraph completion bash)" in ~/.bashrc
zsh:  dopegraph completion zsh > "${fpath[1]}/_dopegraph"
fish: dopegraph completion fish > ~/.config/fish/completions/dopegraph.fish
"""

from __future__ import annotations

import argparse
import importlib
from typing import Any

from dopegraph.commands.failures import DONE, CommandError, UsageError
from dopegraph.commands.programs import find_folder, programs
from dopegraph.commands.reports import report

HELP = "print a script that completes commands in a shell"
SHELLS = ("bash", "zsh", "fish", "tcsh")

# Arguments that name files.
_FILES = frozenset(["target", "output"])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``dopegraph completion``."""
    parser.add_argument("shell", choices=SHELLS, help="the shell")
    parser.set_defaults(json=False)


def run(chosen: argparse.Namespace) -> int:
    """Print the script that shtab makes of the parser."""
    try:
        shtab: Any = importlib.import_module("shtab")
    except ImportError:
        raise CommandError("completion needs the package shtab: pip install 'dopegraph[cli]'") from None
    if chosen.shell not in shtab.SUPPORTED_SHELLS:
        raise UsageError(f"shtab {shtab.__version__} knows {', '.join(shtab.SUPPORTED_SHELLS)}; a newer one knows more")
    from dopegraph.commands.entry import build_parser

    parser = build_parser()
    _complete(parser, shtab)
    report(chosen, None, shtab.complete(parser, shell=chosen.shell))
    return DONE


def _complete(parser: argparse.ArgumentParser, shtab: Any) -> None:
    """Tell shtab which arguments are files and folders, and which examples there are."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for one in action.choices.values():
                _complete(one, shtab)
        elif action.dest in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.dest == "folder":
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif action.dest == "example":
            action.choices = _examples() or None


def _examples() -> list[str]:
    try:
        return [one.name for one in programs(find_folder("examples", None))]
    except CommandError:
        return []
