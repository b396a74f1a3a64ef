"""A package index on 127.0.0.1, honest or misbehaving on request, with a log of what was asked.

::

    with LoopbackIndex() as index:
        index.add(*build_wheel("demo", "1.0"))
        index.fail_once("/simple/demo/", 503)
        ...                                     # point the code under test at index.url
        assert index.count("/simple/demo/") == 2

It is a real threading HTTP/1.1 server with keep-alive. Pages are at ``/simple/<project>/``, files at
``/files/<filename>``, separate metadata at ``/files/<filename>.metadata``. Misbehaviour is named by request path; a
path without a leading slash is the name of a file.

===========  ==================================================
`messages`   a request as it came, a reply before it goes
`shelf`      what an honest index offers
`faults`     how replies are spoilt
`server`     bytes on a socket
`index`      all of it together
===========  ==================================================
"""

from tests.support.loopback.index import LoopbackIndex
from tests.support.loopback.messages import HTML_TYPE, JSON_TYPE, Reply, Request
from tests.support.loopback.shelf import metadata_of, project_of

__all__ = ["HTML_TYPE", "JSON_TYPE", "LoopbackIndex", "Reply", "Request", "metadata_of", "project_of"]
