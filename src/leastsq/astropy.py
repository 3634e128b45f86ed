"""A fitter for models of astropy: `leastsq.least_squares` with bounds, losses and time limits."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from astropy.modeling.fitting import (  # type: ignore[import-untyped]
    DEFAULT_EPS,
    TRFLSQFitter,
    fitter_to_model_params,
    model_to_fit_params,
)
from astropy.utils.exceptions import AstropyUserWarning  # type: ignore[import-untyped]
from numpy.typing import ArrayLike

from leastsq._arguments.arrays import FloatArray, Function
from leastsq._least_squares import least_squares
from leastsq._optimize_result import OptimizeResult


class LevMarFitter(TRFLSQFitter):  # type: ignore[misc]
    """A Levenberg-Marquardt fitter for models of astropy, with bounds inside the loop.

    Use it as astropy's fitters: ``LevMarFitter()(model, x, y, weights=...)`` returns a copy of the
    model with the fitted parameters. Bounds of parameters are respected at each step, without
    clipping; fixed and tied parameters work. It needs no SciPy.

    Parameters
    ----------
    calc_uncertainties : bool, optional
        Whether the fitted model gets the attributes ``cov_matrix`` and ``stds``.
    loss : str or callable, optional
        As in `leastsq.least_squares`, like the following options.
    f_scale : float or array_like, optional
        In the unit of the residuals times weights.
    callback : callable, optional
        Is called after each step.
    max_time : float, optional
        In seconds.
    x_scale : array_like or 'jac', optional
        The unit of each parameter that is fitted.

    Attributes
    ----------
    fit_info : OptimizeResult
        The result of the last fit, as `leastsq.least_squares` returns it, with the covariance
        ``param_cov`` of the parameters that were fitted; None if it does not exist.

    Examples
    --------
    >>> import numpy as np
    >>> from astropy.modeling.models import Gaussian1D
    >>> from leastsq.astropy import LevMarFitter
    >>> x = np.linspace(-3, 3, 61)
    >>> y = 2*np.exp(-0.5*(x - 0.4)**2) + 0.01*np.cos(9*x)
    >>> y[20] += 5  # a cosmic ray
    >>> fitter = LevMarFitter(loss="cauchy", f_scale=0.02)
    >>> fitted = fitter(Gaussian1D(1, 0, 1, bounds={"stddev": (0.1, 3)}), x, y)
    >>> print(f"{fitted.amplitude.value:.1f}, {fitted.mean.value:.1f}")
    2.0, 0.4
    """

    def __init__(
        self,
        calc_uncertainties: bool = False,
        *,
        loss: str | Function = "linear",
        f_scale: ArrayLike = 1.0,
        callback: Function | None = None,
        max_time: float | None = None,
        x_scale: ArrayLike | str | None = None,
    ) -> None:
        super().__init__(calc_uncertainties)
        self.options: dict[str, Any] = {
            "loss": loss,
            "f_scale": f_scale,
            "callback": callback,
            "max_time": max_time,
            "x_scale": x_scale,
        }

    def _run_fitter(
        self,
        model: Any,
        farg: tuple[Any, ...],
        fkwarg: dict[str, Any],
        maxiter: int,
        acc: float,
        epsilon: float,
        estimate_jacobian: bool,
    ) -> tuple[Any, FloatArray, FloatArray | None]:
        """Fit; return the starting point, the solution and the inverse of J'J."""
        start, _, bounds = model_to_fit_params(model)
        # astropy's derivatives leave out what tied parameters contribute.
        has_slopes = model.fit_deriv is not None and not (estimate_jacobian or model.has_tied)
        result = self.fit_info = least_squares(
            self.objective_function,
            start,
            self.slopes if has_slopes else "2-point",
            bounds,
            max_nfev=maxiter,
            diff_step=None if epsilon == DEFAULT_EPS else epsilon,
            xtol=acc,
            args=farg,
            kwargs=fkwarg,
            **self.options,
        )
        fitter_to_model_params(model, result.x, False)
        if not result.success:
            warnings.warn(
                f"The fit may be unsuccessful; check: \n    {result.message}",
                AstropyUserWarning,
                stacklevel=2,
            )
        return start, result.x, inverse_of(result)

    def slopes(
        self, p: FloatArray, model: Any, weights: Any, *args: Any, **context: Any
    ) -> FloatArray:
        """Evaluate the derivatives of the residuals; shape (m, n)."""
        values = np.asarray(self._wrap_deriv(p, model, weights, *args))
        return values.T if model.col_fit_deriv else values


def inverse_of(result: OptimizeResult) -> FloatArray | None:
    """Invert J'J for the parameters that are not on a bound; None if J is singular."""
    free = result.active_mask == 0
    n = free.size
    jacobian = result.jac[:, free]
    if not np.isfinite(jacobian).all() or np.linalg.matrix_rank(scaled(jacobian)) < free.sum():
        return None
    triangle = np.linalg.qr(jacobian, mode="r")
    root = np.linalg.inv(triangle)
    inverse = np.zeros((n, n))
    inverse[np.ix_(free, free)] = root @ root.T
    return inverse


def scaled(jacobian: FloatArray) -> FloatArray:
    """Divide the columns by their norms, so that the rank does not depend on units."""
    norms = np.linalg.norm(jacobian, axis=0)
    return jacobian / np.where(norms > 0, norms, 1)
