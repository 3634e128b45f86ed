"""The core, compiled for this processor or for the level in LEASTSQ_CPU."""

import os
from importlib import import_module

from leastsq._core._cpu import levels

level = os.environ.get("LEASTSQ_CPU") or levels()[0]
if level not in levels():
    raise ImportError(
        f"LEASTSQ_CPU must be {' or '.join(levels())} on this processor, got {level!r}"
    )
core = import_module(f"leastsq._core._minpack_{level}")

fit = core.fit
fit_nogil = core.fit_nogil
differentiate = core.differentiate
differentiate_nogil = core.differentiate_nogil
many = core.many
lockstep_open = core.lockstep_open
lockstep_advance = core.lockstep_advance
lockstep_close = core.lockstep_close
parts_open = core.parts_open
parts_advance = core.parts_advance
parts_result = core.parts_result
parts_close = core.parts_close
parts_add = core.parts_add
parts_evaluate = core.parts_evaluate
parts_evaluate_nogil = core.parts_evaluate_nogil
fault = core.fault
evaluate = core.evaluate
covar = core.covar
whiten = core.whiten
