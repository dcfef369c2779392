"""What a look at a database tells of all changes: which are missing, there without a record, edited, or in the way."""

from typing import NamedTuple

from dashkit.migrations.changes import AddColumn, Change
from dashkit.migrations.findings import THERE, Finding
from dashkit.migrations.lost import NOT_NEEDED, Lost
from dashkit.migrations.moves import Move
from dashkit.migrations.record import Record


class Item(NamedTuple):
    """One change of a version, as it stands in this database; `checksum` is the recorded one, if any.

    `known` are checksums of other texts that it had before its release. `is_adopted`: no run of ours made it; it was
    there, and was recorded as it was.
    """

    version: str
    change: Change
    finding: Finding
    checksum: str | None
    known: tuple[str, ...] = ()
    is_adopted: bool = False

    def is_lost(self, one: Lost) -> bool:
        """Whether it ever had what it has not."""
        had_none = isinstance(self.change, AddColumn) or one.kind in NOT_NEEDED
        return self.checksum is not None and not (self.is_adopted and had_none)

    @property
    def is_later(self) -> bool:
        """Whether it was never applied here as it is now: what was, and is missing, is lost."""
        return self.checksum is None or self.finding.is_earlier or isinstance(self.change, Move)


class Survey(NamedTuple):
    """Every change of the wanted versions, and the record of earlier runs with its versions.

    `references` are looked at apart, as they take a pass over all tasks (`requirements.references`).
    `inherited` is what keys of version 1 have lost, looked at apart too, by a backup (`inherited.find`).
    `is_misnamed`: a table is named where it is not, and anything may seem to be in the way until that is put right.
    """

    items: tuple[Item, ...]
    record: Record
    recorded_versions: tuple[str, ...]
    references: Finding = THERE
    is_misnamed: bool = False
    inherited: tuple[Lost, ...] = ()

    @property
    def missing(self) -> list[Item]:
        """The changes to apply."""
        return [item for item in self.items if item.finding.state == "missing"]

    @property
    def unrecorded(self) -> list[Item]:
        """The changes that are there, or have nothing to do, without a record: they get one."""
        return [item for item in self.due if item.finding.state == "there" and item.checksum is None]

    @property
    def adopted(self) -> list[Item]:
        """Those of them that somebody else has made."""
        return [item for item in self.unrecorded if not item.finding.is_needless]

    @property
    def due(self) -> list[Item]:
        """The changes that leave a record: every one but a move where there was nothing to move."""
        return [item for item in self.items if item.checksum is not None or not isinstance(item.change, Move)]

    @property
    def grown(self) -> list[Item]:
        """The changes to apply that the last version got, or got another text of, since it was applied here."""
        mine = [item for item in self.items if item.version == self.items[-1].version]
        begun = any(item.checksum is not None for item in mine)
        return [item for item in mine if begun and item.finding.state == "missing" and item.is_later]

    @property
    def lost(self) -> list[Lost]:
        """What another program took away from what is there."""
        lost = [one for item in self.items for one in item.finding.lost if item.is_lost(one)]
        return [*self.record.finding.lost, *lost, *self.inherited]

    @property
    def mendable(self) -> list[Lost]:
        """What of it the next run gives back: of the rest rows have to be put right first."""
        return [one for one in self.lost if not one.broken]

    @property
    def in_the_way(self) -> list[tuple[str, Finding]]:
        """What is in the way, each with the version that it stops."""
        first = self.items[0].version
        findings = [(first, self.record.finding), (first, self.references)]
        findings += [(item.version, item.finding) for item in self.items]
        return [(version, finding) for version, finding in findings if finding.state == "in the way"]

    @property
    def obstacles(self) -> list[str]:
        """What is in the way, in words."""
        return [finding.why for _, finding in self.in_the_way]

    @property
    def remedies(self) -> list[str]:
        """What to do about what is in the way."""
        return list(dict.fromkeys(finding.remedy for _, finding in self.in_the_way))

    @property
    def free(self) -> str:
        """The last version that nothing is in the way of, where something is in the way of a later one; else empty."""
        if not self.in_the_way:
            return ""
        versions = list(dict.fromkeys(item.version for item in self.items))
        stopped = self.in_the_way[0][0]
        return versions[versions.index(stopped) - 1] if stopped != versions[0] else ""

    @property
    def edited(self) -> list[Item]:
        """The recorded changes that were edited since: drift."""
        recorded = [item for item in self.items if item.checksum is not None]
        return [item for item in recorded if item.checksum not in (item.change.checksum, *item.known)]

    @property
    def notes(self) -> list[str]:
        """What differs harmlessly, and drift."""
        edited = [
            f"{item.change.name} was applied in another wording (recorded {item.checksum}, now {item.change.checksum})"
            for item in self.edited
        ]
        bare = [
            f"{one.where} is there already, without {one.clause}, and dashkit leaves it as it is: {one.allows}"
            for item in self.items
            for one in item.finding.lost
            if not item.is_lost(one)
        ]
        # Several changes of one table may find the same.
        findings = (self.record.finding, *(item.finding for item in self.items))
        return list(dict.fromkeys(note for finding in findings for note in finding.notes)) + bare + edited

    @property
    def complete(self) -> bool:
        """Nothing to apply, nothing to adopt, nothing to put right."""
        return not (self.missing or self.adopted or self.obstacles or self.mendable or self.is_misnamed)
