"""How the documentation is built: `make docs`."""

import leastsq

project = "leastsq"
version = release = leastsq.__version__
language = "en"

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
autodoc_typehints = "none"  # the docstrings tell the types
numpydoc_show_class_members = False
numpydoc_validation_checks = {"GL03", "PR01", "PR02", "PR03", "PR04", "RT03", "SS03", "YD01"}
numpydoc_validation_exclude = {r"Error$", r"ManyFits$", r"\.__call__$"}
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "ignore_pattern": r"report\.py$",
    "show_memory": False,
    "min_reported_time": 1e9,
    "download_all_examples": False,
}

html_theme = "pydata_sphinx_theme"
html_title = f"leastsq {release}"
html_show_copyright = False
html_show_sourcelink = False
html_static_path = []
html_theme_options = {"show_prev_next": True, "navigation_with_keys": False}
html_sidebars = {"**": ["sidebar-nav-bs"]}
