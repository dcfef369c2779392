"""What a look at a database tells of all changes: which are missing, there without a record, edited, or in the way."""

from typing import NamedTuple

from dashkit.migrations.changes import AddColumn, Change
from dashkit.migrations.findings import Finding
from dashkit.migrations.lost import NOT_NEEDED, Lost
from dashkit.migrations.moves import Move


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
    """Every change of the wanted versions, and the tracking table itself; when the last run made a backup.

    `is_misnamed`: a table is named where it is not, and anything may seem to be in the way until that is put right.
    """

    items: tuple[Item, ...]
    tracking: Finding
    recorded_versions: tuple[str, ...]
    migrated_at: str | None
    backup: str | None
    is_misnamed: bool = False

    @property
    def missing(self) -> list[Item]:
        """The changes to apply."""
        return [item for item in self.items if item.finding.state == "missing"]

    @property
    def unrecorded(self) -> list[Item]:
        """The changes that are there without a record: to be adopted."""
        return [item for item in self.due if item.finding.state == "there" and item.checksum is None]

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
        return [one for item in self.items for one in item.finding.lost if item.is_lost(one)]

    @property
    def mendable(self) -> list[Lost]:
        """What of it the next run gives back: of the rest rows have to be put right first."""
        return [one for one in self.lost if not one.broken]

    @property
    def obstacles(self) -> list[str]:
        """What is in the way, in words."""
        findings = [self.tracking, *(item.finding for item in self.items)]
        return [finding.why for finding in findings if finding.state == "in the way"]

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
            f"{one.where} was adopted without {one.clause}: {one.allows}"
            for item in self.items
            for one in item.finding.lost
            if not item.is_lost(one)
        ]
        return [note for item in self.items for note in item.finding.notes] + bare + edited

    @property
    def complete(self) -> bool:
        """Nothing to apply, nothing to adopt, nothing to put right."""
        return not (self.missing or self.unrecorded or self.obstacles or self.mendable or self.is_misnamed)
