"""The integer arithmetic of `int8.fixed_point` as C functions: templates with a prefix ``P_``."""

from __future__ import annotations

from ...int8.fixed_point import (
    CODE_MAX,
    CODE_MIN,
    CURVE_BITS,
    CURVE_INTERVALS,
    INPUT_BITS,
    INPUT_LIMIT,
    POWER_BITS,
    SOFTMAX_BITS,
    SOFTMAX_LIMIT,
)
from .source import finite_check

_CODE = f"""
static inline signed char P_code(int64_t value)
{{
    return (signed char)(value < {CODE_MIN} ? {CODE_MIN} : value > {CODE_MAX} ? {CODE_MAX} : value);
}}
"""

_SHIFTED = """
/* floor(value / 2^shift) */
static inline int64_t P_shifted(int64_t value, int shift)
{
    return value >= 0 ? value >> shift : ~(~value >> shift);
}
"""

_ENCODE = f"""
/* The code of x * inverse / {1 << INPUT_BITS} + zero_point, halves up. */
static inline signed char P_encode(float x, float inverse, int32_t zero_point)
{{
    const float scaled = x * inverse;
    const float low = scaled < -{INPUT_LIMIT}.0f ? -{INPUT_LIMIT}.0f : scaled;
    const int32_t whole = (int32_t)(low > {INPUT_LIMIT}.0f ? {INPUT_LIMIT}.0f : low);
    return P_code(P_shifted((int64_t)whole + {1 << (INPUT_BITS - 1)}, {INPUT_BITS}) + zero_point);
}}
"""

_DOT = """
static inline int32_t P_dot(const int8_t *weight, const signed char *codes, int n)
{
    int32_t sum = 0;
    for (int i = 0; i < n; ++i)
        sum += weight[i] * codes[i];
    return sum;
}
"""

_RESCALE = """
/* acc * multiplier / 2^shift, halves up */
static inline int64_t P_rescale(int32_t acc, int32_t multiplier, int shift)
{
    return P_shifted((int64_t)acc * multiplier + ((int64_t)1 << (shift - 1)), shift);
}
"""

_LAST = (CURVE_INTERVALS << CURVE_BITS) - 1

_POSITION = f"""
static inline int32_t P_position(int64_t position)
{{
    return (int32_t)(position < 0 ? 0 : position > {_LAST} ? {_LAST} : position);
}}
"""


def _curve(c_type: str) -> str:
    """Interpolation: the upper bits of a position choose a node, the lower ones go on from it."""
    return f"""
    const int32_t place = P_position(position), part = place & {(1 << CURVE_BITS) - 1};
    const {c_type} *node = table + (place >> {CURVE_BITS});
    const int32_t step = (int32_t)node[1] - (int32_t)node[0];
    const int32_t value = {1 << CURVE_BITS} * (int32_t)node[0] + step * part;
""".strip("\n")


_CURVE_CODE = f"""
/* The code of a curve, between its nodes on a line. */
static inline signed char P_curve_code(const uint16_t *table, int64_t position)
{{
{_curve("uint16_t")}
    return P_code(((value + {1 << (2 * CURVE_BITS - 1)}) >> {2 * CURVE_BITS}) - {-CODE_MIN});
}}
"""

_CURVE = f"""
/* {1 << CURVE_BITS} times a curve, between its nodes on a line. */
static inline int32_t P_curve(const int32_t *table, int64_t position)
{{
{_curve("int32_t")}
    return value;
}}
"""

_POWER = f"""
/* z as a whole number, and 2^(31 - below / {1 << SOFTMAX_BITS}). */
static inline int32_t P_whole(float z)
{{
    const float low = z < -{SOFTMAX_LIMIT}.0f ? -{SOFTMAX_LIMIT}.0f : z;
    return (int32_t)(low > {SOFTMAX_LIMIT}.0f ? {SOFTMAX_LIMIT}.0f : low);
}}

static inline uint32_t P_power(int32_t below)
{{
    const int32_t halvings = below >> {SOFTMAX_BITS}, rest = below & {(1 << SOFTMAX_BITS) - 1};
    const uint32_t *node = P_powers + (rest >> {POWER_BITS});
    const uint32_t part = (uint32_t)(rest & {(1 << POWER_BITS) - 1});
    const uint32_t power = node[0] * ({1 << POWER_BITS}u - part) + node[1] * part;
    return halvings < 32 ? power >> halvings : 0;
}}

static inline int32_t P_largest(const float *z, int n)
{{
    int32_t largest = P_whole(z[0]);
    for (int j = 1; j < n; ++j)
        largest = P_whole(z[j]) > largest ? P_whole(z[j]) : largest;
    return largest;
}}

static inline int64_t P_total(const float *z, int n, int32_t largest)
{{
    int64_t total = 0;
    for (int j = 0; j < n; ++j)
        total += P_power(largest - P_whole(z[j]));
    return total;
}}
"""

_SOFTMAX = """
/* z, log2(e) of the logits in units of 2^-BITS, becomes probabilities. */
static inline void P_softmax(float *z, int n)
{
    const int32_t largest = P_largest(z, n);
    const int64_t total = P_total(z, n, largest);
    for (int j = 0; j < n; ++j)
        z[j] = (float)P_power(largest - P_whole(z[j])) / (float)total;
}
""".replace("BITS", str(SOFTMAX_BITS))

_SOFTMAX_CODES = f"""
/* The same in steps of 1/255. */
static inline void P_softmax_codes(const float *z, signed char *codes, int n)
{{
    const int32_t largest = P_largest(z, n);
    const int64_t total = P_total(z, n, largest);
    for (int j = 0; j < n; ++j) {{
        const int64_t power = P_power(largest - P_whole(z[j]));
        codes[j] = P_code((510 * power + total) / (2 * total) - {-CODE_MIN});
    }}
}}
"""

# In the order in which they use each other.
FUNCTIONS = (
    *(finite_check("float"), _CODE, _SHIFTED, _ENCODE, _DOT, _RESCALE),
    *(_POSITION, _CURVE_CODE, _CURVE, _POWER, _SOFTMAX, _SOFTMAX_CODES),
)
