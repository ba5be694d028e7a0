// Common ground of all kernels.
//
// Arithmetic: contraction is off and every fused multiply-add is written as fma(). So an expression
// gives the same bits wherever it stands, and fusing kernels never changes a result. exp, tanh and log
// are ours for the same reason: a driver's own may differ between its scalar and its vector form.
//
// Layout: a batched value is rows x LANES floats, the sample innermost; LANES is the batch capacity
// padded to 16 (capacity 1: not padded). Unbatched values are plain C order.
//
// Tunables
//   VW  lanes in one register: 16 on CPUs with 512-bit vectors, 8 on 256-bit, 1 on GPUs and for batch 1.
//   PW  elements of an unbatched array in one register.

#pragma OPENCL FP_CONTRACT OFF

// A template defines the work of one item as a function of its number (id0, id1, id2); the kernel around it
// calls one such function, or several side by side when their launches do not depend on each other.
#define KERNEL FUNCTION

// A plain sum in a loop keeps its order: Intel's compiler reassociates scalar sums when it vectorizes a
// loop, in one kernel and not in another. Sums written with fma() are safe without this.
#define IN_ORDER _Pragma("clang loop vectorize(disable) interleave(disable)")

// cells of a window up to which its loops are written out
#define UNROLLED 64

// helpers vanish into their kernels, so that constant arguments choose their code
#define FUNCTION static inline __attribute__((always_inline))
#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)

#if VW == 1
typedef float vf;
typedef int vi;
typedef uint vu;
#define CONVERT_VI convert_int_rte
#define CONVERT_VF convert_float
#define AS_VF as_float
#define AS_VI as_int
#define CONVERT_VU convert_uint
#define LANE_NUMBERS ((vi)0)
#define PUT(v, array) ((array)[0] = (v))
#define TAKE(array) ((array)[0])
#define VF_NAME float
#define SUM_VF(v) (v)
#else
typedef CAT(float, VW) vf;
typedef CAT(int, VW) vi;
typedef CAT(uint, VW) vu;
#define CONVERT_VI CAT(CAT(convert_int, VW), _rte)
#define CONVERT_VF CAT(convert_float, VW)
#define CONVERT_VU CAT(convert_uint, VW)
#define PUT(v, array) CAT(vstore, VW)(v, 0, array)
#define TAKE(array) CAT(vload, VW)(0, array)
#define VF_NAME vf
#define AS_VF CAT(as_float, VW)
#define AS_VI CAT(as_int, VW)
#endif

#if PW == 1
typedef float pf;
typedef int pi;
#define CONVERT_PI convert_int_rte
#define AS_PF as_float
#define AS_PI as_int
#define LOAD_PF(p) (*(p))
#define STORE_PF(v, p) (*(p) = (v))
#else
typedef CAT(float, PW) pf;
typedef CAT(int, PW) pi;
#define CONVERT_PI CAT(CAT(convert_int, PW), _rte)
#define AS_PF CAT(as_float, PW)
#define AS_PI CAT(as_int, PW)
#define LOAD_PF(p) CAT(vload, PW)(0, p)
#define STORE_PF(v, p) CAT(vstore, PW)(v, 0, p)
#endif

// Sums over the lanes of one register, always in this order: halves are added.
FUNCTION float sum_16(float16 v) {
    float8 a = v.lo + v.hi;
    float4 b = a.lo + a.hi;
    return (b.x + b.z) + (b.y + b.w);
}
FUNCTION float sum_8(float8 v) {
    float4 b = v.lo + v.hi;
    return (b.x + b.z) + (b.y + b.w);
}
FUNCTION float sum_4(float4 b) { return (b.x + b.z) + (b.y + b.w); }

#if VW == 16
#define LANE_NUMBERS ((int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
#define SUM_VF sum_16
#elif VW == 8
#define LANE_NUMBERS ((int8)(0, 1, 2, 3, 4, 5, 6, 7))
#define SUM_VF sum_8
#elif VW == 4
#define LANE_NUMBERS ((int4)(0, 1, 2, 3))
#define SUM_VF sum_4
#endif

// Turn a square of registers around: after log2(VW) perfect shuffles of its rows.
#if VW == 16
#define WEAVE(v) (v).s08192a3b4c5d6e7f
#define ROUNDS 4
#elif VW == 8
#define WEAVE(v) (v).s04152637
#define ROUNDS 3
#elif VW == 4
#define WEAVE(v) (v).s0213
#define ROUNDS 2
#endif
#if VW != 1
FUNCTION void turn(vf rows[VW]) {
    #pragma unroll
    for (int round = 0; round < ROUNDS; round++) {
        vf next[VW];
        #pragma unroll
        for (int i = 0; i < VW / 2; i++) {
            const vf low = (vf)(rows[i].lo, rows[i + VW / 2].lo);
            const vf high = (vf)(rows[i].hi, rows[i + VW / 2].hi);
            next[2 * i] = WEAVE(low);
            next[2 * i + 1] = WEAVE(high);
        }
        #pragma unroll
        for (int i = 0; i < VW; i++) rows[i] = next[i];
    }
}
#else
FUNCTION void turn(vf rows[1]) {}
#endif

// Which lanes of the register at `lane` are live, as a mask for select().
#define LIVE_LANES(lane, n) ((LANE_NUMBERS + (vi)(lane)) < (vi)(n))
#define LOAD_INT(p) (*(__global const vi *)(p))
#define STORE_INT(v, p) (*(__global vi *)(p) = (v))

// Batched values are aligned: the address of a register is a multiple of its size.
#define LOAD(p) (*(__global const vf *)(p))
#define STORE(v, p) (*(__global vf *)(p) = (v))

