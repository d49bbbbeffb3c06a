"""The operations of a float network as C functions: templates, which `math.render` fills in."""

from __future__ import annotations

COPY = """
static inline void P_copy(const real *x, real *z, int n)
{
    for (int j = 0; j < n; ++j)
        z[j] = x[j];
}
"""

DENSE = """
/* z = bias + x * weight; the weights of one input lie side by side, [n_in][n_out]. Four inputs at
   once, so that z is loaded and stored a quarter as often. */
static inline void P_dense(const real *x, const real *weight, const real *bias,
                           real *M_RESTRICT z, int n_in, int n_out)
{
    const real *w = weight;
    const int fours = n_in - n_in % 4;
    for (int j = 0; j < n_out; ++j)
        z[j] = bias ? bias[j] : 0.0;
    for (int i = 0; i < fours; i += 4, w += 4 * n_out) {
        const real *w1 = w + n_out, *w2 = w1 + n_out, *w3 = w2 + n_out;
        const real x0 = x[i], x1 = x[i + 1], x2 = x[i + 2], x3 = x[i + 3];
        for (int j = 0; j < n_out; ++j)
            z[j] += (x0 * w[j] + x1 * w1[j]) + (x2 * w2[j] + x3 * w3[j]);
    }
    for (int i = fours; i < n_in; ++i, w += n_out)
        for (int j = 0; j < n_out; ++j)
            z[j] += x[i] * w[j];
}
"""

PERIODIC = """
/* Each of n numbers becomes as many as width: bias + cos(2 pi frequency x + phase) * weight. */
static inline void P_periodic(const real *x, const real *frequency, const real *phase,
                              const real *weight, const real *bias, real *M_RESTRICT z, int n,
                              int waves, int width)
{
    for (int i = 0; i < n; ++i, z += width, bias += width) {
        for (int k = 0; k < width; ++k)
            z[k] = bias[k];
        for (int j = 0; j < waves; ++j, ++frequency, ++phase, weight += width) {
            const real wave = P_cos(6.283185307179586 * *frequency * x[i] + *phase);
            for (int k = 0; k < width; ++k)
                z[k] += wave * weight[k];
        }
    }
}
"""

PIECEWISE = """
/* Each of n numbers becomes one for each bin between its edges: how far it has come through it. */
static inline void P_piecewise(const real *x, const real *edges, real *M_RESTRICT z, int n,
                               int bins)
{
    for (int i = 0; i < n; ++i, z += bins, edges += bins + 1)
        for (int b = 0; b < bins; ++b) {
            const real low = edges[b], high = edges[b + 1];
            real share = high > low ? (x[i] - low) / (high - low) : x[i] >= low ? 1.0 : 0.0;
            share = b > 0 && share < 0.0 ? 0.0 : share;
            z[b] = b < bins - 1 && share > 1.0 ? 1.0 : share;
        }
}
"""

SCALE = """
/* z = z * scale + shift */
static inline void P_scale(real *z, const real *scale, const real *shift, int n)
{
    for (int j = 0; j < n; ++j)
        z[j] = z[j] * scale[j] + shift[j];
}
"""

CLIP = """
/* z = min(max(z, low), high) */
static inline void P_clip(real *z, const real *low, const real *high, int n)
{
    for (int j = 0; j < n; ++j) {
        z[j] = z[j] < low[j] ? low[j] : z[j];
        z[j] = z[j] > high[j] ? high[j] : z[j];
    }
}
"""

ADD = """
/* z = z + x */
static inline void P_add(const real *x, real *z, int n)
{
    for (int j = 0; j < n; ++j)
        z[j] += x[j];
}
"""

SELECT = """
/* z[j] = x[columns[j]] */
static inline void P_select(const real *x, real *z, const int *columns, int n)
{
    for (int j = 0; j < n; ++j)
        z[j] = x[columns[j]];
}
"""

ONE_HOT = """
/* z[j] = 1 where x is levels[j], else 0; returns how often it is */
static inline int P_one_hot(real x, const real *levels, real *z, int n)
{
    int count = 0;
    for (int j = 0; j < n; ++j) {
        const int equal = x == levels[j];
        z[j] = (real)equal;
        count += equal;
    }
    return count;
}
"""

CODE = """
/* A whole number from 0 to n - 1 as an int, -1 where x is none. */
static inline int P_code(real x, int n)
{
    const int code = x >= 0.0 && x < (real)n ? (int)x : -1;
    return (real)code < x ? -1 : code;
}
"""
