"""What a person can ask for: one module each. An op introduces the rooms to each other and reads like a sentence.

Ops raise `PyvstoreError`, tell a `Reporter`, return values, and never print.
"""
