"""python -m swzip run [--base FILE]... -- COMMAND [ARGUMENT]...

Runs a command in which each argument that is the path of a container (*.swz) has become the path of its decoded bytes
in memory: `python -m swzip run -- llama-cli -m model.gguf.swz`."""

from __future__ import annotations

import argparse
import os
import sys
from typing import List

from ._library import SwzipError
from ._memory_file import memory_file


def run(command: List[str], bases: List[str]) -> None:
    """Replaces this process by the command."""
    for place, argument in enumerate(command):
        if place and argument.endswith(".swz") and os.path.isfile(argument):
            descriptor = memory_file(argument, bases)
            os.set_inheritable(descriptor, True)
            command[place] = f"/proc/self/fd/{descriptor}"
    os.execvp(command[0], command)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m swzip", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True, metavar="run")
    verb = verbs.add_parser("run", help="runs a command on containers, decoded to memory")
    verb.add_argument("--base", action="append", default=[], help="a file that a container needs as its base")
    verb.add_argument("command", nargs="+", help="the command and its arguments, after --")
    arguments = parser.parse_args()
    try:
        run(arguments.command, arguments.base)
    except (SwzipError, OSError, MemoryError) as error:
        sys.exit(f"swzip: {error}")


if __name__ == "__main__":
    main()
