/* The core, for C: nonlinear least squares by the Levenberg-Marquardt method with bounds.
 *
 * Every function here is re-entrant. Matrices are stored by columns. */
#ifndef MINPACK_H
#define MINPACK_H

#include <stdint.h>

#include "codes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Functions of the user.
 *
 * A function has one of two forms. A `fill` function writes its values to memory of the core; its
 * signature is cminpack's. A `show` function returns a pointer to its own values, which saves a copy.
 * The core passes data to the function unchanged. A negative return value stops the fit and becomes
 * its info. */

/* Fill fvec with the m residuals at x. iflag is 1, or 2 for a difference. */
typedef int minpack_fill_residual(void *data, int m, int n, const double *x, double *fvec, int iflag);

/* Point fvec at the m residuals at x; they must stay there until the next call. */
typedef int minpack_show_residual(void *data, int m, int n, const double *x, const double **fvec);

/* Fill fjac with the m x n Jacobian at x; its columns begin ldfjac numbers apart. fvec holds the
 * residuals at x, and is for reading alone. iflag is 2. */
typedef int minpack_fill_jacobian(void *data, int m, int n, const double *x, double *fvec, double *fjac,
                                  int ldfjac, int iflag);

/* A matrix with any steps from row to row and from column to column, in units of its numbers. */
typedef struct {
    const void *numbers;  /* address of the element with the least address */
    intptr_t count;       /* number of elements from `numbers` to the element with the greatest address */
    intptr_t start;       /* place of the first row's first number among them, from 1 */
    intptr_t row_step;    /* may be negative or zero, like column_step */
    intptr_t column_step;
    int single;           /* 1 for float, 0 for double */
} minpack_matrix;

/* Show the m x n Jacobian at x; it must stay there until the next call. */
typedef int minpack_show_jacobian(void *data, int m, int n, const double *x, minpack_matrix *fjac);

/* One of the two pointers is not NULL. */
typedef struct {
    minpack_fill_residual *fill;
    minpack_show_residual *show;
    void *data;
} minpack_residual;

typedef struct {
    minpack_fill_jacobian *fill;
    minpack_show_jacobian *show;
    void *data;
} minpack_jacobian;

/* Fill rho with the values of a loss at the m numbers z, and behind them with its first and its second
 * derivatives. A negative return value stops the fit. */
typedef int minpack_loss(void *data, int m, const double *z, double *rho);

/* Where a fit stands. */
typedef struct {
    int iteration;   /* how many steps were taken; 0 at the starting point */
    int nfev;        /* calls of the residual function */
    int trials;      /* those among them that were not for a differenced Jacobian */
    double fnorm;    /* the square root of what is minimized */
    double step;     /* the norm of the last step */
    double radius;   /* the trust radius, in units of |D x| */
    double ratio;    /* actual by predicted reduction by the last step */
    double gradient; /* the largest element of the gradient, as with the tests of the options; -1 at the
                      * end of a fit, when it is not known */
} minpack_report;

/* See a point where the fit stands, and the residuals there. A positive return value stops the fit with
 * MINPACK_STOPPED, a negative one stops it and becomes its info. */
typedef int minpack_watch(void *data, int m, int n, const double *x, const double *fvec,
                          const minpack_report *report);

/* Fill the m x count values with the residuals at the n x count points. A negative return value stops the
 * fit and becomes its info. */
typedef int minpack_together(void *data, int m, int n, int count, const double *points, double *values);

/* Do a piece of a job; pieces are counted from 1. */
typedef void minpack_task(void *job, int piece);

/* Do all pieces of a job in so many threads at most, in any order, and return when all are done. */
typedef void minpack_run(minpack_task *task, void *job, int pieces, int threads);

