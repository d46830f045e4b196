"""Where things stand: sites, their buildings and rooms, with what is in each, read off the records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from inventory.model import PLACES, Asset, AssetKind, name_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One room (empty: none is told) of a building (empty: the site has one, or none is told) of a site."""

    site: str
    building: str
    room: str
    kinds: Mapping[AssetKind, int]
    """How many of each kind stand there."""
    departments: tuple[str, ...]


def rooms_of(assets: Iterable[Asset]) -> tuple[Room, ...]:
    """Every place where something stands, by site, building and room; spellings that are the same name are one.

    A machine that tells no place of its own stands where the seat stands that names it.
    """
    everything = list(assets)
    seats = {
        name_key(one.text("machine")): one for one in everything if one.kind is AssetKind.SEAT and one.text("machine")
    }
    found: dict[tuple[str, str, str], list[Asset]] = {}
    spelled: dict[tuple[str, str, str], tuple[str, str, str]] = {}
    for asset in everything:
        if asset.kind in PLACES or asset.kind is AssetKind.PROCEDURE:
            continue
        place = _place(asset)
        if not any(place) and asset.is_machine and name_key(asset.name) in seats:
            place = _place(seats[name_key(asset.name)])
        key = name_key(place[0]), name_key(place[1]), name_key(place[2])
        spelled[key] = min(spelled.get(key, place), place)
        found.setdefault(key, []).append(asset)
    return tuple(_room(spelled[key], found[key]) for key in sorted(found, key=_in_order))


def _place(asset: Asset) -> tuple[str, str, str]:
    return asset.text("site"), asset.text("building"), asset.text("room")


def _in_order(key: tuple[str, str, str]) -> tuple[object, ...]:
    """What is told stands before what is not."""
    return tuple((not word, word) for word in key)


def _room(place: tuple[str, str, str], there: Iterable[Asset]) -> Room:
    assets = list(there)
    return Room(
        site=place[0],
        building=place[1],
        room=place[2],
        kinds=dict(sorted(Counter(one.kind for one in assets).items())),
        departments=tuple(sorted({one.text("department") for one in assets} - {""})),
    )
