"""Words and shares of a made-up municipality; nothing here names a real place, office or person."""

from __future__ import annotations

from typing import NamedTuple

BASE_YEAR = 2011
"""The year the made-up inventory is of."""
AGE_YEARS = ((0, 6), (1, 10), (2, 14), (3, 17), (4, 18), (5, 15), (6, 10), (7, 6), (8, 4))
SITE_WORDS = (
    "Rathaus", "Technisches Rathaus", "Bürgeramt", "Jugendamt", "Gesundheitsamt", "Bauhof", "Feuerwache", "Bibliothek",
    "Musikschule", "Archiv", "Grundschule", "Oberschule", "Kita", "Sporthalle", "Volkshochschule", "Museum",
    "Tiefbauamt", "Sozialamt", "Friedhof", "Wertstoffhof",
)  # fmt: skip
SITE_PLACES = (
    "Neumarkt", "Mühleninsel", "Am Wehr", "Lindenhof", "Kirchgraben", "Altes Tor", "Wiesengrund", "Fährstraße",
    "Spreeaue", "Kahnhafen", "Nordring", "Südring", "Schillerplatz", "Gartenstadt", "Ziegelei", "Am Anger",
    "Erlenbruch", "Sandberg", "Hafenbogen", "Weinberg", "Storchennest", "Heideweg", "Am Markt", "Schleuse",
    "Birkenhain",
)  # fmt: skip
DEPARTMENTS = (
    "Bürgerservice", "Finanzen", "Soziales", "Ordnung und Sicherheit", "Jugend, Schule, Sport", "Bauordnung",
    "Personal & Organisation", "Stadtentwicklung", "Umwelt/Natur", "Gesundheit", "Kultur", "Rechtsamt",
    "Geoinformation", "Feuerwehr", "Grünflächen", "Wirtschaftsförderung", "Rechnungsprüfung", "Veterinärwesen",
    "Straßenverkehr", "Gebäudewirtschaft", "Wohnen", "Vermessung", "Zensus und Wahlen", "Presse",
)  # fmt: skip


class ProcedureWord(NamedTuple):
    """A line-of-business application: its name, the department that answers for it, and whether all use it."""

    name: str
    department: str
    is_hub: bool = False


PROCEDURES = (
    ProcedureWord("Verzeichnisdienst", "Personal & Organisation", True),
    ProcedureWord("E-Mail", "Personal & Organisation", True),
    ProcedureWord("Dateiablage und Druck", "Personal & Organisation", True),
    ProcedureWord("Finanzwesen", "Finanzen", True),
    ProcedureWord("DMS/Ratsinfo", "Rechtsamt", True),
    ProcedureWord("Einwohnermeldewesen", "Bürgerservice", True),
    ProcedureWord("Standesamt", "Bürgerservice"),
    ProcedureWord("KFZ-Zulassung", "Straßenverkehr"),
    ProcedureWord("Fahrerlaubnis", "Straßenverkehr"),
    ProcedureWord("Gewerbe", "Ordnung und Sicherheit"),
    ProcedureWord("Bußgeld", "Ordnung und Sicherheit"),
    ProcedureWord("Ausländerwesen", "Ordnung und Sicherheit"),
    ProcedureWord("Wohngeld", "Soziales"),
    ProcedureWord("Sozialhilfe", "Soziales"),
    ProcedureWord("Elterngeld", "Soziales"),
    ProcedureWord("Jugendhilfe", "Jugend, Schule, Sport"),
    ProcedureWord("Kita-Platzvergabe", "Jugend, Schule, Sport"),
    ProcedureWord("Schulverwaltung", "Jugend, Schule, Sport"),
    ProcedureWord("Kasse", "Finanzen"),
    ProcedureWord("Vollstreckung", "Finanzen"),
    ProcedureWord("Steuern und Abgaben", "Finanzen"),
    ProcedureWord("Personalabrechnung", "Personal & Organisation"),
    ProcedureWord("Zeiterfassung", "Personal & Organisation"),
    ProcedureWord("Baugenehmigung", "Bauordnung"),
    ProcedureWord("Geoinformationssystem", "Geoinformation"),
    ProcedureWord("Liegenschaftskataster", "Vermessung"),
    ProcedureWord("Baumkataster", "Grünflächen"),
    ProcedureWord("Wahlen", "Zensus und Wahlen"),
    ProcedureWord("Amtsarztwesen", "Gesundheit"),
    ProcedureWord("Infektionsschutz", "Gesundheit"),
    ProcedureWord("Veterinärüberwachung", "Veterinärwesen"),
    ProcedureWord("Einsatzleitsystem", "Feuerwehr"),
    ProcedureWord("Bibliothekssystem", "Kultur"),
    ProcedureWord("Kursverwaltung", "Kultur"),
    ProcedureWord("Archivsystem", "Kultur"),
    ProcedureWord("Gebäudemanagement", "Gebäudewirtschaft"),
    ProcedureWord("Friedhofsverwaltung", "Grünflächen"),
    ProcedureWord("Formularserver", "Bürgerservice"),
    ProcedureWord("E-Payment", "Finanzen"),
    ProcedureWord("Ratsgeld", "Rechtsamt"),
)
PROCEDURE_TAILS = (
    "Auskunft", "Statistik", "Archiv", "Schnittstelle", "Mobil", "Online", "Auswertung", "Altverfahren", "Portal",
    "Terminvergabe",
)  # fmt: skip
SEAT_SYSTEMS = (
    ("Windows XP Professional", 66), ("Windows 7 Professional", 22), ("Windows 2000 Professional", 4),
    ("Windows Vista Business", 2), ("Thin Client OS", 4), ("Linux Desktop", 2),
)  # fmt: skip
SERVER_SYSTEMS = (
    ("Windows Server 2003 R2", 55), ("Windows Server 2008", 17), ("Windows 2000 Server", 7),
    ("SUSE Linux Enterprise Server 10", 7), ("Red Hat Enterprise Linux 5", 5), ("NetWare 6.5", 4), ("Solaris 10", 5),
)  # fmt: skip
SEAT_MODELS = (
    ("Werkbank", "Kontor 200"),
    ("Werkbank", "Kontor 310"),
    ("Lausitz PC", "Biber 5"),
    ("Lausitz PC", "Otter 7"),
)
SERVER_MODELS = (("Werkbank", "Speicher R2"), ("Lausitz PC", "Eiche 4"), ("Nordlicht", "NL-1800"))
MAKERS = tuple(f"{first} {second}" for first in ("Nord", "Spree", "Heide", "Elbe", "Harz", "Ostsee")
               for second in ("Software", "Systeme", "Kommunal", "Daten", "Verfahren"))  # fmt: skip
"""Thirty invented makers of procedures."""
VCPUS = ((1, 143), (2, 361), (4, 364), (6, 22), (8, 98), (16, 12))
SERVER_RAM_GIB = ((1, 15), (2, 39), (4, 288), (8, 247), (16, 224), (32, 137), (64, 24), (128, 26))
PROTECTION = (("normal", 55), ("hoch", 38), ("sehr hoch", 7))
STRATEGY = (("rehost", 55), ("replatform", 20), ("replace", 12), ("retire", 8), ("retain", 5))
PLACEHOLDER_SERIALS = ("To be filled by O.E.M.", "System Serial Number", "None", "0000000000")
