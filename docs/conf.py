"""The settings of Sphinx; `generate.py` writes the reference."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

os.environ["KERAS_BACKEND"] = "jax"  # torch's classes are documented too, and TensorFlow must not be in its process

import anomaly_kernels

project = "anomaly_kernels"
author = "The anomaly_kernels authors"
project_copyright = "2026, The anomaly_kernels authors"
release = version = anomaly_kernels.__version__

extensions = ["sphinx.ext.mathjax", "numpydoc", "myst_nb", "sphinx_design", "sphinx_copybutton", "generate"]
exclude_patterns = ["_static", "_templates", "generated/by_use.md"]
nitpicky = True
default_role = "py:obj"  # `roc_auc` in a docstring is a link, and `axis` the name of an argument
nitpick_ignore_regex = [
    ("py:class", ".*"),  # numpydoc's types are prose: "array, shape (N, D)"
    ("py:obj", ".*"),
]

nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 2

autodoc_typehints = "none"  # Array and Setting say less than the docstrings
numpydoc_show_class_members = False
numpydoc_validation_checks = {
    "GL08",  # no docstring
    "SS01",  # no summary
    "PR01",  # a parameter is not documented
    "PR02",  # what is documented is no parameter
    "PR03",  # in another order
    "PR07",  # without a description
    "RT01",  # what is returned is not documented
}
numpydoc_validation_exclude = {r"\.[A-Z]\w*(\.\w+)?$"}  # a tuple's fields are its attributes; methods say it in a line

html_theme = "pydata_sphinx_theme"
html_title = "anomaly_kernels"
html_theme_options = {
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "header_links_before_dropdown": 8,
    "navbar_persistent": ["search-button"],  # its icon; the field would take a second row
}
# without the bar at the left: pages that are one table, or have their own
_wide = (
    "index",
    "start",
    "losses",
    "which_metric",
    "reference",
    "parity",
    "promises",
    "accuracy",
    "benchmarks",
    "generated/support",
)
html_sidebars = {page: [] for page in _wide}
html_show_sourcelink = False

# formulas are drawn by the copy of KaTeX in _static, so the pages need no network
mathjax_path = "katex/katex.min.js"
html_static_path = ["_static"]
copybutton_prompt_text = r">>> |\.\.\. |\$ "  # left out of what is copied, with the output
copybutton_prompt_is_regexp = True

html_favicon = "_static/icon.svg"
html_css_files = ["katex/katex.min.css", "math.css", "reference.css"]
html_js_files = [("math.js", {"defer": "defer"})]
