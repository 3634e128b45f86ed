"""The core as it was compiled for this processor, or for the one that LEASTSQ_CPU names."""

import os
from importlib import import_module

from leastsq._cpu import levels

level = os.environ.get("LEASTSQ_CPU") or levels()[0]
if level not in levels():
    raise ImportError(f"LEASTSQ_CPU is {level!r}, but here there is {' or '.join(levels())}")
core = import_module(f"leastsq._minpack_{level}")

lmdif = core.lmdif
lmder = core.lmder
lmdif_nogil = core.lmdif_nogil
lmder_nogil = core.lmder_nogil
evaluate = core.evaluate
covar = core.covar
whiten = core.whiten
