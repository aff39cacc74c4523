"""The examples of the README, of the documentation and of every docstring are tests."""

from doctest import ELLIPSIS, NORMALIZE_WHITESPACE

from sybil import Sybil
from sybil.parsers.myst import DocTestDirectiveParser, PythonCodeBlockParser
from sybil.parsers.rest import DocTestParser

pages = Sybil(
    parsers=[
        PythonCodeBlockParser(doctest_optionflags=ELLIPSIS | NORMALIZE_WHITESPACE),
        DocTestDirectiveParser(optionflags=ELLIPSIS | NORMALIZE_WHITESPACE),
    ],
    patterns=["README.md", "docs/*.md", "docs/*/*.md"],
    # tests/test_examples.py and tests/test_contributing.py run these
    excludes=["docs/frameworks.md", "docs/add_a_loss.md", "docs/generated/*"],
)
docstrings = Sybil(
    parsers=[DocTestParser(optionflags=ELLIPSIS | NORMALIZE_WHITESPACE)],
    path="anomaly_kernels",
    patterns=["*.py"],  # in folders of every depth, as `**` would not be
    # tests/test_classes.py runs these in the processes of their frameworks
    excludes=["torch/*", "keras/*", "jax/*"],
)
pytest_collect_file = (pages + docstrings).pytest()
