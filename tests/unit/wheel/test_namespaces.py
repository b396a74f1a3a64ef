from __future__ import annotations

import pytest

from pyvstore.wheel.namespaces import declared_namespaces, is_namespace_init

NAMESPACES = [
    b"__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n",
    b"from pkgutil import extend_path\n__path__ = extend_path(__path__, __name__)\n",
    b"import pkgutil as p\n__path__ = p.extend_path(\n    __path__,\n    __name__,\n)\n",
    b"__import__('pkg_resources').declare_namespace(__name__)\n",
    b"""try:
    import pkg_resources
    pkg_resources.declare_namespace(__name__)
except ImportError:
    import pkgutil
    __path__ = pkgutil.extend_path(__path__, __name__)
""",
    b"if True:\n  from pkg_resources import declare_namespace as d, declare_namespace\n  declare_namespace(__name__)\n",
    b"print 'two'\n__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n",
    b"print 'two'\nimport pkg_resources\n  pkg_resources.declare_namespace( __name__ )\n",
]
REGULAR = [
    b"",
    b"x = 1\n",
    b'"""Once used pkgutil.extend_path(__path__, __name__)."""\n',
    b"# __path__ = extend_path(__path__, __name__)\nprint 'two'\n",
    b"def later():\n    import pkgutil\n    return pkgutil.extend_path([], 'x')\n",
    b"class A:\n    def declare_namespace(self, name): ...\n    declare_namespace('x')\n",
    b"from pkgutil import extend_path\n",
    b"declare_namespace()\n",
    b"print 'declare_namespace'\n",
    b"(lambda: declare_namespace(1))\n",
    b"x = [table[0]('declare_namespace')]\n",
    b"extend_path\0",
]


@pytest.mark.parametrize("source", NAMESPACES)
def test_a_namespace_is_recognised(source: bytes) -> None:
    assert is_namespace_init(source)


@pytest.mark.parametrize("source", REGULAR)
def test_a_regular_package_is_not_taken_for_one(source: bytes) -> None:
    assert not is_namespace_init(source)


def test_source_that_nests_too_deeply_is_judged_by_its_lines() -> None:
    deep = b"x = " + b"(" * 5000 + b")" * 5000 + b"\n"
    assert not is_namespace_init(deep + b"# extend_path\n")
    assert is_namespace_init(deep + b"__path__ = extend_path(__path__, __name__)\n")


def test_declared_namespaces_come_with_their_parents() -> None:
    assert list(declared_namespaces(b"zope\nsphinxcontrib.foo\r\n\n../x\na..b\n\xff\n")) == [
        "zope",
        "sphinxcontrib",
        "sphinxcontrib/foo",
    ]


def test_a_huge_source_is_judged_by_its_lines() -> None:
    huge = b"x = '" + b"a" * 100_000 + b"'\n"
    assert not is_namespace_init(huge + b"y = extend_path\n")
    assert is_namespace_init(huge + b"__path__ = extend_path(__path__, __name__)\n")


def test_odd_escapes_in_foreign_source_make_no_noise() -> None:
    assert is_namespace_init(b"x = '\\d'\n__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n")
