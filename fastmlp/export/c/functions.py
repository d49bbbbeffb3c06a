"""The operations of a float network as C functions: templates, which `c_math.render` fills in."""

from __future__ import annotations

import re

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

SCALE = """
/* z = z * scale + shift */
static inline void P_scale(real *z, const real *scale, const real *shift, int n)
{
    for (int j = 0; j < n; ++j)
        z[j] = z[j] * scale[j] + shift[j];
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

CODE = """
/* A whole number from 0 to n - 1 as an int, -1 where x is none. */
static inline int P_code(real x, int n)
{
    const int code = x >= 0.0 && x < (real)n ? (int)x : -1;
    return (real)code < x ? -1 : code;
}
"""

SOFTMAX = """
static inline void P_apply_softmax(real *z, int n)
{
    real largest = z[0], sum = 0.0;
    for (int j = 1; j < n; ++j)
        largest = z[j] > largest ? z[j] : largest;
    for (int j = 0; j < n; ++j)
        z[j] = P_exp(z[j] - largest);
    for (int j = 0; j < n; ++j)
        sum += z[j];
    for (int j = 0; j < n; ++j)
        z[j] /= sum;
}
"""

# Each activation as statements on one element, v; `p` is its parameter.
_ELEMENTWISE = {
    "relu": "v = v < 0.0 ? 0.0 : v;",
    "leaky_relu": "v = P_choose(v > 0.0, v, p * v);",
    "tanh": "v = P_tanh(v);",
    "sigmoid": "v = 1.0 / (1.0 + P_exp(-v));",
    "elu": "v = P_choose(v > 0.0, v, p * P_expm1(v));",
    "selu": ("v = P_choose(v > 0.0, 1.0507009873554805 * v, 1.7580993408473766 * P_expm1(v));"),
    "gelu": "v = 0.5 * v * P_erfc(-0.70710678118654757 * v);",
    "silu": "v = v / (1.0 + P_exp(-v));",
    "mish": """
/* tanh(log(1 + e^v)), which rounds to 1 long before 20 */
const real e = P_exp(P_choose(v < 20.0, v, 20.0));
const real m = e * (e + 2.0);
v = v * (m / (m + 2.0));
""",
    "softplus": "v = P_choose(v > 0.0, v, 0.0) + P_log1p(P_exp(-P_abs(v)));",
    "exp": "v = P_exp(v);",
}


def elementwise(name: str, has_parameter: bool) -> str:
    """The template of a function that applies an activation to n numbers."""
    statements = _ELEMENTWISE[name].strip().splitlines()
    body = "\n".join(f"        {line}" for line in statements)
    body = re.sub(r"\bv\b", "z[j]", body)
    if len(statements) == 1 and "z[j]" in body:
        loop = f"    for (int j = 0; j < n; ++j)\n{body}"
    else:
        loop = f"    for (int j = 0; j < n; ++j) {{\n{body}\n    }}"
    parameter = ", real p" if has_parameter else ""
    head = f"static inline void P_apply_{name}(real *z, int n{parameter})"
    return f"\n{head}\n{{\n{loop}\n}}\n"
