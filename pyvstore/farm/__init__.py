"""The farm: a project's `.venv`, made of links into the store.

`state`    what we made there, written before and after every change
`observe`  what is there now
`apply`    a plan's changes, made in an order in which a kill leaves something the next run finishes

Layout::

    .venv/pyvstore.json                   the state
    .venv/displaced/<n>/...               things that stood in our way and were not ours; never deleted by us
    .venv/{bin,lib,pyvenv.cfg,...}        see `plan.image`

Interruption: the state is written twice. Before the first change it lists the union of what was and what will be,
marked incomplete; after the last change it lists what is. Between the two, everything of ours is in the list, so the
next sync finds it.
"""
