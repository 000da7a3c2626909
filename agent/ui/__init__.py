"""The staff page on this computer: one button, one answer.

`flow.py` walks through the steps and asks; it knows no page. `state.py` is what it shows, `server.py` brings that to
the browser and the answers back, `web/` draws it. `motesklar check --guided` shows the same flow in a terminal.
"""
