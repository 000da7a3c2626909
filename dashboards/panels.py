"""Panels of few kinds that look alike, and the dashboard around them: plain wrappers of grafana-foundation-sdk."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, Self, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = models.DataSourceRef("prometheus", "${datasource}")
TAG = "motesklar"
COLOURS = {"ready": "green", "degraded": "orange", "not_ready": "red", "unknown": "#8e8e8e"}
HEIGHT = 8
BELOW_ZERO = ("dB", "dBm")  # units whose values may be


class Query(NamedTuple):
    """`legend`: a series' name, with `{{label}}` where a label's value goes; in tables the column's."""

    expr: str
    legend: str = "__auto"


Panel = Builder[models.Panel]


class _Panel(Protocol):
    """What the SDK's panel builders have in common."""

    def title(self, title: str, /) -> Self: ...
    def description(self, description: str, /) -> Self: ...
    def datasource(self, datasource: models.DataSourceRef, /) -> Self: ...
    def height(self, h: int, /) -> Self: ...
    def span(self, w: int, /) -> Self: ...
    def unit(self, unit: str, /) -> Self: ...
    def no_value(self, no_value: str, /) -> Self: ...
    def with_target(self, target: Builder[Any], /) -> Self: ...


P = TypeVar("P", bound=_Panel)


def number(title: str, expr: str, about: str, *, unit: str = "short", width: int = 6, good: bool = False) -> Panel:
    """One number, as it is now. `good`: a share that is green from 0.9, orange from 0.7."""
    panel = stat.Panel().height(4).reduce_options(_last()).graph_mode(looks.BigValueGraphMode.NONE)
    steps = [(None, "red"), (0.7, "orange"), (0.9, "green")] if good else [(None, "text")]
    panel.thresholds(_steps(steps))
    return _filled(panel, title, about, unit, [_instant(expr)]).span(width)


def graph(
    title: str, queries: Sequence[Query], about: str, *, unit: str = "short", width: int = 12, stacked: bool = False
) -> Panel:
    """Lines over time; stacked: bars upon each other."""
    panel = timeseries.Panel().height(HEIGHT).show_points(looks.VisibilityMode.AUTO)
    if unit not in BELOW_ZERO:
        panel.min(0)
    panel.legend(
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(looks.LegendDisplayMode.LIST)
        .placement(looks.LegendPlacement.BOTTOM)
    )
    if stacked:
        panel.draw_style(looks.GraphDrawStyle.BARS).fill_opacity(60)
        panel.stacking(common.StackingConfig().mode(looks.StackingMode.NORMAL))
    for level, colour in COLOURS.items():
        panel.override_by_name(level, [models.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour})])
    targets = [_target(q).range() for q in queries]
    return _filled(panel, title, about, unit, targets).span(width)


def bars(title: str, queries: Sequence[Query], about: str, *, unit: str = "short", width: int = 12) -> Panel:
    """A bar for each series, as it is now."""
    panel = bargauge.Panel().height(HEIGHT).orientation(looks.VizOrientation.HORIZONTAL).min(0)
    panel.display_mode(looks.BarGaugeDisplayMode.BASIC).reduce_options(_last())
    panel.thresholds(_steps([(None, "blue")]))  # else what is above 80 is red
    if unit == "percentunit":
        panel.max(1)
    return _filled(panel, title, about, unit, [_target(q).instant() for q in queries]).span(width)


def matrix(title: str, expr: str, about: str, *, row: str, column: str, width: int = 12) -> Panel:
    """A table of the label `row` by the label `column`, as it is now."""
    panel = table.Panel().height(HEIGHT).show_header(True)
    options = {"rowField": row, "columnField": column, "valueField": "Value"}
    panel.with_transformation(models.DataTransformerConfig("groupingToMatrix", options=options))
    return _filled(panel, title, about, "short", [_column(Query(expr))]).span(width)


def columns(title: str, queries: Sequence[Query], about: str, *, row: str, unit: str, width: int = 24) -> Panel:
    """A table with a row for each value of the label `row`, and a column for each query, named by its legend."""
    panel = table.Panel().height(HEIGHT).show_header(True)
    names = {f"Value #{letter}": q.legend for letter, q in zip(string.ascii_uppercase, queries, strict=False)}
    for identifier, options in (
        ("joinByField", {"byField": row, "mode": "outer"}),
        ("organize", {"excludeByName": _times(len(queries)), "renameByName": names}),
    ):
        panel.with_transformation(models.DataTransformerConfig(identifier, options=options))
    return _filled(panel, title, about, unit, [_column(q) for q in queries]).span(width)


def _times(number_of_queries: int) -> Mapping[str, bool]:
    """Each query brings a column with the time of asking; beyond the first they are numbered."""
    return {"Time": True} | {f"Time {n}": True for n in range(1, number_of_queries + 1)}


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"])


def _steps(steps: Iterable[tuple[float | None, str]]) -> builders.ThresholdsConfig:
    made = [models.Threshold(value, colour) for value, colour in steps]
    return builders.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(made)


def _target(query: Query) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(query.expr).legend_format(query.legend).datasource(SOURCE)


def _instant(expr: str) -> prometheus.Dataquery:
    return _target(Query(expr)).instant()


def _column(query: Query) -> prometheus.Dataquery:
    return _target(query).instant().format(PromQueryFormat.TABLE)


def _filled(panel: P, title: str, about: str, unit: str, targets: Iterable[prometheus.Dataquery]) -> P:
    panel.title(title).description(about).datasource(SOURCE).unit(unit).no_value("nothing yet")
    for letter, target in zip(string.ascii_uppercase, targets, strict=False):
        panel.with_target(target.ref_id(letter))  # the SDK leaves it empty, and Grafana then shows one query only
    return panel


# ---- around them


def choice(name: str, label: str, query: str) -> builders.QueryVariable:
    """What to show, chosen among a label's values; all of them at first."""
    return (
        builders.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query({"query": query, "refId": name})
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(models.VariableOption(True, "All", "$__all"))
    )


ORGANISATION = ("organisation", "Municipality", "label_values(motesklar_fleet_self_tests_total, organisation)")
UNIT = ("unit", "Unit", 'label_values(motesklar_fleet_self_tests_total{organisation=~"$organisation"}, unit)')
ROOM = ("room", "Room", "label_values(motesklar_room_sessions, instance)")


Choice = tuple[str, str, str]  # the variable's name, its label, and the query for its values


def dashboard(
    identifier: str, title: str, about: str, choices: Iterable[Choice], rows: Mapping[str, Sequence[Panel]]
) -> models.Dashboard:
    """Rows of panels by their heading. What was made from code is not for editing by hand."""
    made = (
        builders.Dashboard(f"Mötesklar · {title}")
        .uid(f"motesklar-{identifier}")
        .description(about)
        .tags([TAG])
        .readonly()
        .time("now-7d", "now")
        .refresh("5m")
        .link(builders.DashboardLink("Mötesklar").type(models.DashboardLinkType.DASHBOARDS).tags([TAG]).keep_time(True))
        .with_variable(builders.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    for name, label, query in choices:
        made.with_variable(choice(name, label, query))
    for heading, panels in rows.items():
        made.with_row(builders.Row(heading))
        for panel in panels:
            made.with_panel(panel)
    return _numbered(made.build())


def _numbered(made: models.Dashboard) -> models.Dashboard:
    for number_, panel in enumerate(made.panels or (), start=1):
        panel.id_val = number_
    return made
