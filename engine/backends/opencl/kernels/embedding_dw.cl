// OUT[v][f] = sum of D[f][t][lane] over all t and live lanes whose token is v.
//
// Every row of the table looks through all tokens, so nobody adds to another's number: time by time, within it
// register by register, the lanes of a register in the order of SUM_VF.
// Pointers: TOKENS (LENGTH x LANES), D (WIDTH x LENGTH x LANES), controls; the epilogue's own (EPILOGUE_S).
// One work-item computes PART features of one token.

#if VW == 1
#define SOME(hit) (hit)
#else
#define SOME(hit) any(hit)
#endif

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int v = id0;
    const int first = id1 * PART;
    const int n = CONTROL_INT(LIVE);
    float sum[PART];
    for (int i = 0; i < PART; i++) sum[i] = 0.0f;
    for (int t = 0; t < LENGTH; t++) {
        for (int lane = 0; lane < n; lane += VW) {
            const vf token = fmin(rint(fmax(LOAD(TOKENS + t * LANES + lane), (vf)(0.0f))), (vf)(COUNT - 1));
            const vi hit = (token == (vf)(v)) & LIVE_LANES(lane, n);
            if (SOME(hit)) {
                IN_ORDER
                for (int i = 0; i < PART; i++) {
                    const int f = min(first + i, WIDTH - 1);
                    sum[i] += SUM_VF(select((vf)(0.0f), LOAD(D + (f * LENGTH + t) * LANES + lane), hit));
                }
            }
        }
    }
    for (int i = 0; i < PART; i++) {
        if (first + i < WIDTH) {
            EPILOGUE_S((v * WIDTH + first + i), sum[i])
        }
    }
}
#undef SOME