/* Options. Arrays hold n numbers. lower and upper are both given, or both NULL. */
typedef struct {
    double ftol;   /* relative reduction of the sum of squares that is small enough to stop */
    double xtol;   /* relative change of x that is small enough to stop */
    double gtol;   /* cosine between residuals and columns of the Jacobian that is small enough */
    double factor; /* first trust radius in units of |D x|; 100 is usual, 1 is safer with bounds */
    double epsfcn; /* relative error of the residuals; at least DBL_EPSILON is used */
    int maxfev;    /* calls of the residual function after which to stop */
    const double *diag;      /* D, positive; NULL: norms of the Jacobian's columns */
    const double *diff_step; /* steps of differences in units of |x|; NULL: chosen from epsfcn */
    const double *lower;     /* bounds, may be infinite; equal bounds fix x; NULL: no bounds at all */
    const double *upper;
    int limits_trials; /* 1: maxfev does not limit the calls for differenced Jacobians */
    int concludes;     /* 1: with a loss, R is that of the Jacobian at x, which is evaluated once more */
    int tests;         /* whose gtol and xtol these are: see below */
    int loss;          /* a loss of codes.h; with another one than MINPACK_LINEAR, the sum of
                        * C^2 rho((f/C)^2) over the residuals f is minimized */
    int attempt;       /* how the fit begins, by codes.h */
    int scale_count;   /* m, or 1 */
    const double *f_scale;      /* C; NULL: the loss is linear */
    minpack_loss *rho;          /* a loss of the caller's, or NULL */
    void *rho_data;             /* what it is called with */
    minpack_watch *watch;       /* sees how the fit goes on, or NULL */
    void *watch_data;
    minpack_together *together; /* evaluates the residuals for differences, or NULL */
    void *together_data;
    int together_count;         /* points that it evaluates in little more time than one; if these are more
                                 * than n, it evaluates a trial point with the points of the differences
                                 * there */
    minpack_run *run;           /* shares the rows of a large Jacobian among threads, or NULL; the result does
                                 * not depend on it */
    int threads;                /* how many */
} minpack_options;

/* The tests:
 *
 * MINPACK_LM      as described above
 * MINPACK_DOGBOX  the fit stops if no element of the gradient J'f, of a variable that bounds let move, is
 *                 larger than gtol, and the linear model promises no reduction that is worthwhile; or if
 *                 |p| < xtol (xtol + |x|) for a step p, as with MINPACK_LM
 * MINPACK_TRF     the same, but each element is multiplied by the distance from the bound ahead */

/* Minimize the sum of squares of m >= n residuals.
 *
 * jacobian      NULL: the Jacobian is differenced
 * data_norm     an estimate of the norm of the data from below, if the residuals are differences between a
 *               model and data, with the same weights: the rounding errors of the residuals are relative to
 *               it; negative if not known
 * x             n; in: the starting point; out: the best point
 * fvec          m; out: the residuals at x
 * is_evaluated  1 if fvec comes with the residuals at the starting point, 0 if not
 * fnorm         the norm of the residuals at x
 * augmented     n x (n + 2): R of the last Jacobian J P = Q R; the head of Q'f; and how much the step of each
 *               column changed the residuals, in units of the data, or 1 if J is not differenced
 * ipvt          n: column j of J P is column ipvt[j] - 1 of J
 * nfev          calls of the residual function, with that at the starting point
 * trials        those among them that were not for a differenced Jacobian
 * njev, steps   Jacobians; steps that were taken
 * info          a code of codes.h, or what a function returned to stop the fit */
void minpack_fit(const minpack_residual *residual, const minpack_jacobian *jacobian,
                 const minpack_options *options, double data_norm, int m, int n, double *x, double *fvec,
                 int is_evaluated, double *fnorm, double *augmented, int *ipvt, int *nfev, int *trials,
                 int *njev, int *steps, int *info);

/* Compute the Jacobian at x, where the residuals are fvec: fjac, m x n. With a loss, its rows and the
 * residuals are weighed, so that the product of its transpose with `weighed` is the gradient of half of
 * what is minimized. info is MINPACK_GOING_ON, or why there is no
 * Jacobian. */
void minpack_differentiate(const minpack_residual *residual, const minpack_jacobian *jacobian,
                           const minpack_options *options, int m, int n, const double *x, double *fvec,
                           double *fjac, double *weighed, int *info);

