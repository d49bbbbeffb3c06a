/*
 * Predicts each row of the file rows.bin. For each, outputs.bin gets the outputs, and how many ticks
 * of the processor's clock the prediction took.
 */
#include <stdint.h>

#include "model.h"
#include "semihosting.h"

/* The system timer (ARMv7-M, B3.3): counts down from 2^24 - 1. */
#define SYST_CSR (*(volatile uint32_t *)0xE000E010u)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014u)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018u)
#define SYST_MOST 0x00FFFFFFu

static float x[MODEL_N_FEATURES];
static float scratch[MODEL_SCRATCH];
static struct {
    float y[MODEL_N_OUTPUTS];
    uint32_t ticks;
} result;

int main(void)
{
    const int rows = host_open("rows.bin", HOST_READ);
    const int outputs = host_open("outputs.bin", HOST_WRITE);
    if (rows < 0 || outputs < 0) {
        return 2;
    }
    SYST_RVR = SYST_MOST;
    SYST_CVR = 0;
    SYST_CSR = 5; /* on, by the processor's clock, without interrupts */

    while (host_read(rows, x, sizeof x) == 0) {
        const uint32_t start = SYST_CVR;
        const int error = model_predict(x, result.y, scratch);
        result.ticks = (start - SYST_CVR) & SYST_MOST;
        if (error != MODEL_OK) {
            return 3;
        }
        if (host_write(outputs, &result, sizeof result) != 0) {
            return 4;
        }
    }
    return 0;
}
