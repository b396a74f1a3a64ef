"""Seeded mutations of everything that others write: each is taken, or refused with a code; nothing else ever happens.

============  =====================================================================================
`mutations`   what is done to bytes and to values
`campaign`    how often, with which seeds, and what must hold
============  =====================================================================================

A case is named by its subject and its number, and the failure says both: `PYVSTORE_TEST_CASE=<number>` runs it alone.
`PYVSTORE_TEST_LONG=1` runs twenty times as many, and a larger number that many times as many.
"""
