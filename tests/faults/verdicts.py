"""What an attack has come to, in a line."""

from __future__ import annotations

from dataclasses import dataclass

from command_line import Ran
from faults.people import Person, pass_time
from faults.stubs.conduct import Conduct

_ROUNDS = 5


@dataclass(frozen=True)
class Row:
    """One line of the table.

    `extra` is how many jobs were paid for beyond the one that was wanted, `double` how many of those run,
    `forgotten` how many run and are in no row of the ledger, and `told` whether somebody was told that so it may be.
    """

    vendor: str
    fault: str
    then: str
    extra: int
    double: int
    forgotten: int
    reported: bool
    missing: bool
    lies: int
    endless: bool
    wrong_name: bool
    broken: str

    @property
    def wrong(self) -> str:
        """What is wrong, in words; empty where all is well."""
        found = {
            f"{self.extra} paid twice": self.extra > 0,
            f"{self.double} run beside it": self.double > 0,
            f"{self.forgotten} forgotten": self.forgotten > 0 and not self.reported,
            "denied": self.lies > 0,
            "asks without end": self.endless,
            "no job in the end": self.missing,
            "the reply names another job": self.wrong_name,
            self.broken: bool(self.broken),
        }
        return ", ".join(words for words, is_so in found.items() if is_so)

    def __str__(self) -> str:
        return f"{self.vendor:9} {self.fault:44} {self.then:24} {'WRONG: ' + self.wrong if self.wrong else 'one job'}"


def settle(person: Person, *, submits: bool = True) -> None:
    """The vendor behaves again, time passes, and the person goes on until there is a job, as far as there can be."""
    person.vendor.conduct = Conduct(listing=person.vendor.conduct.listing)
    person.vendor.conduct.listing.calls = 0
    person.vendor.hurry.set()
    for _round in range(_ROUNDS):
        if person.vendor.made and not person.forgotten():
            return
        ran = person.recover()
        if ran.code == 0 and submits and not person.vendor.made:
            person.submit()
        if not person.vendor.made:
            pass_time()


def verdict(
    person: Person,
    fault: str,
    then: str,
    *,
    last: Ran | None = None,
    may_miss: bool = False,
    broken: str = "",
) -> Row:
    """The line of the table, and printed; `last` is a reply that has to name the job, by its id in the ledger."""
    vendor, jobs = person.vendor, person.jobs()
    ours = {job.id for job in jobs if job.remote_id in {made.id for made in vendor.made}}
    unforeseen = [ran.err for ran in person.replies if "not foreseen" in ran.err]
    forgotten = len(person.forgotten())
    row = Row(
        person.name,
        fault,
        then,
        extra=max(0, len(vendor.made) - 1),
        double=max(0, len(vendor.running) - 1),
        forgotten=forgotten,
        reported=any(ran.code != 0 or any(job.id in ran.err for job in jobs) for ran in person.replies[-2:]),
        missing=not vendor.made and not may_miss,
        lies=len(person.lies),
        endless=vendor.stormed,
        wrong_name=last is not None and bool(vendor.made) and last.out.strip() not in ours,
        broken="; ".join([*filter(None, [broken]), *vendor.problems, *unforeseen])[:200],
    )
    print(row, flush=True)  # noqa: T201 - whoever runs with -s wants to see it
    return row


def wrong(rows: list[Row]) -> list[str]:
    """The lines of what went wrong."""
    return [str(row) for row in rows if row.wrong]