/* Numbers that differ from fit to fit, or from block to block of the rows of one fit. Before each of them
 * they are copied to the place where the functions read them. */
typedef struct {
    void *place;
    const void *source; /* the numbers of the first fit */
    intptr_t step;      /* from the numbers of a fit to those of the next, in bytes; may be zero */
    intptr_t size;      /* in bytes */
} minpack_input;

/* Arrays for the results of many fits. */
typedef struct {
    double *x;      /* n x fits; in: the starting points; out: the best points */
    double *fnorm;  /* fits: the norms of the residuals */
    double *cov;    /* n x n x fits: the covariances of x; NULL if not needed */
    int *state;     /* n x fits, as in minpack_covar; -1 if there is no covariance; used with cov only */
    double *effect; /* n x fits: the largest absolute value in each column of R; NULL if not needed */
    int *info;      /* fits, as nfev; as in minpack_fit */
    int *nfev;
} minpack_results;

/* Fit one function to many data sets, one after another: each as minpack_fit does.
 *
 * options       lower and upper point to bounds_count columns of n numbers, diag to diag_count
 * data_norms    fits: each as in minpack_fit
 * inputs        input_count kinds of data
 * bounds_count  fits, or 1 if all fits have the same bounds; diag_count in the same way
 * absolute      1 if the standard deviation of the residuals is 1, 0 if the residuals show it
 * negligible    as in minpack_covar, like doubtful
 * done          how many fits are done. If fewer than all, a function stopped the next fit, whose info
 *               is set; or there is not enough memory, or the input is improper: then done is 0. */
void minpack_many(const minpack_residual *residual, const minpack_jacobian *jacobian,
                  const minpack_options *options, int m, int n, int fits, const double *data_norms,
                  const minpack_input *inputs, int input_count, int bounds_count, int diag_count,
                  int absolute, double negligible, double doubtful, const minpack_results *results,
                  int *done);

/* Fit one model to many data sets without calling it: the caller is asked for the values of the model at
 * the points that the fits need, and tells them. `lanes` fits run at a time; when a fit ends, the next
 * begins. Open a handle; advance until there are no more points; close it.
 *
 * differenced   1 if Jacobians are differenced, 0 if the caller tells them, too
 * data_norms    fits: each as in minpack_fit
 * y             m x fits: the data, which are subtracted from the values
 * weights       weight_count x fits: factors of the residuals, m or 1 for each fit; or NULL
 * handle        NULL if there is not enough memory, or the input is improper
 *
 * The arrays must stay until the handle is closed. */
void minpack_lockstep_open(const minpack_options *options, int m, int n, int fits, int lanes,
                           int differenced, const double *data_norms, const double *y,
                           const double *weights, int weight_count, int bounds_count, int diag_count,
                           int absolute, double negligible, double doubtful,
                           const minpack_results *results, void **handle);

/* Tell the values at the points that were asked for before, and ask for the next points. At first there
 * is nothing to tell. If nothing is asked for, all fits are done.
 *
 * count            in: the number of points that are told; out: the number that is asked for
 * values           m x count; `failed` is not zero where there are none, and the fit ends with info -1
 * jacobians        m x n x jacobian_count, with `jacobian_failed`, in the same way
 * points           n x (n*lanes), of which `count` are used
 * fits             n*lanes: of which fit each point is, from 1
 * jacobian_points  n x lanes, of which `jacobian_count` are used */
void minpack_lockstep_advance(void *handle, int m, int n, int lanes, int *count, const double *values,
                              const int *failed, int *jacobian_count, const double *jacobians,
                              const int *jacobian_failed, double *points, int *fits,
                              double *jacobian_points, int *jacobian_fits);

void minpack_lockstep_close(void *handle);

/* Fit rows that are in parts: the caller is asked for sums over all rows, evaluates the parts wherever they
 * are, adds their sums, and tells them. Nothing has the size of the rows. Open a handle; advance until what
 * is MINPACK_NOTHING_MORE; take the result; close the handle.
 *
 * differenced  1 if the parts difference their Jacobians
 * in_one_trip  1 if the sums at a trial point come with the triangle, so that each step needs one question;
 *              0 if the triangle is asked for when the point is accepted
 * handle       NULL if there is not enough memory, or the input is improper
 *
 * The arrays of the options must stay until the handle is closed. epsfcn is the precision of the
 * residuals. */
