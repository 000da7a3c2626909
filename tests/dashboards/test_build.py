"""The dashboards: the files are what build.py makes, and Grafana can tell their parts apart."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from dashboards.build import FOLDER, documents
from dashboards.equipment import CAMERA, COMPUTER, SOUND
from dashboards.queries import measured
from reports.metrics import HELP
from reports.store.counting import known_rules
from tests.dashboards.documents import NAMES, dashboard, panels


def test_the_files_are_what_the_script_makes() -> None:
    there = {path.name: path.read_text("utf-8") for path in FOLDER.iterdir()}
    assert there == documents(), "run: python -m dashboards.build"


def test_it_makes_the_same_every_time() -> None:
    assert documents() == documents()


@pytest.mark.parametrize("name", NAMES)
def test_panels_have_ids_queries_and_places_of_their_own(name: str) -> None:
    made = dashboard(name)
    assert Counter(p["id"] for p in made["panels"]).most_common(1)[0][1] == 1
    for panel in panels(name):
        refs = [target["refId"] for target in panel["targets"]]
        assert refs == sorted(set(refs)), panel["title"]
        assert all(refs), "without a refId Grafana shows one query only"
        assert panel["description"]
        assert panel["datasource"]["uid"] == "${datasource}"
    cells = Counter(cell for panel in made["panels"] for cell in _cells(panel["gridPos"]))
    assert [cell for cell, times in cells.items() if times > 1] == []


def _cells(place: dict[str, int]) -> list[tuple[int, int]]:
    assert place["x"] + place["w"] <= 24
    return [(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])]


def test_identifiers_and_titles_are_told_apart() -> None:
    made = [dashboard(name) for name in NAMES]
    assert len({d["uid"] for d in made}) == len({d["title"] for d in made}) == len(NAMES)
    assert all(d["tags"] == ["motesklar"] for d in made)


def test_a_quantity_that_the_vocabulary_does_not_know_is_not_built() -> None:
    assert "motesklar_mos_up" in HELP
    assert measured("mos_up") == "last_over_time(motesklar_mos_up[1d])"
    with pytest.raises(KeyError):
        measured("mos_upp")


@pytest.mark.parametrize("wanted", [CAMERA, SOUND, COMPUTER])
def test_each_rule_that_a_panel_names_is_one_of_the_policy(wanted: str) -> None:
    for rule in wanted.split("|"):
        assert [known for known in known_rules() if re.fullmatch(rule, known)], rule
