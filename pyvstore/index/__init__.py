"""The network: what an index offers, and the files themselves.

==============  =========================================================================================
`spec`          which index: root, credentials, cache key
`urls`          foreign URLs and text made safe to keep and to show
`grouping`      a page's files checked and grouped by version
`page`          a project's page; artifacts are made when they are looked at
`simple_json`   pages in JSON; pure
`simple_html`   pages in HTML; pure
`tags`          the start tags of an HTML text; pure
`patience`      time-outs, retries, pauses
`credentials`   who is sent a password
`connections`   HTTP: a pool of connections, TLS, proxies
`transport`     what every request goes through: redirects, credentials, retries, caps
`cache`         pages and METADATA on disk
`ranges`        parts of a file that is elsewhere
`metadata`      METADATA of one wheel, by the cheapest way
`sdist`         what a source distribution says about itself without a build
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

HTTP is httpx's: the pool, TLS, proxies and tunnels from the environment. What is ours is what it must not decide: who
is sent a password, which redirects are followed, how much is read, when it is tried again. That is `transport`.

Interruption: nothing here holds a lock or a state that must be closed in order. Threads are daemons; files that are not
complete have temporary names.
"""
