"""Decide what must change, and change nothing. Pure: what is on disk comes in as values, what to do goes out as values.

==========  ====================================================================================
`fold`      entries' fold trees → which paths are real directories, links, copies; who wins
`image`     fold + virtual environment + metadata → the farm, path by path
`records`   what the RECORD of each distribution in the farm lists
`prefix`    the files of the virtual environment itself
`sync`      the farm wanted against the farm seen → the smallest set of changes
==========  ====================================================================================
"""
