"""What the store refuses, as expected errors: for actions to catch, and for people to read."""

from __future__ import annotations

from inventory.errors import ExpectedError


class TenantExists(ExpectedError):
    """A second tenant of the same name."""

    code, says = "STO-003", "There is a tenant {tenant!r} already."
    remedy = "Choose another name, or go on with the tenant that is there."


class TenantNameRefused(ExpectedError):
    """A tenant name that cannot be one."""

    code, says = "STO-004", "{tenant!r} cannot be a tenant's name."
    remedy = "Use up to 31 characters: a to z, 0 to 9 and -, a letter first."


class NameTaken(ExpectedError):
    """Two people of one name in one tenant."""

    code, says = "STO-005", "There is a person named {name!r} already."
    remedy = "Give the person a name that tells the two apart."


class NameRefused(ExpectedError):
    """A person's name that cannot be stored, or that looks like a pseudonym."""

    code, says = "STO-006", "{name!r} cannot be a person's name: {why}."
    remedy = "Give a name of up to 120 ordinary characters that does not look like p-0123abcd."


class KeyTaken(ExpectedError):
    """One key for two people: signatures would no longer tell who acted."""

    code, says = "STO-007", "This public key belongs to {person} already."
    remedy = "Each person needs a key of their own: make one with `ssh-keygen -t ed25519`."
    exit_code = 3


class UnknownPerson(ExpectedError):
    """A person that the tenant does not know."""

    code, says = "STO-008", "There is no person {person!r} in {tenant}."
    remedy = "List the people with `kahn person list`, or add one with `kahn person add NAME --key FILE`."
    exit_code = 5


class DeputyRefused(ExpectedError):
    """Somebody as a deputy of themselves."""

    code, says = "STO-009", "{person} cannot stand in for themselves."
    remedy = "Name another person as the deputy."


class PlanOvertaken(ExpectedError):
    """A plan whose parent is not, or no longer, the plan in force."""

    code, says = "STO-010", "The plan builds on {parent}, but the plan in force is {current}."
    remedy = "Make the plan again with `kahn plan propose`; it will start from the plan in force."
    exit_code = 6


class UnknownWave(ExpectedError):
    """A wave that the tenant does not have."""

    code, says = "STO-011", "There is no wave {wave!r} in {tenant}."
    remedy = "List the waves with `kahn wave list`."
    exit_code = 5


class Overtaken(ExpectedError):
    """Somebody else changed the same thing first; nothing was changed by this attempt."""

    code, says = "STO-012", "{subject} was changed by somebody else meanwhile."
    remedy = "Look at it again and repeat the act if it still makes sense."
    exit_code = 6


class AssetBusy(ExpectedError):
    """An asset or machine that a live attempt, or one of unknown outcome, holds."""

    code, says = "STO-013", "{subject} is in use by run {run}."
    remedy = "Wait for that run to end; if its outcome is unknown, clear it first."
    exit_code = 6


class SameSide(ExpectedError):
    """Somebody who proposed a wave approves it, or the other way round."""

    code, says = "STO-015", "{person} cannot {act} wave {wave}: the same person already acted on its other side."
    remedy = "A second person has to do it."
    exit_code = 3


class ActMisplaced(ExpectedError):
    """A signed act that is not about the wave it is filed under."""

    code, says = "STO-016", "The act was signed for {signed}, not for {wave} as it is now."
    remedy = "Sign the act again on the wave's present revision."
    exit_code = 3


class StaleDriver(ExpectedError):
    """A driver that lost its seat and tries to go on."""

    code, says = "STO-017", "Driver epoch {epoch} is over; the present one is {current}."
    remedy = "Stop this driver; another one has taken over."
    exit_code = 6


class StoreWentBack(StaleDriver):
    """The store was replaced by an older one under a driver that holds the seat."""

    code, says = (
        "STO-033",
        "The store is at epoch {current}, but this driver raised it to {epoch}: it was replaced.",
    )
    remedy = "Start the service again: it notices what the store has forgotten and holds every wave under way."


class UnknownRun(ExpectedError):
    """A run, or an asset's part in a run, that the store does not know."""

    code, says = "STO-018", "There is no {subject}."
    remedy = "List the wave's runs with `kahn wave show`."
    exit_code = 5


class EntryRefused(ExpectedError):
    """A journal entry that has no canonical bytes, or that would not fit."""

    code, says = "STO-019", "The journal entry cannot be written: {why}."
    remedy = "Shorten the text or remove the value that JSON cannot hold."
    exit_code = 8


class StoreDamaged(ExpectedError):
    """Stored bytes that do not match their fingerprint: changed by hand or by a fault."""

    code, says = "STO-020", "{subject} in the database does not match its fingerprint: {why}."
    remedy = "Do not go on with it. Restore the database from its last backup and look for who changed it."
    exit_code = 9


class StoreBusy(ExpectedError):
    """Another writer held the database for too long, or two writers blocked each other."""

    code, says = "STO-021", "The database is busy: {why}."
    remedy = "Try again in a moment; nothing was changed."
    exit_code = 7


class StoreUnavailable(ExpectedError):
    """A database that cannot be reached, read or written."""

    code, says = "STO-022", "The database {url} cannot be used: {why}."
    remedy = "Check that it is running, that the disk is not full, and that this account may use it."
    exit_code = 7


class StoreNotReady(ExpectedError):
    """A database without Kahn's tables, or with those of an older release."""

    code, says = "STO-023", "The database {url} is not set up for this release ({found})."
    remedy = "Run `kahn init`: it creates or upgrades the tables."


class StoreNewer(ExpectedError):
    """A database whose tables this release does not know."""

    code, says = "STO-024", "The database {url} was set up by another release (revision {found})."
    remedy = "Install that release or a newer one; this one will not touch the database. `kahn init` tells more."


class StoreUnsafe(ExpectedError):
    """A database setting under which acknowledged commits could be lost."""

    code, says = "STO-025", "The database {url} is not safe: {setting} is {found}, not {wanted}."
    remedy = "Put the database on a local file system, or correct the setting at the database server."


class BadDatabaseUrl(ExpectedError):
    """A database address of no known form."""

    code, says = "STO-026", "{url!r} is no database address that can be used: {why}."
    remedy = "Use sqlite:////absolute/path/kahn.db or postgresql+psycopg://user@host/database."
