"""What a person can ask for: one module each. An op introduces the rooms to each other and reads like a sentence.

Ops raise `PyvstoreError`, tell a `Reporter`, return values, and never print. `asking` makes of
requirements and settings what the resolver takes; `parts` knows which parts of the project an environment has.
"""