// One control of this step; whole numbers are stored as their bits.
#define CONTROL(i) controls[step_row * CONTROL_COUNT + (i)]
#define CONTROL_INT(i) as_int(controls[step_row * CONTROL_COUNT + (i)])

// Elementary functions for one type: T float type, TI its ints, S suffix of the names.
//   exp  error below 1 ulp: 2^k times a polynomial on [-ln2/2, ln2/2] (Cephes' coefficients)
//   tanh error below 2 ulp: odd polynomial below 0.625, else through exp
//   log  error below 1 ulp for normal positive numbers; log(0) = -inf
#define ELEMENTARY(T, TI, S, AS_T, AS_TI, CONVERT_TI, CONVERT_T)                                   \
    FUNCTION T CAT(exp_, S)(T x) {                                                                   \
        T c = clamp(x, (T)-104.0f, (T)89.0f);                                                      \
        T k = rint(c * (T)1.44269504088896341f);                                                   \
        T r = fma(k, (T)-0.693359375f, c);                                                         \
        r = fma(k, (T)2.12194440e-4f, r);                                                          \
        T p = (T)1.9875691500e-4f;                                                                 \
        p = fma(p, r, (T)1.3981999507e-3f);                                                        \
        p = fma(p, r, (T)8.3334519073e-3f);                                                        \
        p = fma(p, r, (T)4.1665795894e-2f);                                                        \
        p = fma(p, r, (T)1.6666665459e-1f);                                                        \
        p = fma(p, r, (T)5.0000001201e-1f);                                                        \
        p = fma(p, r * r, r) + (T)1.0f;                                                            \
        TI n = CONVERT_TI(k);                                                                      \
        TI h = n >> 1;                                                                             \
        T y = p * AS_T((h + 127) << 23) * AS_T((n - h + 127) << 23);                               \
        return select(y, x, x != x);                                                               \
    }                                                                                              \
    FUNCTION T CAT(tanh_, S)(T x) {                                                                  \
        T a = fabs(x);                                                                             \
        T z = x * x;                                                                               \
        T p = (T)-5.70498872745e-3f;                                                               \
        p = fma(p, z, (T)2.06390887954e-2f);                                                       \
        p = fma(p, z, (T)-5.37397155531e-2f);                                                      \
        p = fma(p, z, (T)1.33314422036e-1f);                                                       \
        p = fma(p, z, (T)-3.33332819422e-1f);                                                      \
        T small = fma(p * z, x, x);                                                                \
        T large = (T)1.0f - (T)2.0f / (CAT(exp_, S)(a + a) + (T)1.0f);                             \
        return select(copysign(large, x), small, a < (T)0.625f);                                   \
    }                                                                                              \
    FUNCTION T CAT(sigmoid_, S)(T x) { return (T)1.0f / ((T)1.0f + CAT(exp_, S)(-x)); }              \
    FUNCTION T CAT(log_, S)(T x) {                                                                   \
        TI bits = AS_TI(x);                                                                        \
        TI e = ((bits - 0x3f3504f3) >> 23);                                                        \
        T m = AS_T(bits - (e << 23)) - (T)1.0f;                                                    \
        T k = CONVERT_T(e);                                                                        \
        T z = m * m;                                                                               \
        T p = (T)7.0376836292e-2f;                                                                 \
        p = fma(p, m, (T)-1.1514610310e-1f);                                                       \
        p = fma(p, m, (T)1.1676998740e-1f);                                                        \
        p = fma(p, m, (T)-1.2420140846e-1f);                                                       \
        p = fma(p, m, (T)1.4249322787e-1f);                                                        \
        p = fma(p, m, (T)-1.6668057665e-1f);                                                       \
        p = fma(p, m, (T)2.0000714765e-1f);                                                        \
        p = fma(p, m, (T)-2.4999993993e-1f);                                                       \
        p = fma(p, m, (T)3.3333331174e-1f);                                                        \
        T y = p * m * z;                                                                           \
        y = fma(k, (T)-2.12194440e-4f, y);                                                         \
        y = fma((T)-0.5f, z, y);                                                                   \
        y = m + y;                                                                                 \
        y = fma(k, (T)0.693359375f, y);                                                            \
        y = select(y, (T)-INFINITY, x == (T)0.0f);                                                 \
        return select(y, x + x, (x != x) | (x == (T)INFINITY));                                    \
    }

ELEMENTARY(float, int, float, as_float, as_int, convert_int_rte, convert_float)
#if VW != 1
ELEMENTARY(vf, vi, vf, AS_VF, AS_VI, CONVERT_VI, CONVERT_VF)
#endif
#if PW != 1 && PW != VW
ELEMENTARY(pf, pi, pf, AS_PF, AS_PI, CONVERT_PI, CAT(convert_float, PW))
#endif

// Philox4x32-10 for one group of four features: counter (group, sample, stream, step), key = seed.
#define FRACTION(word) (CONVERT_VF((word) >> 8) * 5.9604644775390625e-8f)
FUNCTION void philox(uint c0, vu c1, uint c2, uint c3, uint k0, uint k1, vu out[4]) {
    vu a = (vu)(c0), b = c1, c = (vu)(c2), d = (vu)(c3);
    for (int round = 0; round < 10; round++) {
        vu high0 = mul_hi(a, (vu)(0xD2511F53u)), low0 = a * 0xD2511F53u;
        vu high1 = mul_hi(c, (vu)(0xCD9E8D57u)), low1 = c * 0xCD9E8D57u;
        a = high1 ^ b ^ k0;
        b = low1;
        c = high0 ^ d ^ k1;
        d = low0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = a;
    out[1] = b;
    out[2] = c;
    out[3] = d;
}
