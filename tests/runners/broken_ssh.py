"""An `ssh` that breaks one call, as a network does: the real one's, told by what it is asked to do."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

KINDS = ("cut", "cut-after", "cut-midway", "html", "invalid-json", "truncate", "slow")

_PROGRAM = """\
#!/bin/sh
# counts the calls of the far side by their verbs, and breaks the one that the file `plan` names
case "$*" in *runners.far*) ;; *) exec {ssh} "$@" ;; esac
IFS= read -r request
verb=${{request#*\\"verb\\": \\"}}
verb=${{verb%%\\"*}}
echo "$verb" >>{folder}/calls
[ -e {folder}/requests ] && printf '%s\\n' "$*" >>{folder}/arguments && printf '%s\\n' "$request" >>{folder}/requests
read -r wanted kind seconds 2>/dev/null <{folder}/plan
real() {{ {{ printf '%s\\n' "$request"; cat; }} | {ssh} "$@"; }}
[ "$verb" = "$wanted" ] && mv {folder}/plan {folder}/done 2>/dev/null || {{ real "$@"; exit; }}
case "$kind" in
cut) exit 255 ;;
cut-after) real "$@" >/dev/null; exit 255 ;;
cut-midway) real "$@" >{folder}/answer; head -c 12 {folder}/answer; exit 255 ;;
html) real "$@" >/dev/null; echo '<html>' ;;
invalid-json) real "$@" >/dev/null; echo 'ftbridge answers: {{"value": [}}' ;;
truncate) real "$@" >{folder}/answer; head -c 25 {folder}/answer ;;
slow) sleep "$seconds"; real "$@" ;;
cut-upload) {{ printf '%s\\n' "$request"; head -c "$seconds"; }} | {ssh} "$@" >/dev/null; exit 255 ;;
kill-before) kill -9 $PPID; exit 255 ;;
kill-after) real "$@" >/dev/null; kill -9 $PPID; exit 255 ;;
kill-meanwhile) kill -9 $PPID; real "$@" >/dev/null ;;
esac
"""


class BrokenSsh:
    """The program in `folder`, which has to be the first on the PATH."""

    def __init__(self, folder: Path) -> None:
        ssh = shutil.which("ssh")
        assert ssh
        self.folder = folder
        folder.mkdir(parents=True)
        (folder / "ssh").write_text(_PROGRAM.format(folder=folder, ssh=ssh))
        (folder / "ssh").chmod(0o755)

    @property
    def path(self) -> str:
        """The PATH with it."""
        return f"{self.folder}:{os.environ['PATH']}"

    def plan(self, verb: str, kind: str, seconds: float | str = 1.0) -> None:
        """Break the next call of that verb."""
        (self.folder / "plan").write_text(f"{verb} {kind} {seconds}\n")

    @property
    def is_planned(self) -> bool:
        """Whether what was planned has not happened yet."""
        return (self.folder / "plan").exists()

    def clear(self) -> None:
        """Break nothing."""
        (self.folder / "plan").unlink(missing_ok=True)

    def record(self) -> None:
        """Keep the arguments and the requests of all calls from now on."""
        (self.folder / "requests").touch()

    def recorded(self) -> tuple[str, list[str]]:
        """The arguments of all calls, and the requests."""
        return (self.folder / "arguments").read_text(), (self.folder / "requests").read_text().splitlines()

    def calls(self) -> list[str]:
        """The verbs of all calls so far."""
        file = self.folder / "calls"
        return file.read_text().split() if file.exists() else []
