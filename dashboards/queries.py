"""PromQL for the panels.

Three kinds of series: what each machine measured (`motesklar_QUANTITY`, the vocabulary's names), what a room counted of
all machines (`motesklar_fleet_…`), and the room's own (`motesklar_room_…`). `$…` is for Grafana to fill in.
"""

from __future__ import annotations

from reports.vocabulary import NAMES

KEY = ("organisation", "unit", "link_kind")  # what all series of the fleet have in common
SELECTED = 'organisation=~"$organisation",unit=~"$unit"'
ROOM = 'instance=~"$room"'
# Self-tests come a few times a day, and a series that was written by remote write ends after 5 minutes.
LATEST = "1d"
SHOWN = "$__range"  # the period that the dashboard shows
ON_A_LINK = 'link_kind!="",link_kind!="loopback"'


def by(operator: str, *labels: str) -> str:
    """An aggregation, for each value of the labels if there are any."""
    return f"{operator} by ({', '.join(labels)})" if labels else operator


def _known(quantity: str) -> str:
    if quantity not in NAMES:
        raise KeyError(quantity)
    return quantity


def _of(name: str, *conditions: str) -> str:
    """A series' name with its selector."""
    chosen = ",".join(filter(None, conditions))
    return f"{name}{{{chosen}}}" if chosen else name


# ---- each machine


def measured(quantity: str, where: str = "") -> str:
    """Each machine's latest value. KeyError: the vocabulary does not know the quantity."""
    return latest(_known(quantity), where)


def latest(name: str, where: str = "", period: str = LATEST) -> str:
    """The same of what is published beside the quantities."""
    return f"last_over_time({_of(f'motesklar_{name}', where)}[{period}])"


def among_machines(share: float, quantity: str, *labels: str, where: str = "") -> str:
    """The quantile of the machines' latest values: 0.9 is what a tenth of them exceed."""
    return f"{by('quantile', *labels)} ({share:g}, {measured(quantity, where)})"


def among_links(share: float, quantity: str) -> str:
    """The same for each kind of link."""
    return among_machines(share, quantity, "link_kind", where=ON_A_LINK)


# ---- the fleet


def once(series: str, *labels: str) -> str:
    """Several rooms with one store tell the same: count it once."""
    return f"{by('max', *KEY, *labels)} ({series})"


def machines(*labels: str, where: str = "") -> str:
    """How many machines' latest self-test was like that."""
    return f"{by('sum', *labels)} ({once(_selected('machines', where), 'level')})"


def counted(name: str, own: tuple[str, ...], *labels: str, where: str = "", period: str = SHOWN) -> str:
    """What the fleet's counter `name`, with the labels `own` beside KEY, counted in the period.

    A counter that the store has had from the beginning of the period grew by `increase`; one that began within it, with
    the first such self-test of a unit, grew by all that it shows, which `increase` would not see.
    """
    series = _selected(name, where)
    new = f"{once(series, *own)} unless {once(f'last_over_time({series}[1d] offset {period})', *own)}"
    return f"{by('sum', *labels)} (({new}) or {once(f'increase({series}[{period}])', *own)})"


def self_tests(*labels: str, where: str = "") -> str:
    """Self-tests kept in the period."""
    return counted("self_tests_total", ("level",), *labels, where=where)


def findings(*labels: str, where: str = "") -> str:
    """Self-tests in the period in which a rule was not met."""
    return counted("findings_total", ("rule", "level"), *labels, where=where)


def share_within(quantity: str, limit: str) -> str:
    """The share of the period's self-tests of each link kind with a value up to the limit, the end of a bucket."""
    return f"{_of_buckets(quantity, limit)} / {_of_buckets(quantity, '+Inf')}"


def share_above(quantity: str, limit: str) -> str:
    """The share with a value above it."""
    return f"1 - {share_within(quantity, limit)}"


def _of_buckets(quantity: str, end: str) -> str:
    return counted(f"{_known(quantity)}_bucket", ("le",), "link_kind", where=f'le="{end}"')


def daily(name: str, own: str, *labels: str, where: str = "") -> str:
    """What a counter of the fleet counted in the day before each moment, as rules.yml records it; `own`: its label."""
    return f"{by('sum', *labels)} ({_recorded(name, own, where)})"


def daily_quantile(share: float, quantity: str) -> str:
    """The quantile over the self-tests of the day before each moment, for each link kind."""
    return f"histogram_quantile({share:g}, {daily(f'{_known(quantity)}_bucket', 'le', 'le', 'link_kind')})"


def daily_findings(*labels: str, where: str) -> str:
    """The same of findings, which are recorded for whole municipalities: `$unit` does not choose among them."""
    series = "organisation_rule_level:motesklar_fleet_findings:increase1d"
    return f'{by("sum", *labels)} ({series}{{organisation=~"$organisation",{where}}})'


def _recorded(name: str, own: str, where: str) -> str:
    return _of(f"{'_'.join((*KEY, own))}:motesklar_fleet_{name}:increase1d", SELECTED, where)


def _selected(name: str, where: str) -> str:
    return _of(f"motesklar_fleet_{name}", SELECTED, where)


# ---- the room


def room(name: str) -> str:
    """A gauge of the chosen rooms."""
    return _of(f"motesklar_room_{name}", ROOM)


def rate(name: str, *labels: str) -> str:
    """A counter's growth a second in each room; `name` with its whole prefix."""
    return f"{by('sum', 'instance', *labels)} (rate({_of(name, ROOM)}[$__rate_interval]))"
