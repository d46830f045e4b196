"""What texts say of one thing: a text with a number in it, and the text that leaves the number out because it is one.

English and German have the same two forms, so one table serves both. Whoever fills in a text need not know of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from types import MappingProxyType

SINGULARS: tuple[tuple[str, str], ...] = (
    (
        "{count} old machines are kept; {ready} of them may be erased today.",
        "One old machine is kept; may be erased today: {ready}.",
    ),
    (
        "Sign that {count} old machines were erased? Nothing of them can be taken back afterwards.",
        "Sign that this old machine was erased? Nothing of it can be taken back afterwards.",
    ),
    ("{count} assets stay in their wave.", "One asset stays in its wave."),
    (
        "{planned} assets in {waves} waves, {left} left over, {all} in all.",
        "{planned} assets in one wave, {left} left over, {all} in all.",
    ),
    ("{planned} assets in {waves} waves, {left} left over", "{planned} assets in one wave, {left} left over"),
    (
        "{due}  begun           {wave}  {name} ({owner}), {assets} assets on {day}",
        "{due}  begun           {wave}  {name} ({owner}), one asset on {day}",
    ),
    (
        "{due}  OVERDUE {late:>3} d  {wave}  {name} ({owner}), {assets} assets on {day}",
        "{due}  OVERDUE {late:>3} d  {wave}  {name} ({owner}), one asset on {day}",
    ),
    (
        "{due}  in {left:>4} days    {wave}  {name} ({owner}), {assets} assets on {day}",
        "{due}  in {left:>4} days    {wave}  {name} ({owner}), one asset on {day}",
    ),
    ("{shown} of {all} assets. Next: kahn asset show NAME", "{shown} of one asset. Next: kahn asset show NAME"),
    ("Taken in: {count} changes.", "Taken in: one change."),
    ("Written to NetBox: {count} objects.", "Written to NetBox: one object."),
    ("{done} of {all} objects written, then {code}", "{done} of one object written, then {code}"),
    ("To NetBox: {count} objects", "To NetBox: one object"),
    ("{number} of {count} machines asked", "{number} of one machine asked"),
    (
        "Have you compared the fingerprints, and trust these {count} new keys?",
        "Have you compared the fingerprint, and trust this new key?",
    ),
    (
        "{count} assets are left behind. Next: `kahn plan propose`.",
        "One asset is left behind. Next: `kahn plan propose`.",
    ),
    (
        "{count} places. Next: kahn asset impact site:SITE room:ROOM",
        "One place. Next: kahn asset impact site:SITE room:ROOM",
    ),
    (
        "Written: {file} ({count} files). Next: `kahn backup show {file}`.",
        "Written: {file} (one file). Next: `kahn backup show {file}`.",
    ),
    ("{count} files", "one file"),
    (
        '{count} columns are left out (-). Say what they are with --set "HEADING=FIELD".',
        'One column is left out (-). Say what it is with --set "HEADING=FIELD".',
    ),
    ("{count} changes written. Next: kahn plan propose", "One change written. Next: kahn plan propose"),
    ("The plan check found {count} errors in this plan.", "The plan check found one error in this plan."),
    ("{name} is in {wave}; {count} windows lie before it.", "{name} is in {wave}; one window lies before it."),
    ("{name} is in no wave; {count} windows are in reach.", "{name} is in no wave; one window is in reach."),
    ("... {count} more lines: `kahn wave show {wave}`", "... one more line: `kahn wave show {wave}`"),
    ("batch {batch} begins: {count} assets", "batch {batch} begins: one asset"),
    ("looked at {count} machines before {batch}", "looked at one machine before {batch}"),
    ("{batch} {words} on {count} assets", "{batch} {words} on one asset"),
    ("{count} assets are in {file}", "One asset is in {file}"),
    ("{count} tenants", "one tenant"),
    ("{count} entries, chain whole", "one entry, chain whole"),
    ("{count} people are called", "one person is called"),
    ("{count} acts carry no genuine signature", "one act carries no genuine signature"),
    ("{count} signatures genuine", "one signature genuine"),
    ("{count} hosts are up for {tenant}.", "One host is up for {tenant}."),
    ("No longer in the inventory: {count} assets of the plan", "No longer in the inventory: one asset of the plan"),
    ("The plan says nothing of {count} assets: {names}", "The plan says nothing of one asset: {names}"),
    (
        "Store this plan and propose its {count} waves as {person}?",
        "Store this plan and propose its only wave as {person}?",
    ),
    (
        "{batch}: {count} assets, begins by {time} at the latest: {names}",
        "{batch}: one asset, begins by {time} at the latest: {names}",
    ),
    ("{count} assets are meant: {names}", "One asset is meant: {names}"),
    (
        "{count} held assets stay where they are; `kahn wave retry {wave}` tries them again.",
        "One held asset stays where it is; `kahn wave retry {wave}` tries it again.",
    ),
    (
        "Wave {wave} is {state} ({cause}). Let up to {count} waiting assets go on?",
        "Wave {wave} is {state} ({cause}). Let the one waiting asset go on?",
    ),
    (
        "End wave {wave} and leave {count} assets for another wave?",
        "End wave {wave} and leave one asset for another wave?",
    ),
    ("Signed: could not be done: {work}, {count} assets.", "Signed: could not be done: {work}, one asset."),
    ("Signed: done: {work}, {count} assets.", "Signed: done: {work}, one asset."),
    ("{act}: {count} assets of wave {wave}?", "{act}: one asset of wave {wave}?"),
    (
        "Declare this of {count} assets? What you sign is believed.",
        "Declare this of one asset? What you sign is believed.",
    ),
    (
        "{file} has {count} errors; nothing of it was taken. The first: {first}",
        "{file} has one error; nothing of it was taken: {first}",
    ),
    ("{count} assets are in {file}.", "One asset is in {file}."),
    (
        "{count} assets of the plan are not in the file; they stay where they are.",
        "One asset of the plan is not in the file; it stays where it is.",
    ),
    ("{count} more errors.", "One more error."),
    ("{name} holds to every rule: {steps} steps, tree {tree}.", "{name} holds to every rule: one step, tree {tree}."),
    ("{count} waves are in {file}.", "One wave is in {file}."),
    ("So are {count} tasks ahead of them, each on its last day.", "So is one task ahead of them, on its last day."),
    ("{wave}: {count} assets move", "{wave}: one asset moves"),
    (
        "{wave} moves on {day}; this must be begun {days} days before.",
        "{wave} moves on {day}; this must be begun the day before.",
    ),
    ("{count} assets", "one asset"),
    (
        "Wave {wave} cannot be ended: {count} assets stand between old and new.",
        "Wave {wave} cannot be ended: one asset stands between old and new.",
    ),
    (
        "Wave {wave} cannot be ended: steps are still under way on {count} assets.",
        "Wave {wave} cannot be ended: a step is still under way on one asset.",
    ),
    ("The plan check found {count} errors; the first: {first}", "The plan check found one error: {first}"),
    (
        "{count} rows of {source} were refused, so nobody can tell what is missing from the list.",
        "One row of {source} was refused, so nobody can tell what is missing from the list.",
    ),
    (
        "The plan check refuses the edited plan for {count} errors; the first: {first}",
        "The plan check refuses the edited plan for one error: {first}",
    ),
    ("Starting {count} hosts for {tenant}.", "Starting one host for {tenant}."),
    ("{count} days", "one day"),
    ("{wave} is new, with {count} assets.", "{wave} is new, with one asset."),
    ("{wave} is gone; it had {count} assets.", "{wave} is gone; it had one asset."),
    (
        "{count} assets do not fit into the {left} minutes left, the way back counted",
        "one asset does not fit into the {left} minutes left, the way back counted",
    ),
    (
        "{count} assets stay behind: they need {needed}, whose state in wave {wave} is in doubt",
        "one asset stays behind: it needs {needed}, whose state in wave {wave} is in doubt",
    ),
    (
        "{count} assets stay behind; seen otherwise since the proposal: {first}",
        "one asset stays behind; seen otherwise since the proposal: {first}",
    ),
    (
        "{count} assets stay behind: each needs a hardware address of its own to boot by; see {first}",
        "one asset stays behind: it needs a hardware address of its own to boot by; see {first}",
    ),
    ("{count} more such cycles.", "One more such cycle."),
    ("{name} is needed by {count} others.", "{name} is needed by one other."),
    (
        "{count} dependencies name something that is not in the inventory.",
        "One dependency names something that is not in the inventory.",
    ),
    ("{count} decisions wait for a person", "one decision waits for a person"),
    ("{count} machines answered and can work", "one machine answered and can work"),
    ("{count} assets changed since the proposal: {first}", "one asset changed since the proposal: {first}"),
    ("{count} assets are in another wave's hands", "one asset is in another wave's hands"),
    (
        "{count} assets stay behind: {names} keeps them back in this window",
        "one asset stays behind: {names} keeps it back in this window",
    ),
    ("confirmed for all {count} assets, first on {on}", "confirmed for the only asset, on {on}"),
    ("{count} assets stay behind ({names}): {why}", "one asset stays behind ({names}): {why}"),
    ("{count} act(s) in the store carry no genuine signature", "one act in the store carries no genuine signature"),
    ("{count} approval(s) have expired", "one approval has expired"),
    ("All {count} earlier windows are shut to it, by {rules}.", "The one earlier window is shut to it, by {rules}."),
)
"""Text for several, text for one; each of these leaves out exactly one fact, the number."""
SINGULAR: Mapping[str, str] = MappingProxyType(dict(SINGULARS))


def facts_in(text: str) -> frozenset[str]:
    """The names of the facts that fill a text in."""
    return frozenset(name for _text, name, _form, _kind in Formatter().parse(text) if name)


NUMBERS: Mapping[str, str] = MappingProxyType({many: min(facts_in(many) - facts_in(one)) for many, one in SINGULARS})
"""Text for several -> the fact that is its number."""


class Counted(str):
    """A text that, filled in, speaks of one thing in the singular. ``one``: that text, in the same language."""

    number: str
    one: str

    def format(self, *args: object, **facts: object) -> str:
        """The text, or that for one where the number is one."""
        return self.one.format(*args, **facts) if facts.get(self.number) == 1 else super().format(*args, **facts)


def counted(many: str, *, number: str, one: str) -> Counted:
    """The text for several with that for one beside it."""
    text = Counted(many)
    text.number, text.one = number, one
    return text
