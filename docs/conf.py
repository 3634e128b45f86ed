"""How the documentation is built: `make docs`."""

import tomllib
from pathlib import Path

from sphinx_gallery.sorting import ExplicitOrder

import leastsq

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]

project = "leastsq"
version = release = leastsq.__version__
language = "en"

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinx-mathjax-offline",
]
exclude_patterns = ["package.md", "gallery/**/README.*", "gallery/**/GALLERY_HEADER.*"]
templates_path = ["_templates"]
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
autodoc_typehints = "none"  # the docstrings tell the types
autosummary_generate = True
numpydoc_show_class_members = False
numpydoc_validation_checks = {"GL03", "PR01", "PR02", "PR03", "PR04", "RT03", "SS03", "YD01"}
numpydoc_validation_exclude = {r"Error$", r"ManyFits$", r"\.__call__$"}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True
copybutton_exclude = ".linenos, .gp, .go"
ORDER = [
    *("polynomial.py", "exponential.py", "sine.py", "band.py", "lines.py", "outliers.py"),
    *("t2_map.py", "spectra.py", "long_record.py", "cluster.py", "kinetics.py", "peak.py"),
    *("figure.py", "shared_parameters.py", "*"),
]
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "doc_module": ("leastsq",),
    "backreferences_dir": "gallery/uses",
    "show_memory": False,
    "min_reported_time": 1e9,
    "download_all_examples": False,
    "nested_sections": False,
    "write_computation_times": False,
    "within_subsection_order": ExplicitOrder(ORDER),
}

html_theme = "pydata_sphinx_theme"
html_title = "leastsq"
html_show_copyright = False
html_show_sourcelink = False
html_static_path = []
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "show_toc_level": 2,
}
if "Repository" in PROJECT["urls"]:
    html_theme_options["github_url"] = PROJECT["urls"]["Repository"]
html_sidebars = {"index": [], "search": [], "changes": [], "**": ["sidebar-nav-bs"]}
