"""The only mouth: words in, sentences out.

`entry`      the console script; answers a no-op `sync` or `run` before anything heavy is imported
`quick`      the options of the hot commands, parsed without typer
`app`        every command, with typer; each parses, calls one op, and renders
`choices`    options that several commands share: parts, settings for this once
`console`    where text goes and in which colours
`foreign`    text of others made harmless
`human`      events → what a person reads
`machine`    events → one JSON object a line
`failures`   errors → what, why, what next; exit codes
"""
