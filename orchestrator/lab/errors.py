"""Expected errors of the lab, codes LAB-001 and up."""

from __future__ import annotations

from inventory.errors import ExpectedError


class LabNotPossible(ExpectedError):
    """This machine cannot run a lab: rights, a tool or a kernel feature are missing."""

    code, says = "LAB-001", "Real lab hosts are not possible here: {lacks}."
    remedy = "Run as root on a Linux machine with the named tools installed; everything else works without the lab."
    exit_code = 7


class LabFeatureMissing(ExpectedError):
    """One fault needs a kernel feature that this machine lacks."""

    code, says = "LAB-002", "The fault {fault} needs {feature}, which this kernel does not offer."
    remedy = "Use another fault, or a machine with a newer kernel."
    exit_code = 7


class LabNameRefused(ExpectedError):
    """A tenant, host or user name that is not a plain lower-case label."""

    code, says = "LAB-003", "The lab cannot use the name {name!r}."
    remedy = "Use 1 to 40 lower-case letters, digits and hyphens, beginning with a letter or digit."


class LabToolFailed(ExpectedError):
    """A tool of the operating system ended with an error."""

    code, says = "LAB-004", "{tool} failed: {reason}"
    remedy = "Run `kahn lab down` and start the lab again; if it stays so, the message above names the cause."
    exit_code = 7


class LabHostUnknown(ExpectedError):
    """No such host in this lab, or in several tenants and none was named."""

    code, says = "LAB-005", "The lab has no single host {name!r} (tenant: {tenant})."
    remedy = "See `kahn lab list`; name the tenant with --tenant where several have this host."
    exit_code = 5


class LabNotUp(ExpectedError):
    """The lab, or this tenant of it, was not started."""

    code, says = "LAB-006", "No lab is up in {directory} (tenant: {tenant})."
    remedy = "Start it with `kahn lab up --tenant stadt --seats 2`."
    exit_code = 5


class LabHostNotReady(ExpectedError):
    """A lab host was started but its ssh service did not answer in time."""

    code, says = "LAB-007", "The lab host {name} did not answer on ssh within {seconds} s. Console: {console}"
    remedy = "Look at the console log, run `kahn lab down` and start the lab again."
    exit_code = 7


class LabFaultUnknown(ExpectedError):
    """A fault name, or its value, that the lab does not know."""

    code, says = "LAB-008", "The lab knows no fault {fault!r} with value {value!r}."
    remedy = "Faults: {known}."


class LabDirectoryTaken(ExpectedError):
    """The chosen state directory holds something that is not a lab."""

    code, says = "LAB-009", "The directory {directory} holds files that are not a lab's."
    remedy = "Choose an empty or new directory with --dir."


class LabFull(ExpectedError):
    """More hosts or tenants than the lab's addresses allow."""

    code, says = "LAB-010", "The lab has room for {limit} {what} only."
    remedy = "Start fewer, or a second lab with another --dir."


class LabHostOff(ExpectedError):
    """The fault needs a running host."""

    code, says = "LAB-011", "The lab host {name} is off, so {wish} is not possible."
    remedy = "Power it on first: `kahn lab fault {name} power-on`."
    exit_code = 3


class LabSourcesMissing(ExpectedError):
    """The base root file system could not be built."""

    code, says = "LAB-012", "The base root file system could not be built: {reason}"
    remedy = "Check that `apt-get update` works on this machine, then start the lab again."
    exit_code = 7
