// The way back through a bilinear affine warp, from DY: to the picture, or with TO_MATRIX to the matrix.
//
// The picture: every output pixel adds its share to the four pixels it read. One work-item owns a channel of
// its lanes, so nothing is added by two at once, and always in the order of the output's pixels.
// The matrix: with g = the sum over channels of DY times the slope of X at the place p that was read, the sums
// of g p and g over all pixels; M^-1 turns them into the gradient. A singular matrix gets none.
//
// Pointers: DY, with TO_MATRIX X (CHANNELS x HEIGHT x WIDTH x LANES), M (6 x LANES), OUT; controls.
// BORDER as in affine_warp.cl. One work-item: VW lanes, of one channel or with TO_MATRIX of all.

FUNCTION int CAT(NAME, _fold)(int i, const int size) {
#if BORDER == 2
    if (size == 1) return 0;
    i = abs(i) % (2 * (size - 1));
    i = i < size ? i : 2 * (size - 1) - i;
#endif
    return clamp(i, 0, size - 1);
}

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const vi alive = LIVE_LANES(lane, CONTROL_INT(LIVE));
    const vf a = LOAD(M + 0 * LANES + lane), b = LOAD(M + 1 * LANES + lane), tx = LOAD(M + 2 * LANES + lane);
    const vf c = LOAD(M + 3 * LANES + lane), d = LOAD(M + 4 * LANES + lane), ty = LOAD(M + 5 * LANES + lane);
    const vf det = fma(a, d, -(b * c));
    const vi singular = det == (vf)(0.0f);
#if TO_MATRIX
    vf sums[6];
    for (int k = 0; k < 6; k++) sums[k] = (vf)(0.0f);
#else
    const int channel = id1;
    __global float *out = OUT + channel * (HEIGHT * WIDTH * LANES);
    for (int i = 0; i < HEIGHT * WIDTH; i++) STORE((vf)(0.0f), out + i * LANES + lane);
#endif
    for (int y = 0; y < HEIGHT; y++) {
        const vf v = (vf)(y) - ty;
        for (int x = 0; x < WIDTH; x++) {
            const vf u = (vf)(x) - tx;
            const vf px = clamp(select(fma(d, u, -(b * v)) / det, (vf)(0.0f), singular), (vf)(-1e6f), (vf)(1e6f));
            const vf py = clamp(select(fma(a, v, -(c * u)) / det, (vf)(0.0f), singular), (vf)(-1e6f), (vf)(1e6f));
            const vf left = floor(px), top = floor(py);
            const vf fx = px - left, fy = py - top;
            float column[VW], row[VW];
            PUT(left, column);
            PUT(top, row);
            int at[4][VW], on[4][VW];
            for (int s = 0; s < VW; s++) {
                #pragma unroll
                for (int tap = 0; tap < 4; tap++) {
                    const int i = (int)row[s] + tap / 2, j = (int)column[s] + tap % 2;
                    on[tap][s] = BORDER != 0 || (i >= 0 && i < HEIGHT && j >= 0 && j < WIDTH);
                    at[tap][s] = (CAT(NAME, _fold)(i, HEIGHT) * WIDTH + CAT(NAME, _fold)(j, WIDTH)) * LANES + lane + s;
                }
            }
#if TO_MATRIX
            vf along = (vf)(0.0f), down = (vf)(0.0f);
            for (int channel = 0; channel < CHANNELS; channel++) {
                float value[4][VW];
                for (int s = 0; s < VW; s++) {
                    #pragma unroll
                    for (int tap = 0; tap < 4; tap++) {
                        value[tap][s] = on[tap][s] ? X[channel * (HEIGHT * WIDTH * LANES) + at[tap][s]] : 0.0f;
                    }
                }
                const vf r0 = TAKE(value[0]), r1 = TAKE(value[1]), r2 = TAKE(value[2]), r3 = TAKE(value[3]);
                const vf dy = LOAD(DY + ((channel * HEIGHT + y) * WIDTH + x) * LANES + lane);
                along = fma(dy, fma(fy, r3 - r2, (1.0f - fy) * (r1 - r0)), along);
                down = fma(dy, fma(fx, r3 - r1, (1.0f - fx) * (r2 - r0)), down);
            }
            sums[0] = fma(along, px, sums[0]);
            sums[1] = fma(along, py, sums[1]);
            sums[2] += along;
            sums[3] = fma(down, px, sums[3]);
            sums[4] = fma(down, py, sums[4]);
            sums[5] += down;
#else
            const vf dy = LOAD(DY + ((channel * HEIGHT + y) * WIDTH + x) * LANES + lane);
            float part[4][VW];
            PUT((1.0f - fy) * (1.0f - fx) * dy, part[0]);
            PUT((1.0f - fy) * fx * dy, part[1]);
            PUT(fy * (1.0f - fx) * dy, part[2]);
            PUT(fy * fx * dy, part[3]);
            for (int s = 0; s < VW; s++) {
                IN_ORDER
                for (int tap = 0; tap < 4; tap++) {
                    if (on[tap][s]) out[at[tap][s]] += part[tap][s];
                }
            }
#endif
        }
    }
#if TO_MATRIX
    #pragma unroll
    for (int k = 0; k < 3; k++) {
        const vf first = -fma(d, sums[k], -(c * sums[k + 3])) / det;
        const vf second = -fma(a, sums[k + 3], -(b * sums[k])) / det;
        STORE(select((vf)(0.0f), first, alive & ~singular), OUT + k * LANES + lane);
        STORE(select((vf)(0.0f), second, alive & ~singular), OUT + (k + 3) * LANES + lane);
    }
#else
    for (int i = 0; i < HEIGHT * WIDTH; i++) {
        STORE(select((vf)(0.0f), LOAD(out + i * LANES + lane), alive), out + i * LANES + lane);
    }
#endif
}
