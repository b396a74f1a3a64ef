"""The network: what an index offers, and the files themselves.

==============  =========================================================================================
`spec`          which index: root, credentials, cache key
`urls`          foreign URLs and text made safe to keep and to show
`grouping`      a page's files checked and grouped by version
`page`          a project's page; artifacts are made when they are looked at
`simple_json`   pages in JSON; pure
`simple_html`   pages in HTML; pure
`patience`      time-outs, retries, pauses
`credentials`   who is sent a password
`reply`         an answer whose body is still to be read
`direct`        connections to servers
`proxied`       connections through a proxy
`transport`     what every request goes through: redirects, credentials, retries, caps
`cache`         pages and METADATA on disk
`ranges`        parts of a file that is elsewhere
`metadata`      METADATA of one wheel, by the cheapest way
`promise`       what was promised about a file, and the refusal when it is another
`body`          one file's bytes: resumed, hashed, bounded
`download`      whole files, one or many at a time
`workers`       threads that never keep a process alive
`client`        one index
`source`        an index as the resolver sees it
==============  =========================================================================================

Trust: everything that arrives is foreign. A page is data whose types are checked; a link leads to the web or nowhere;
text loses its control characters before it reaches a message; a file is what its hash says or it is not kept. A
password goes to the origin that it was given for, and into no message, cache or lock.

Two ways to speak HTTP: without a proxy the standard library's client, because every byte of a download passes there and
it costs half of the processor time; through a proxy httpx, because tunnels and SOCKS are not ours to write. `transport`
is above both.

Interruption: nothing here holds a lock or a state that must be closed in order. Threads are daemons; files that are not
complete have temporary names.
"""
