"""What a project asks for: the values behind pyproject.toml and behind what a person types. Pure.

==========  =================================================================================
`project`   ``[project]``, extras and dependency groups → `ProjectRequirements`
`argument`  a word on the command line → a requirement, or a sentence that helps
`text`      requirement, specifier and marker → the one spelling that pyvstore writes
`edits`     which entry of a dependency list an ``add`` or a ``remove`` changes
`settings`  ``[tool.pyvstore]``, the user's file, variables and flags → `Settings`
`setting_values`, `indexes`, `cutoff`  the values of single settings, checked
`own_extras`  a project that names itself → what that means
`conflicts` parts that exclude each other, and those that include them
`urls`      index URLs, with credentials split off at the first touch
==========  =================================================================================

Parsed tables come in and values go out; reading and editing the files is the business of `pyvstore.project`. Errors
name the place (``project.dependencies[2]``), because a person has to find it again.
"""
