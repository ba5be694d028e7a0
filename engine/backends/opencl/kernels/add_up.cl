// The sum of COUNT numbers of PARTS, in order.
//
// Pointers: PARTS; the epilogue's own (EPILOGUE_S). One work-item.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    float sum = 0.0f;
    IN_ORDER
    for (int i = 0; i < COUNT; i++) sum += PARTS[i];
    EPILOGUE_S(0, sum)
}
