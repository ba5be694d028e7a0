// Elementary functions that few programs need, for one type as in the prelude; compiled only where used.
//   log1p  log(1 + x) for x > -1, below 2 ulp (Kahan's correction of 1 + x)
//   expm1  e^x - 1, below 2 ulp: the polynomial alone near 0
//   erf    within 2e-7: odd polynomial below 1, else 1 - e^(-x²) times a polynomial in 1/x² (Cephes)
//   sin, cos  within 2e-7 for |x| < 8192, 2e-6 up to 1e5, beyond that those of 1e5 (Cephes' reduction)

#define RARE(T, TI, S, CONVERT_TI)                                                                   \
    FUNCTION T CAT(log1p_, S)(T x) {                                                                 \
        T u = (T)1.0f + x;                                                                           \
        T d = u - (T)1.0f;                                                                           \
        return select(CAT(log_, S)(u) * (x / d), x, d == (T)0.0f);                                   \
    }                                                                                                \
    FUNCTION T CAT(expm1_, S)(T x) {                                                                 \
        T p = (T)1.9875691500e-4f;                                                                   \
        p = fma(p, x, (T)1.3981999507e-3f);                                                          \
        p = fma(p, x, (T)8.3334519073e-3f);                                                          \
        p = fma(p, x, (T)4.1665795894e-2f);                                                          \
        p = fma(p, x, (T)1.6666665459e-1f);                                                          \
        p = fma(p, x, (T)5.0000001201e-1f);                                                          \
        p = fma(p, x * x, x);                                                                        \
        return select(CAT(exp_, S)(x) - (T)1.0f, p, fabs(x) < (T)0.35f);                             \
    }                                                                                                \
    FUNCTION T CAT(erf_, S)(T x) {                                                                   \
        T a = fabs(x);                                                                               \
        T z = x * x;                                                                                 \
        T t = (T)7.853861353153693e-5f;                                                              \
        t = fma(t, z, (T)-8.010193625184903e-4f);                                                    \
        t = fma(t, z, (T)5.188327685732524e-3f);                                                     \
        t = fma(t, z, (T)-2.685381193529856e-2f);                                                    \
        t = fma(t, z, (T)1.128358514861418e-1f);                                                     \
        t = fma(t, z, (T)-3.761262582423300e-1f);                                                    \
        t = fma(t, z, (T)1.128379165726710f);                                                        \
        T q = (T)1.0f / fmax(a, (T)1.0f);                                                            \
        T y = q * q;                                                                                 \
        T p = (T)2.326819970068386e-2f;                                                              \
        p = fma(p, y, (T)-1.387039388740657e-1f);                                                    \
        p = fma(p, y, (T)3.687424674597105e-1f);                                                     \
        p = fma(p, y, (T)-5.824733027278666e-1f);                                                    \
        p = fma(p, y, (T)6.210004621745983e-1f);                                                     \
        p = fma(p, y, (T)-4.944515323274145e-1f);                                                    \
        p = fma(p, y, (T)3.404879937665872e-1f);                                                     \
        p = fma(p, y, (T)-2.741127028184656e-1f);                                                    \
        p = fma(p, y, (T)5.638259427386472e-1f);                                                     \
        T r = (T)-1.047766399936249e1f;                                                              \
        r = fma(r, y, (T)1.297719955372516e1f);                                                      \
        r = fma(r, y, (T)-7.495518717768503f);                                                       \
        r = fma(r, y, (T)2.921019019210786f);                                                        \
        r = fma(r, y, (T)-1.015265279202700f);                                                       \
        r = fma(r, y, (T)4.218463358204948e-1f);                                                     \
        r = fma(r, y, (T)-2.820767439740514e-1f);                                                    \
        r = fma(r, y, (T)5.641895067754075e-1f);                                                     \
        T tail = select(r, p, a < (T)2.0f) * q * CAT(exp_, S)(-z);                                   \
        T far = copysign((T)1.0f - tail, x);                                                         \
        return select(far, x * t, a < (T)1.0f);                                                      \
    }                                                                                                \
    FUNCTION T CAT(sincos_, S)(T x, TI turn) {                                                       \
        T c0 = clamp(x, (T)-1e5f, (T)1e5f);                                                          \
        T k = rint(c0 * (T)0.63661977236758134f);                                                    \
        T r = fma(k, (T)-1.5703125f, c0);                                                            \
        r = fma(k, (T)-4.837512969970703125e-4f, r);                                                 \
        r = fma(k, (T)-7.54978995489188216e-8f, r);                                                  \
        TI n = CONVERT_TI(k) + turn;                                                                 \
        T z = r * r;                                                                                 \
        T s = (T)-1.9515295891e-4f;                                                                  \
        s = fma(s, z, (T)8.3321608736e-3f);                                                          \
        s = fma(s, z, (T)-1.6666654611e-1f);                                                         \
        s = fma(s * z, r, r);                                                                        \
        T c = (T)2.443315711809948e-5f;                                                              \
        c = fma(c, z, (T)-1.388731625493765e-3f);                                                    \
        c = fma(c, z, (T)4.166664568298827e-2f);                                                     \
        c = fma(c * z, z, fma((T)-0.5f, z, (T)1.0f));                                                \
        T y = select(s, c, (n & 1) != 0);                                                            \
        return select(y, -y, (n & 2) != 0);                                                          \
    }                                                                                                \
    FUNCTION T CAT(sin_, S)(T x) { return CAT(sincos_, S)(x, (TI)(0)); }                             \
    FUNCTION T CAT(cos_, S)(T x) { return CAT(sincos_, S)(x, (TI)(1)); }                             \
    FUNCTION T CAT(softplus_, S)(T x) {                                                              \
        return fmax(x, (T)0.0f) + CAT(log1p_, S)(CAT(exp_, S)(-fabs(x)));                            \
    }                                                                                                \
    FUNCTION T CAT(phi_, S)(T x) {                                                                   \
        return (T)0.5f * ((T)1.0f + CAT(erf_, S)(x * (T)0.70710678118654752f));                      \
    }

RARE(float, int, float, convert_int_rte)
#if VW != 1
RARE(vf, vi, vf, CONVERT_VI)
#endif
#if PW != 1 && PW != VW
RARE(pf, pi, pf, CONVERT_PI)
#endif
