"""The file formats an inventory can be read from; a file's format is known by its content, never by its name."""

from __future__ import annotations

from pathlib import Path

from inventory.errors import ExpectedError
from inventory.mapping import MappingProfile
from inventory.observation import Reading
from inventory.ports import Source
from inventory.sources.ad_computers import AdComputers
from inventory.sources.azure import AzureCsv, AzureReport
from inventory.sources.cmf import MigrationFactory
from inventory.sources.facts import AnsibleFacts, Facter, Ohai
from inventory.sources.glpi import GlpiJson, GlpiXml
from inventory.sources.konveyor import Konveyor
from inventory.sources.limits import FormatUnknown
from inventory.sources.native_csv import NativeCsv
from inventory.sources.native_json import NativeJson
from inventory.sources.nmap import Nmap
from inventory.sources.office_csv import OfficeCsv
from inventory.sources.office_xlsx import OfficeXlsx
from inventory.sources.opsi import Opsi
from inventory.sources.rvtools import RvTools
from inventory.sources.snipeit import SnipeIt
from inventory.sources.strangers import Strangers
from inventory.sources.workbook import is_workbook
from inventory.sources.zeek import Zeek

SOURCES: tuple[Source, ...] = (
    RvTools(),
    AzureReport(),
    Strangers(),
    Zeek(),
    GlpiXml(),
    Nmap(),
    Opsi(),
    GlpiJson(),
    AnsibleFacts(),
    Facter(),
    Ohai(),
    MigrationFactory(),
    NativeJson(),
    NativeCsv(),
    AdComputers(),
    AzureCsv(),
    Konveyor(),
    SnipeIt(),
    OfficeCsv(),
    OfficeXlsx(),
)
"""In the order in which they are asked; the first that recognises a file reads it."""


def recognise(path: Path) -> Source:
    """The source whose format the file has. Raises FormatUnknown or FileUnreadable."""
    for source in SOURCES:
        if source.recognises(path):
            return source
    raise FormatUnknown(
        file=path, known=", ".join(source.name for source in SOURCES if not isinstance(source, Strangers))
    )


def is_recognised(path: Path) -> bool:
    """Whether a file has a known format that can be read."""
    try:
        return not isinstance(recognise(path), Strangers)
    except ExpectedError:
        return False


def read_file(path: Path, *, profile: MappingProfile | None = None) -> Reading:
    """What the file says, read by the source that recognises it, or as a list by the profile. Raises ExpectedError."""
    if profile is None:
        return recognise(path).read(path)
    return (OfficeXlsx(profile) if is_workbook(path) else OfficeCsv(profile)).read(path)
