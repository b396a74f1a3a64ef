"""The project folder: where it is, its two files, and what stands where its environment belongs.

=============  ==============================================================================================
`locate`       the project's root, and what stands at ``.venv`` (`EnvironmentPlace`)
`document`     pyproject.toml: read strictly, edited without disturbing anything else
`edit`         ways of putting a list into its text, none of them trusted
`array`        the text of one TOML array of strings: entries, comments and layout
`files`        pyproject.toml and pylock.toml as a pair that changes together
=============  ==============================================================================================

pyproject.toml is the user's: it is read as bytes, parsed by tomli, and written only as the result of an edit that was
parsed again and found to differ in nothing but the list that was asked for. Everything in the folder may come with a
cloned repository, so it is data from a stranger: sizes are bounded, special files are not opened, and links are not
followed out of the folder.
"""
