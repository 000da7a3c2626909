"""An organisation names its machines by a CSV."""

import pytest

from reports.store.naming import read_names
from reports.store.shapes import Named, NamesError
from reports.store.store import Store
from tests.reports.store.rows import A, B, record


def test_names_units_and_rooms(store: Store):
    store.take([record("r1", A)])
    text = f"\ufeffmachine;name;unit;room\r\n{A};Dator 7;Hemvården;Eken\r\n{B};Dator 8;Elevhälsan;\r\n"
    assert store.name_machines("habo", text) == Named(known=1, new=1)
    one, two = store.latest("habo", "Hemvården"), store.latest("habo", "Elevhälsan")
    assert [(m.name, m.room, m.test is not None) for m in (*one, *two)] == [
        ("Dator 7", "Eken", True),
        ("Dator 8", "", False),
    ]
    assert two[0].last_seen is None
    assert store.units("habo") == ["Elevhälsan", "Hemvården"]


def test_a_missing_column_leaves_what_was_there_and_an_empty_field_clears_it(store: Store):
    store.name_machines("habo", f"machine,name,unit\n{A},Dator,Kansli")
    store.name_machines("habo", f"machine,room\n{A},Eken")
    store.name_machines("habo", f"machine,unit\n{A},")
    (machine,) = store.latest("habo")
    assert (machine.name, machine.unit, machine.room) == ("Dator", "", "Eken")


def test_self_tests_are_counted_with_the_unit_that_their_machine_had(store: Store):
    store.name_machines("habo", f"machine,unit\n{A},Kansli")
    store.take([record("r1", A), record("r2", B)])
    counts = {c.unit: c.value for c in store.aggregates(0).counts if c.name == "self_tests"}
    assert counts == {"Kansli": 1, "": 1}


@pytest.mark.parametrize(("text", "said"), [
    ("", "first line"),
    ("name,unit\nx,y", "first line"),
    ("machine,owner\nx,y", "first line"),
    ("machine,name,name\nx,y,z", "first line"),
    (f"machine,name\n{A}", "line 2 has fewer"),
    ("machine,name\nxyz,Dator", "line 2: the machine"),
    (f"machine,name\n{A},{'x' * 101}", "line 2: name"),
    (f'machine,name\n{A},"two\nlines"', "line 2: name"),
    (f"machine,name\n{A},nul\x00", "line 2: name"),
    (f"machine,name\n{A},one\n{A},two", "two lines"),
    (f'machine,name\n{A},"open', "not CSV"),
])  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(text: str, said: str):
    with pytest.raises(NamesError, match=said) as caught:
        read_names(text)
    assert "\n" not in str(caught.value)


def test_a_wrong_line_changes_nothing(store: Store):
    store.name_machines("habo", f"machine,name\n{A},Dator")
    with pytest.raises(NamesError):
        store.name_machines("habo", f"machine,name\n{A},Annan\nxyz,Fel")
    assert [m.name for m in store.latest("habo")] == ["Dator"]