void minpack_parts_open(const minpack_options *options, int n, int differenced, int in_one_trip,
                        void **handle);

/* Begin, or tell the sums that were asked for; and ask for others.
 *
 * told     0 to begin at x, without sums; 1 to tell sums
 * sums     12 + 3n + (n + 1)(n + 2)/2: the number of rows is the first, the square root of what is minimized
 *          the third of them; the fourth may be the norm of the data, as in minpack_fit, in the first sums
 * info     in: 0, or the code with which the fit is to end; out: how it has ended, if it has
 * x        n; in: the starting point; out: the best point
 * request  6n + 3: what all parts are to evaluate; its second to (n + 1)th numbers are the point
 * what     a code of codes.h
 * counts   4: evaluations of all residuals; those that were not for a Jacobian; Jacobians; steps */
void minpack_parts_advance(void *handle, int n, int told, const double *sums, int *info, double *x,
                           double *request, int *what, int *counts);

/* The results, as those of minpack_fit. */
void minpack_parts_result(void *handle, int n, double *fnorm, double *augmented, int *ipvt);

void minpack_parts_close(void *handle);

/* Add the sums over other rows. Sums begin as zeros. info is MINPACK_GOING_ON or MINPACK_OUT_OF_MEMORY. */
void minpack_parts_add(int n, double *sums, const double *more, int *info);

/* Evaluate blocks of m rows as the request says, and add them to the sums.
 *
 * options       those for the loss are used
 * fvec          m; in: the residuals at the point of the request, if is_evaluated is 1
 * inputs        input_count kinds of data, which differ from block to block */
void minpack_parts_evaluate(const minpack_residual *residual, const minpack_jacobian *jacobian,
                            const minpack_options *options, int m, int n, double *fvec, int is_evaluated,
                            const minpack_input *inputs, int input_count, int blocks,
                            const double *request, int what, double *sums, int *info);

/* The first option that is improper for n variables, as a code of codes.h. */
int minpack_fault(const minpack_options *options, int n);

/* Call a residual function once. info is MINPACK_GOING_ON, or why there are no residuals. */
void minpack_evaluate(const minpack_residual *residual, int m, int n, const double *x, double *fvec,
                      int *info);

/* The covariance of the variables from R: the inverse of J'J, multiplied by the variance of the
 * residuals.
 *
 * m           number of residuals
 * r           n x n, R of J P = Q R with ipvt
 * qtf         n, the first elements of Q'f
 * changes     n, as in minpack_fit: rounding errors of the residuals are a larger part of small changes
 * x           n, the variables
 * active      n, 0 for a free variable, 1 for a variable on a bound, 2 for a fixed variable; the rows and
 *             columns of variables that are not free are zero in cov
 * fnorm       the norm of the residuals
 * absolute    1 if the variance is 1; 0 if it is fnorm**2 divided by the degrees of freedom
 * differenced 1 if J is differenced: then a column of zeros shows that a variable has no effect, on a bound
 *             too
 * negligible  lower estimate of the relative error of the columns of J
 * doubtful    upper estimate of this error; if J is differenced, 10 times the least relative change of the
 *             residuals that a step is to cause
 * cov         n x n
 * state       n, a code of codes.h for each variable
 * regular     1 if there is a covariance */
void minpack_covar(int m, int n, const double *r, const double *qtf, const double *changes,
                   const int *ipvt, const double *x, const int *active, double fnorm, int absolute,
                   int differenced, double negligible, double doubtful, double *cov, int *state,
                   int *regular);

/* Solve L w = b for count columns b of m numbers, in place; factor is the m x m lower triangle L. */
void minpack_whiten(int m, int count, const double *factor, double *columns);

#ifdef __cplusplus
}
#endif

#endif
