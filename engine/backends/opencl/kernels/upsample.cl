// Y[c][r][q] = X read at row (r + 1/2) / FY - 1/2 and column (q + 1/2) / FX - 1/2: the nearest pixel, or (BILINEAR)
// the sum of four times their weights, the outermost going on beyond the edge.
//
// Pointers: X (CHANNELS x IN_H x IN_W); the epilogue's own. One work-item computes one row of Y for VW lanes.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    const int lane = id0 * VW;
    const int r = id1;
    const int c = id2;
    __global const float *x = X + c * (IN_H * IN_W * LANES) + lane;
#if BILINEAR
    const int down = max(2 * r + 1 - FY, 0);
    const int top = down / (2 * FY), bottom = min(top + 1, IN_H - 1);
    const float below = (float)(down % (2 * FY)) / (float)(2 * FY);
    for (int q = 0; q < IN_W * FX; q++) {
        const int along = max(2 * q + 1 - FX, 0);
        const int left = along / (2 * FX), right = min(left + 1, IN_W - 1);
        const float beyond = (float)(along % (2 * FX)) / (float)(2 * FX);
        const vf a = fma((vf)(beyond), LOAD(x + (top * IN_W + right) * LANES),
                         (1.0f - beyond) * LOAD(x + (top * IN_W + left) * LANES));
        const vf b = fma((vf)(beyond), LOAD(x + (bottom * IN_W + right) * LANES),
                         (1.0f - beyond) * LOAD(x + (bottom * IN_W + left) * LANES));
        EPILOGUE(((c * (IN_H * FY) + r) * (IN_W * FX) + q) * LANES + lane, fma((vf)(below), b, (1.0f - below) * a))
    }
#else
    for (int q = 0; q < IN_W * FX; q++) {
        EPILOGUE(((c * (IN_H * FY) + r) * (IN_W * FX) + q) * LANES + lane, LOAD(x + (r / FY * IN_W + q / FX) * LANES))
    }
#endif
}
