// RESULT of the sum of COUNT numbers of PARTS, in order.
//
// Pointers: PARTS, controls; the epilogue's own (EPILOGUE_S). One work-item.
// Tunables: RESULT(s)  the sum, or the sum times a control.

KERNEL void NAME(ARGUMENTS) {
    POINTERS
    float sum = 0.0f;
    IN_ORDER
    for (int i = 0; i < COUNT; i++) sum += PARTS[i];
    EPILOGUE_S(0, RESULT(sum))
}
