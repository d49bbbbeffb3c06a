/* What happens before main: the floating-point unit is switched on, and RAM gets its contents. */
#include <stdint.h>

#include "semihosting.h"

/* Addresses that the linker script names. */
extern uint32_t stack_top[], data_load[], data_start[], data_end[], bss_start[], bss_end[];

int main(void);
void reset(void);

/* Coprocessor access control register (ARMv7-M, B3.2.20). */
#define CPACR (*(volatile uint32_t *)0xE000ED88u)

void reset(void)
{
    /* Full access to coprocessors 10 and 11, which are the FPU; without it the first float faults. */
    CPACR |= 0xFu << 20;
    __asm__ volatile("dsb\n\tisb" ::: "memory");

    const uint32_t *from = data_load;
    for (uint32_t *to = data_start; to < data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = bss_start; to < bss_end; to++) {
        *to = 0;
    }
    host_exit(main());
}

static void fault(void)
{
    host_exit(99);
}

struct vectors {
    uint32_t *stack;
    void (*handlers[15])(void);
};

/* Reset, then NMI, the faults, and the rest, none of which should happen. */
__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    stack_top,
    {reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, fault},
};
