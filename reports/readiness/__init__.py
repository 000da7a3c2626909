"""Readiness: which of a municipality's machines and rooms are tested, when, against what, what to mend and who does.

`rows.py` makes it of what the store holds, `requirements.py` says which rule belongs to which requirement, `shapes.py`
is what comes out. From there: `html.py`, `pdf.py`, `csv.py`, `table.py` (the terminal) and `serial.py` (JSON).
"""
