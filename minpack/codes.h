/* How a fit ends, and what can be improper about its options: for C, and for base/info.F90,
 * fit/settings.F90 and linear/covariance.F90, which are passed through the preprocessor. */
#ifndef MINPACK_CODES_H
#define MINPACK_CODES_H

/* MINPACK's own codes. */
#define MINPACK_IMPROPER_INPUT 0
#define MINPACK_FTOL_REACHED 1
#define MINPACK_XTOL_REACHED 2
#define MINPACK_FTOL_AND_XTOL_REACHED 3
#define MINPACK_GTOL_REACHED 4
#define MINPACK_MAXFEV_REACHED 5
#define MINPACK_FTOL_TOO_SMALL 6
#define MINPACK_XTOL_TOO_SMALL 7
#define MINPACK_GTOL_TOO_SMALL 8

/* This library's. */
#define MINPACK_RESIDUALS_NOT_FINITE 9
#define MINPACK_JACOBIAN_NOT_FINITE 10
#define MINPACK_TIME_IS_UP 11
#define MINPACK_STOPPED 12
#define MINPACK_OUT_OF_MEMORY 13
#define MINPACK_GOING_ON 14 /* nothing has ended: what was asked for is there */

/* Is added to the codes 1 to 3 when no step brought the reduction that the Jacobian promises, and to 4
 * when the Jacobian is zero and the residuals are not. */
#define MINPACK_PROMISE_BROKEN 16

/* Is added when another attempt may end better. The first attempt began with a wider loss, and most residuals
 * are outliers at the end, or x is no solution, or not better than the start. Or some variables had the same
 * effect at the start, and x is no solution, or the data do not determine all variables there. */
#define MINPACK_POOR_END 32

/* Is added when x is a solution, but a variable has no effect there, or variables have come to have the same
 * effect. */
#define MINPACK_OPEN_END 64

/* Is added when x is a solution where most neighbouring residuals have the same sign: the model does not
 * describe the data there. */
#define MINPACK_MISFIT 128

/* Is added when this is no chance. */
#define MINPACK_SURE_MISFIT 256

/* Is added when x is a solution, but the trust region still limited the last step: the residuals may be
 * noisy, so that derivatives are wrong. */
#define MINPACK_CONFINED_END 512

/* How a fit begins. */
#define MINPACK_ONLY_ATTEMPT 0  /* at x, and it ends without the last four codes */
#define MINPACK_FIRST_ATTEMPT 1 /* with a wider loss, if most residuals are outliers */
#define MINPACK_AS_IT_IS 2      /* at x */
#define MINPACK_ON_OTHER_SIDE 3 /* far from x, if some variables have the same effect there */

/* What a function answers when the time for the fit is over; it becomes MINPACK_TIME_IS_UP. */
#define MINPACK_NO_TIME (-2147483647)

/* The meaning of gtol and xtol: see minpack_options. */
#define MINPACK_LM 0
#define MINPACK_TRF 1
#define MINPACK_DOGBOX 2

/* What the parts of a fit are asked for. */
#define MINPACK_NOTHING_MORE 0
#define MINPACK_NORM_ALONE 1
#define MINPACK_TRIANGLE 2
#define MINPACK_EXACT_TRIANGLE 3
#define MINPACK_COMPARISON 4
#define MINPACK_PRODUCTS 5

/* Losses. */
#define MINPACK_LINEAR 0
#define MINPACK_HUBER 1
#define MINPACK_SOFT_L1 2
#define MINPACK_CAUCHY 3
#define MINPACK_ARCTAN 4

/* The first option that is improper. */
#define MINPACK_NO_FAULT 0
#define MINPACK_FAULT_OF_FTOL 1
#define MINPACK_FAULT_OF_XTOL 2
#define MINPACK_FAULT_OF_GTOL 3
#define MINPACK_FAULT_OF_FACTOR 4
#define MINPACK_FAULT_OF_MAXFEV 5
#define MINPACK_FAULT_OF_EPSFCN 6
#define MINPACK_FAULT_OF_DIAG 7
#define MINPACK_FAULT_OF_SPREAD 8
#define MINPACK_FAULT_OF_DIFF_STEP 9

/* What the data tell of a parameter: see minpack_covar. */
#define MINPACK_DETERMINED 0
#define MINPACK_WITHOUT_EFFECT 1
#define MINPACK_ACTS_TOGETHER 2
#define MINPACK_HARDLY_DETERMINED 3
#define MINPACK_CONDITIONAL 4 /* acts together with others, one of which is on a bound */

#endif
